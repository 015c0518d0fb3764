"""The command line of usage."""
