"""What a newcomer reads at the first start: where it is, a key, a call to paste, and the way into the admin."""

from typing import Protocol

from gateway_project.configuration.embedded import Seeded

_WELCOME = """
LLM Gateway is ready to be tried.

  Base URL   {base_url}/v1
  Demo key   {key}
  Admin      {base_url}/admin/   user {user}   password {password}
  Playground {base_url}/playground

Key and password are shown this once. Paste this:

  curl {base_url}/v1/chat/completions \\
    -H 'Authorization: Bearer {key}' \\
    -H 'Content-Type: application/json' \\
    -d '{{"model": "mock", "messages": [{{"role": "user", "content": "Hello"}}]}}'
"""


class Output(Protocol):
    """Where text is written."""

    def write(self, text: str) -> None:
        """Write a text."""


def write_welcome(output: Output, seeded: Seeded, *, base_url: str) -> None:
    """Write the welcome where this was the first start, and nothing otherwise."""
    if seeded.demo_key is None:
        return
    output.write(
        _WELCOME.format(
            base_url=base_url,
            key=seeded.demo_key,
            user=seeded.admin_username,
            password=seeded.admin_password or "(unchanged)",
        )
    )
