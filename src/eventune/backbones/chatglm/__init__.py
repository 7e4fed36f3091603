"""ChatGLM2 and its successors in the same layout, made into transformers' own Glm without the checkpoint's code."""
