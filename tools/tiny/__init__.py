"""Parts of ``tools/train_tiny.py``."""
