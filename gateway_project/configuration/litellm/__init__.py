"""LiteLLM's `config.yaml`, taken as it is and answered key by key."""
