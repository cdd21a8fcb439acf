"""Scores as a Hugging Face model card tells them: the ``model-index`` of its metadata."""
