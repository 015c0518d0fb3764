"""Floor 5: the front door and the journey of a call."""
