"""One adapter a kind of upstream: its URL, its credentials, the meaning of its errors."""
