"""Pure wire formats: bytes and values in, values and bytes out. No input or output happens here."""
