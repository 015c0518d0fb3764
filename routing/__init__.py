"""Floor 4: where a call goes. Routes, targets, strategies, attempts."""
