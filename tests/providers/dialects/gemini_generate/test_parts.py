import msgspec
import pytest

from providers.dialects.canonical import Dialect
from providers.dialects.conversation import Opaque, Part, Text, Thinking, ToolCall
from providers.dialects.gemini_generate.parts import read_arguments, read_part, write_thought
from providers.dialects.gemini_generate.wire import PART_DECODER


def _read(data: bytes) -> list[Part]:
    return read_part(PART_DECODER.decode(data), raw=lambda: msgspec.Raw(data), new_id=lambda: "made")


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        (b'{"text":"x"}', [Text("x")]),
        (b'{"text":""}', []),
        (b'{"text":"x","thought":true}', [Thinking("x")]),
        (b'{"text":"x","thoughtSignature":"AA"}', [Text("x"), Thinking(signature="AA", dialect=Dialect.GEMINI)]),
        (b'{"functionCall":{"name":"f"}}', [ToolCall("made", "f", "{}")]),
        (b'{"functionCall":{"name":"f","id":"i","args":null}}', [ToolCall("i", "f", "{}")]),
    ],
)
def test_a_part_says(data: bytes, parts: list[Part]) -> None:
    assert _read(data) == parts


@pytest.mark.parametrize("kind", ["executableCode", "codeExecutionResult", "toolCall"])
def test_what_only_gemini_has_is_kept_as_it_is(kind: str) -> None:
    data = b'{"thought":false,"%s":{"a":1.0e1}}' % kind.encode()
    assert _read(data) == [Opaque(Dialect.GEMINI, kind, msgspec.Raw(data))]


def test_a_thought_that_says_nothing_is_no_part() -> None:
    assert write_thought(Thinking()) is None


@pytest.mark.parametrize(("text", "raw"), [("", b"{}"), (' {"a": 1.0e1} ', b'{"a": 1.0e1}')])
def test_arguments_keep_their_bytes(text: str, raw: bytes) -> None:
    read = read_arguments(text)
    assert read is not None
    assert bytes(read) == raw


@pytest.mark.parametrize("text", ["[]", "{", "3", "null", '"x"', "{" * 5000])
def test_arguments_are_an_object(text: str) -> None:
    assert read_arguments(text) is None
