"""OpenAI's images, speech, transcription, translation and moderation: requests, answers and streams."""
