"""Keys as keyed hashes, credentials sealed with a key that can be rotated."""

import pytest

from kernel import secrets


def test_new_keys_are_long_random_and_recognisable() -> None:
    first, second = secrets.new_key(), secrets.new_key()
    assert first != second
    assert first.startswith("sk-gw-")
    assert len(first) == len("sk-gw-") + 43
    assert first.startswith(secrets.visible_prefix(first))
    assert len(secrets.visible_prefix(first)) == 12


def test_the_hash_depends_on_the_pepper() -> None:
    assert secrets.hash_key("k", b"one") == secrets.hash_key("k", b"one")
    assert secrets.hash_key("k", b"one") != secrets.hash_key("k", b"two")
    assert len(secrets.hash_key("k", b"p" * 500)) == 64


def test_sealed_text_opens_again_and_hides_what_it_holds() -> None:
    sealer = secrets.Sealer([secrets.new_sealing_key()])
    sealed = sealer.seal("sk-upstream")
    assert "sk-upstream" not in sealed
    assert sealer.open(sealed) == "sk-upstream"
    assert sealer.open(sealer.seal("")) == ""


def test_a_new_first_key_opens_the_old_and_reseals() -> None:
    old, new = secrets.new_sealing_key(), secrets.new_sealing_key()
    sealed = secrets.Sealer([old]).seal("credential")
    both = secrets.Sealer([new, old])
    assert both.open(sealed) == "credential"
    assert secrets.Sealer([new]).open(both.reseal(sealed)) == "credential"


def test_a_foreign_key_opens_nothing() -> None:
    sealed = secrets.Sealer([secrets.new_sealing_key()]).seal("credential")
    with pytest.raises(secrets.SealBroken):
        secrets.Sealer([secrets.new_sealing_key()]).open(sealed)
