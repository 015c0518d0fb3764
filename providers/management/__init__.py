"""The command line of providers."""
