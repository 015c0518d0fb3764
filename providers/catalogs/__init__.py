"""Price lists as they come, read into one form: the bundled one, the seed's JSON and LiteLLM's price map."""
