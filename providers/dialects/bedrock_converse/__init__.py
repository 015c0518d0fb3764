"""Bedrock's Converse: one form of a conversation for every model there. Requests are written, answers are read."""
