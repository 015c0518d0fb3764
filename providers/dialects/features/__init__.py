"""Hugging Face's feature extraction, a way to embeddings: requests, answers and errors of the provider's side."""
