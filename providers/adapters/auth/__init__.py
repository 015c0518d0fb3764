"""How the gateway says who it is to a provider."""
