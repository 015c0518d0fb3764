"""OpenAI's Responses: requests of items, answers that repeat the request, named events, and what is kept of turns."""
