import msgspec
import pytest

from providers.dialects.canonical import Dialect
from providers.dialects.conversation import Request
from providers.dialects.embedding import EmbeddingRequest
from providers.dialects.hints import HINTS, sort_extras


def _request(dialect: Dialect = Dialect.OPENAI, **extras: str) -> Request:
    raws = {name: msgspec.Raw(value.encode()) for name, value in extras.items()}
    return Request(model="m", messages=(), dialect=dialect, extras=raws)


def test_extras_of_another_dialect_are_sorted_by_whether_they_matter() -> None:
    request = _request(logit_bias='{"50256": -100}', store="true", prompt_cache_key='"k"', audio='{"voice":"alloy"}')
    assert sort_extras(request, Dialect.ANTHROPIC) == (("logit_bias", "audio"), ("store", "prompt_cache_key"))


def test_extras_of_the_own_dialect_are_not_reported() -> None:
    assert sort_extras(_request(logit_bias='{"1": 2}', store="true"), Dialect.OPENAI) == ((), ())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("logit_bias", value) for value in ("null", "{}", " { } ")),
        *(("plugins", "[]"), ("modalities", '[ "text" ]'), ("background", "false"), ("truncation", '"disabled"')),
    ],
)
def test_a_field_that_says_nothing_is_not_reported(name: str, value: str) -> None:
    assert sort_extras(_request(**{name: value}), Dialect.GEMINI) == ((), ())


@pytest.mark.parametrize(("name", "value"), [("modalities", '["text","audio"]'), ("background", "true"), ("x", "0")])
def test_other_values_are_reported(name: str, value: str) -> None:
    assert sort_extras(_request(**{name: value}), Dialect.GEMINI) == ((name,), ())


def test_embeddings_are_sorted_too() -> None:
    extras = {"truncate": msgspec.Raw(b'"END"'), "labels": msgspec.Raw(b'{"a":"b"}')}
    request = EmbeddingRequest(model="m", inputs=("a",), dialect=Dialect.COHERE, extras=extras)
    assert sort_extras(request, Dialect.OPENAI) == (("truncate",), ("labels",))


def test_nothing_that_shapes_the_answer_is_a_hint() -> None:
    shaping = {"temperature", "top_p", "seed", "stop", "tools", "logit_bias", "response_format", "modalities", "audio"}
    assert not HINTS & shaping
