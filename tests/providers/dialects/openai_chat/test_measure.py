"""What a model has to read, by bytes."""

from hypothesis import given
from hypothesis import strategies as st

from providers.dialects.openai_chat import measure
from providers.dialects.openai_chat.measure import ATTACHMENT_BYTES, MESSAGE_BYTES, Message


@given(st.text())
def test_text_counts_by_its_bytes(text: str) -> None:
    assert measure.measure_text(text) == len(text.encode(errors="surrogatepass"))


def test_a_conversation_counts_its_messages_and_tools() -> None:
    messages = [Message("user", "abc"), Message("assistant"), Message("user", [{"type": "text", "text": "é"}])]
    assert measure.measure_chat(messages, None) == 3 * MESSAGE_BYTES + 3 + 2
    assert measure.measure_chat([], [{"a": 1}]) == len(b'[{"a":1}]')


def test_an_image_counts_the_same_however_large() -> None:
    small, large = ([{"type": "image_url", "image_url": {"url": "x" * size}}] for size in (10, 1_000_000))
    sizes = {measure.measure_chat([Message("user", content)], None) for content in (small, large)}
    assert sizes == {MESSAGE_BYTES + ATTACHMENT_BYTES}


def test_inputs_are_texts_or_tokens() -> None:
    assert measure.measure_input("abc") == 3
    assert measure.measure_input(["abc", "d"]) == 4
    assert measure.measure_input([1, 2, 3]) == 12
    assert measure.measure_input([[1], [2, 3]]) == 12
