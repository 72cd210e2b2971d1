"""A model on the Hugging Face Hub: its card, and how it gets there."""
