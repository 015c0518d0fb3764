"""Cohere's rerank API, version 2, which Jina and most others have taken over: requests, answers and errors."""
