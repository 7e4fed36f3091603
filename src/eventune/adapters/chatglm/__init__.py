"""Adapters of the published ChatGLM2 for transformers' own GlmForCausalLM, and back."""
