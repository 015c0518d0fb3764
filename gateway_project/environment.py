"""What the environment says: the data directory, the generated secrets and the database.

Secrets that nobody supplied are made once and kept in `secrets.json` in the data directory, readable by its owner.
"""

import json
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import parse_qs, unquote, urlsplit

from kernel.secrets import new_sealing_key


class Secrets(TypedDict):
    """What must stay the same from one start to the next."""

    django_secret_key: str
    key_pepper: str
    sealing_keys: list[str]


def flag(name: str, *, default: bool) -> bool:
    """Read an on/off variable. Raises ValueError for a word that is neither."""
    word = os.environ.get(name, "").strip().lower()
    if not word:
        return default
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"0", "false", "no", "off"}:
        return False
    raise ValueError(f"{name} is {word!r}; say true or false")


def choice(name: str, *, among: tuple[str, ...]) -> str:
    """Read a variable that is one of a few words. Raises ValueError for another."""
    word = os.environ.get(name, "").strip().lower()
    if word not in among:
        raise ValueError(f"{name} is {word!r}; say {' or '.join(repr(known) for known in among if known)}")
    return word


def number(name: str, *, default: float) -> float:
    """Read a numeric variable. Raises ValueError where it is no number."""
    word = os.environ.get(name, "").strip()
    try:
        value = float(word) if word else default
    except ValueError as error:
        raise ValueError(f"{name} is {word!r}; give a number") from error
    if not 0 <= value < float("inf"):
        raise ValueError(f"{name} is {word!r}; give a number that is not below zero")
    return value


def mail(url: str) -> dict[str, Any]:
    """Return Django's e-mail settings of a URL such as smtp://user:password@host:587; none for "".

    `smtp` upgrades the connection unless told `?starttls=false`; `smtps` is encrypted from its first byte. Raises
    ValueError for anything else.
    """
    if not url:
        return {}
    parts = urlsplit(url)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ValueError("GATEWAY_EMAIL_URL is no smtp:// or smtps:// URL with a host")
    implicit = parts.scheme == "smtps"
    starttls = not implicit and parse_qs(parts.query).get("starttls", ["true"])[-1] != "false"
    return {
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if implicit else 587 if starttls else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": implicit,
        "EMAIL_USE_TLS": starttls,
    }


def data_dir(base: Path) -> Path:
    """Return the data directory, made if need be."""
    directory = Path(os.environ.get("GATEWAY_DATA_DIR") or base / "data").resolve()
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def load_secrets(directory: Path) -> Secrets:
    """Return the secrets: the environment's first, then the kept ones, made where there are none."""
    kept = _kept_secrets(directory / "secrets.json")
    sealing = os.environ.get("GATEWAY_SEALING_KEYS", "")
    return {
        "django_secret_key": os.environ.get("GATEWAY_SECRET_KEY") or kept["django_secret_key"],
        "key_pepper": os.environ.get("GATEWAY_KEY_PEPPER") or kept["key_pepper"],
        "sealing_keys": [key.strip() for key in sealing.split(",") if key.strip()] or kept["sealing_keys"],
    }


def _kept_secrets(path: Path) -> Secrets:
    fresh: Secrets = {
        "django_secret_key": secrets.token_urlsafe(48),
        "key_pepper": secrets.token_urlsafe(32),
        "sealing_keys": [new_sealing_key()],
    }
    if not path.exists():
        _write_once(path, json.dumps(fresh))
    kept: Secrets = json.loads(path.read_text())
    return kept


def _write_once(path: Path, text: str) -> None:
    """Give a file its text, whole from the moment it is there; whoever comes second leaves the first one's."""
    writing = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(writing, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    with suppress(FileExistsError):
        os.link(writing, path)
    writing.unlink()
