"""Mistral gets its own names, and nothing it refuses."""

import msgspec

from providers.dialects.openai_chat.spelling import respell


def _respell(body: bytes, spelling: str = "mistral") -> tuple[bytes, tuple[str, ...]]:
    fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    dropped = respell(fields, spelling)
    return msgspec.json.encode(fields), dropped


def test_nothing_happens_to_the_usual_spelling() -> None:
    body = b'{"seed":1,"user":"u"}'
    assert _respell(body, "") == (body, ())


def test_names_change_and_the_unknown_goes() -> None:
    body = b'{"model":"m","seed":1,"tool_choice":"required","user":"u","logit_bias":{}}'
    assert _respell(body) == (b'{"model":"m","tool_choice":"any","random_seed":1}', ("user", "logit_bias"))


def test_a_name_that_is_there_already_stays() -> None:
    assert _respell(b'{"max_tokens":1,"max_completion_tokens":2}') == (b'{"max_tokens":1}', ())


def test_developers_are_the_system_but_not_inside_of_texts() -> None:
    body = b'{"messages":[{"role" : "developer","content":"\\"role\\":\\"developer\\""}]}'
    assert _respell(body)[0] == b'{"messages":[{"role" : "system","content":"\\"role\\":\\"developer\\""}]}'
