import json

from providers.dialects.gemini_generate.framing import ArrayFrames, Frames, is_one_event, payload_of


def test_events_end_as_google_ends_them() -> None:
    frames = Frames()
    event = frames.frame(b"{}") + frames.close()
    assert event == b"data: {}\r\n\r\n"
    assert is_one_event(event)
    assert payload_of(event) == b"{}"


def test_any_line_end_is_read() -> None:
    assert is_one_event(b"data: {}\n\n")
    assert payload_of(b"data: {}\n\n") == payload_of(b"data:{}\r\n\r\n") == b"{}"
    assert not is_one_event(b"data: 1\r\n\r\ndata: 2\r\n\r\n")
    assert not is_one_event(b"data: 1\r\n")
    assert payload_of(b": comment\r\n\r\n") is None


def test_an_array_is_json_with_any_number_of_chunks() -> None:
    for count in range(3):
        frames = ArrayFrames()
        data = b"".join(frames.frame(b"{}") for _ in range(count)) + frames.close()
        assert json.loads(data) == [{}] * count
