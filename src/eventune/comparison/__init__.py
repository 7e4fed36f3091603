"""Arms × seeds → runs → one table: what each way of fine-tuning costs and gives."""
