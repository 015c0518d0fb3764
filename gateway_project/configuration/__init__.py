"""Declared configuration: files and the environment, read with their lines and made into rows."""
