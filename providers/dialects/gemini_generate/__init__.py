"""Gemini's generateContent, embedContent, countTokens and list of models: requests, answers, streams and errors."""
