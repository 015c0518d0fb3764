"""The command line: serve the gateway, talk to one, look at one."""

import os
import sys
from pathlib import Path

import click
import httpx2

from gateway_project import chat, start

DEFAULT_URL = "http://127.0.0.1:8000"


@click.group()
@click.version_option(package_name="llmgateway")
def main() -> None:
    """LLM Gateway: one door to every provider, with exact money."""


@main.command()
@click.option("--config", type=click.Path(path_type=Path, dir_okay=False), help="gateway.yaml or a LiteLLM config.")
@click.option("--host", default=lambda: os.environ.get("HOST", "127.0.0.1"), show_default="127.0.0.1, or $HOST")
@click.option("--port", type=int, default=lambda: int(os.environ.get("PORT", "8000")), show_default="8000, or $PORT")
@click.option("--workers", type=int, default=1, show_default=True)
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Database, journal and secrets.")
def serve(config: Path | None, host: str, port: int, workers: int, data_dir: Path | None) -> None:
    """Migrate, seed what is missing, and serve until SIGTERM."""
    if data_dir is not None:
        os.environ["GATEWAY_DATA_DIR"] = str(data_dir.resolve())
    sys.exit(start.serve(config=config, host=host, port=port, workers=workers))


@main.command(name="chat")
@click.argument("message")
@click.option("--model", default="mock-small", show_default=True)
@click.option("--stream/--no-stream", default=False)
@click.option("--url", envvar="LLMGATEWAY_URL", default=DEFAULT_URL, show_default=True)
@click.option("--key", envvar="LLMGATEWAY_API_KEY", help="A virtual key; or $LLMGATEWAY_API_KEY.")
def chat_command(message: str, model: str, stream: bool, url: str, key: str | None) -> None:
    """Send one message to a running gateway and print the answer."""
    if not key:
        raise click.UsageError("no key: pass --key or set LLMGATEWAY_API_KEY")
    try:
        chat.send(chat.Question(url=url, key=key, model=model, message=message), stream=stream)
    except chat.Refused as error:
        raise click.ClickException(str(error)) from error
    except httpx2.HTTPError as error:
        raise click.ClickException(f"{url} can't be reached: {error}") from error


@main.command()
@click.option("--url", envvar="LLMGATEWAY_URL", default=DEFAULT_URL, show_default=True)
def status(url: str) -> None:
    """Tell whether a gateway is up and ready."""
    try:
        answer = httpx2.get(f"{url.rstrip('/')}/ready", timeout=10)
    except httpx2.HTTPError as error:
        raise click.ClickException(f"{url} can't be reached: {error}") from error
    for name, value in answer.json().items():
        click.echo(f"{name}: {value}")
    if answer.status_code != 200:
        sys.exit(1)
