"""Floor 2: how an upstream speaks, and what it costs. Connections, dialects, adapters, prices."""
