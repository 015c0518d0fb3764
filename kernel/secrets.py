"""Secrets at rest: virtual keys as keyed hashes, upstream credentials sealed with a rotatable key."""

import hashlib
import secrets

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

KEY_PREFIX = "sk-gw-"
VISIBLE_CHARACTERS = 12


class SealBroken(Exception):
    """A sealed value can't be opened with any of the keys at hand."""


def new_key() -> str:
    """Return a fresh virtual key: `sk-gw-` and 43 random characters (256 bits)."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


def visible_prefix(secret: str) -> str:
    """Return the part of a virtual key that lists may show."""
    return secret[:VISIBLE_CHARACTERS]


def hash_key(secret: str, pepper: bytes) -> str:
    """Return the keyed hash (BLAKE2b with a key, 256 bits, hexadecimal) under which a virtual key is stored."""
    return hashlib.blake2b(secret.encode(errors="surrogateescape"), key=pepper[:64], digest_size=32).hexdigest()


class Sealer:
    """Seals with the first key and opens with any, so that a new first key rotates the rest away."""

    def __init__(self, keys: list[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def seal(self, plain: str) -> str:
        """Return the sealed form of a text; an empty text stays empty."""
        return self._fernet.encrypt(plain.encode()).decode() if plain else ""

    def open(self, sealed: str) -> str:
        """Return the text that was sealed. Raises SealBroken where no key fits."""
        if not sealed:
            return ""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise SealBroken("no sealing key opens this credential") from error

    def reseal(self, sealed: str) -> str:
        """Return the same secret sealed with the first key. Raises SealBroken where no key fits."""
        return self.seal(self.open(sealed))


def new_sealing_key() -> str:
    """Return a fresh key for a Sealer."""
    return Fernet.generate_key().decode()
