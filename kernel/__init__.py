"""Floor 0: words that every floor needs. No Django, no network."""
