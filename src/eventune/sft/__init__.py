"""Fine-tuning of causal LMs on prompt and response: settings, run, evaluation."""
