"""Where responses are kept, so that a later turn can go on from them: in the database, or as long as a socket lasts."""
