"""The built-in provider: deterministic answers, and every way an upstream can misbehave, on request.

`script` decides what is said; `providers.adapters.mock` plays it inside the process, `server` over a socket.
"""
