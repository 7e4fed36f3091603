"""What is trained of a model, what guards it, and what is saved of it."""
