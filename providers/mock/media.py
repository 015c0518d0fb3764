"""The mock's pictures, sounds, transcripts, judgements and rankings: small, and the same for the same request."""

import base64
import hashlib
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import msgspec

from providers.dialects import sse
from providers.dialects.canonical import Operation, Usage, estimate_tokens
from providers.mock.answers import CREATED_AT_S, prompt_text
from providers.mock.directions import Directions, without_directions

JSON = b"application/json"
EVENTS = b"text/event-stream"
PICTURE_TOKENS = 64
PICTURES_MAX = 10
CHARACTERS_MAX = 4_096
SAMPLES_A_SECOND = 8_000
SAMPLES_A_CHARACTER = 160
BYTES_A_MS_HEARD = 4  # as if all sound came with 32 kbit/s
DOCUMENTS_A_SEARCH = 100
_PIECE_BYTES = 4_096
_WORD_FLAGGED = "violence"


@dataclass(frozen=True, slots=True)
class MediaReply:
    """One answer in the pieces that it is told in, and what a provider would charge for it."""

    pieces: tuple[bytes, ...]
    counts: Usage
    content_type: bytes = JSON


def write_media(operation: Operation, request: dict[str, Any], model: str, directions: Directions) -> MediaReply:
    """Decide the answer to a request for anything but text or vectors. Raises ValueError for one it can't serve."""
    return WRITERS[operation](request, model, directions)


def _pictures(request: dict[str, Any], model: str, directions: Directions) -> MediaReply:
    n = int(request.get("n") or 1)
    if not 1 <= n <= PICTURES_MAX:
        raise ValueError(f"n must be from 1 to {PICTURES_MAX}")
    prompt = without_directions(prompt_text(request))
    each = PICTURE_TOKENS if directions.tokens is None else directions.tokens
    counts = Usage(input_tokens=_tokens(prompt), output_tokens=n * each, images=n)
    drawn = [base64.b64encode(_draw(f"{prompt}#{index}")).decode() for index in range(n)]
    if _flag(request.get("stream")):
        return MediaReply(_picture_events(request, drawn, counts), counts, EVENTS)
    inline = request.get("response_format") != "url"
    data = [{"b64_json": one} if inline else {"url": f"data:image/png;base64,{one}"} for one in drawn]
    answer = {"created": CREATED_AT_S, "data": data, "output_format": "png", "usage": _picture_usage(counts)}
    return MediaReply((msgspec.json.encode(answer),), counts)


def _picture_events(request: dict[str, Any], drawn: list[str], counts: Usage) -> tuple[bytes, ...]:
    kind = "image_edit" if "image" in request or "image[]" in request else "image_generation"
    n = len(drawn)
    # Each picture's event tells its own part of the usage; the first one the prompt.
    each = Usage(output_tokens=counts.output_tokens // n)
    events: list[dict[str, Any]] = []
    for index, picture in enumerate(drawn):
        usage = msgspec.structs.replace(each, input_tokens=counts.input_tokens if index == 0 else 0)
        partial = {"type": f"{kind}.partial_image", "b64_json": picture}
        events += [partial | {"partial_image_index": part} for part in range(int(request.get("partial_images") or 0))]
        events.append({"type": f"{kind}.completed", "b64_json": picture, "usage": _picture_usage(usage)})
    return tuple(_event(event | {"created_at": CREATED_AT_S, "output_format": "png"}) for event in events)


def _speech(request: dict[str, Any], model: str, directions: Directions) -> MediaReply:
    text = without_directions(request["input"])
    if len(request["input"]) > CHARACTERS_MAX:
        raise ValueError(f"input must be at most {CHARACTERS_MAX} characters")
    counts = Usage(characters=len(request["input"]))
    sound = _speak(text)
    pieces = tuple(sound[start : start + _PIECE_BYTES] for start in range(0, len(sound), _PIECE_BYTES))
    if request.get("stream_format") != "sse":
        return MediaReply(pieces, counts, b"audio/wav")
    deltas: list[dict[str, Any]] = [
        {"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()} for piece in pieces
    ]
    done = {"type": "speech.audio.done", "usage": {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}}
    return MediaReply(tuple(_event(event) for event in (*deltas, done)), counts, EVENTS)


def _transcript(request: dict[str, Any], model: str, directions: Directions) -> MediaReply:
    return _write_down(request, "You sent {bytes} bytes of sound in {filename}.")


def _translation(request: dict[str, Any], model: str, directions: Directions) -> MediaReply:
    return _write_down(request, "Translated: {bytes} bytes of sound in {filename}.")


def _write_down(request: dict[str, Any], saying: str) -> MediaReply:
    file = request["file"]
    text = saying.format(bytes=file["bytes"], filename=file["filename"])
    audio_ms = -(-file["bytes"] // BYTES_A_MS_HEARD)
    counts = Usage(audio_ms=audio_ms)
    usage = {"type": "duration", "seconds": audio_ms / 1000}
    if _flag(request.get("stream")):
        deltas: list[dict[str, Any]] = [{"type": "transcript.text.delta", "delta": f"{word} "} for word in text.split()]
        done = {"type": "transcript.text.done", "text": text, "usage": usage}
        return MediaReply(tuple(_event(event) for event in (*deltas, done)), counts, EVENTS)
    form = request.get("response_format") or "json"
    if form == "text":
        return MediaReply((f"{text}\n".encode(),), counts, b"text/plain; charset=utf-8")
    if form in ("srt", "vtt"):
        return MediaReply((_subtitles(form, text, audio_ms),), counts, b"text/plain; charset=utf-8")
    verbose = {"task": "transcribe", "language": "english", "duration": audio_ms / 1000, "segments": []}
    answer = (verbose if form == "verbose_json" else {}) | {"text": text, "usage": usage}
    return MediaReply((msgspec.json.encode(answer),), counts)


def _moderation(request: dict[str, Any], model: str, directions: Directions) -> MediaReply:
    given = request["input"]
    texts = given if isinstance(given, list) else [given]
    results = []
    for text in texts:
        said = text if isinstance(text, str) else str(text.get("text", ""))
        flagged = _WORD_FLAGGED in said.lower()
        score = 0.99 if flagged else 0.01
        results.append(
            {"flagged": flagged, "categories": {_WORD_FLAGGED: flagged}, "category_scores": {_WORD_FLAGGED: score}}
        )
    answer = {"id": f"modr-mock{_digest(str(given))[:24]}", "model": model, "results": results}
    return MediaReply((msgspec.json.encode(answer),), Usage())


def _ranking(request: dict[str, Any], model: str, directions: Directions) -> MediaReply:
    texts = [text if isinstance(text, str) else text["text"] for text in request["documents"]]
    if not texts:
        raise ValueError("documents must not be empty")
    wanted = set(without_directions(request["query"]).lower().split())
    scores = [len(wanted & set(text.lower().split())) / max(1, len(wanted)) for text in texts]
    order = sorted(range(len(texts)), key=lambda index: (-scores[index], index))[: request.get("top_n")]
    searches = -(-len(texts) // DOCUMENTS_A_SEARCH)
    results = [
        {"index": index, "relevance_score": scores[index]}
        | ({"document": {"text": texts[index]}} if request.get("return_documents") else {})
        for index in order
    ]
    meta = {"api_version": {"version": "2"}, "billed_units": {"search_units": searches}}
    answer = {"id": f"rank-mock{_digest(str(texts))[:24]}", "model": model, "results": results, "meta": meta}
    return MediaReply((msgspec.json.encode(answer),), Usage(searches=searches))


WRITERS: Mapping[Operation, Callable[[dict[str, Any], str, Directions], MediaReply]] = MappingProxyType(
    {
        Operation.IMAGE: _pictures,
        Operation.IMAGE_EDIT: _pictures,
        Operation.SPEECH: _speech,
        Operation.TRANSCRIPTION: _transcript,
        Operation.TRANSLATION: _translation,
        Operation.MODERATION: _moderation,
        Operation.RERANK: _ranking,
    }
)


def _draw(seed: str) -> bytes:
    """Return a picture of eight by eight pixels in one colour."""
    colour = hashlib.sha256(seed.encode(errors="replace")).digest()[:3]
    rows = (b"\0" + colour * 8) * 8
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows, 9)),
        (b"IEND", b""),
    )
    written = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(written)


def _speak(text: str) -> bytes:
    """Return a sound, 20 ms of a pattern of its own for each character."""
    samples = b"".join(
        hashlib.shake_128(character.encode(errors="replace")).digest(2) * SAMPLES_A_CHARACTER for character in text
    )
    head = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, SAMPLES_A_SECOND, SAMPLES_A_SECOND * 2, 2, 16)
    data = head + struct.pack("<4sI", b"data", len(samples)) + samples
    return struct.pack("<4sI4s", b"RIFF", len(data) + 4, b"WAVE") + data


def _subtitles(form: str, text: str, audio_ms: int) -> bytes:
    seconds, rest_ms = divmod(audio_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    comma, start = (",", "1\n") if form == "srt" else (".", "WEBVTT\n\n")
    end = f"{hours:02}:{minutes:02}:{seconds:02}{comma}{rest_ms:03}"
    return f"{start}00:00:00{comma}000 --> {end}\n{text}\n".encode()


def _picture_usage(counts: Usage) -> dict[str, Any]:
    return {
        "input_tokens": counts.input_tokens,
        "input_tokens_details": {"text_tokens": counts.input_tokens, "image_tokens": 0},
        "output_tokens": counts.output_tokens,
        "total_tokens": counts.total_tokens,
    }


def _event(event: dict[str, Any]) -> bytes:
    return sse.encode(msgspec.json.encode(event))


def _flag(value: Any) -> bool:
    return value is True or str(value).lower() in ("true", "1")


def _tokens(text: str) -> int:
    return max(1, estimate_tokens(len(text.encode(errors="replace"))))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()
