"""Floor 7: settings, ASGI, URLs, the command line and what declares a configuration."""
