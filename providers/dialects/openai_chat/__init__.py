"""OpenAI's chat completions, legacy completions and embeddings: requests, answers, streams and errors."""
