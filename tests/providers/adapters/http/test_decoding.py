import gzip
import zlib

import pytest

from providers.adapters.http.decoding import MAX_PIECE_BYTES, CorruptBody, Decoder, decoder_for

PLAIN = b"data: the quick brown fox\n\n" * 200


def raw_deflate(data: bytes) -> bytes:
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflate.compress(data) + deflate.flush()


def decode(decoder: Decoder, *pieces: bytes) -> bytes:
    plain = b""
    for piece in pieces:
        plain += decoder.decode(piece)
        while decoder.has_more:
            plain += decoder.decode(b"")
    decoder.finish()
    return plain


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        (b"gzip", gzip.compress(PLAIN, mtime=0)),
        (b" X-GZIP ", gzip.compress(PLAIN, mtime=0)),
        (b"deflate", zlib.compress(PLAIN)),
        (b"Deflate", raw_deflate(PLAIN)),
    ],
)
def test_decodes_whole_and_byte_by_byte(encoding: bytes, body: bytes) -> None:
    for pieces in ([body], [body[i : i + 1] for i in range(len(body))]):
        decoder = decoder_for(encoding)
        assert decoder is not None
        assert decode(decoder, *pieces) == PLAIN


@pytest.mark.parametrize("encoding", [b"br", b"zstd", b"identity", b"gzip, gzip", b""])
def test_other_encodings_have_no_decoder(encoding: bytes) -> None:
    assert decoder_for(encoding) is None


def test_gzip_members_follow_each_other() -> None:
    body = gzip.compress(b"one ") + gzip.compress(b"two")
    assert decode(Decoder(is_gzip=True), body) == b"one two"
    assert decode(Decoder(is_gzip=True), *(body[i : i + 1] for i in range(len(body)))) == b"one two"


def test_padding_after_the_last_member_is_dropped() -> None:
    assert decode(Decoder(is_gzip=True), gzip.compress(b"one") + b"\0" * 20) == b"one"


def test_a_flushed_piece_is_given_at_once() -> None:
    deflate = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    first = deflate.compress(b"data: 1\n\n") + deflate.flush(zlib.Z_SYNC_FLUSH)
    assert Decoder(is_gzip=True).decode(first) == b"data: 1\n\n"


def test_a_bomb_comes_in_bounded_pieces() -> None:
    bomb = gzip.compress(b"\0" * (MAX_PIECE_BYTES * 40))
    decoder = Decoder(is_gzip=True)
    sizes = [len(decoder.decode(bomb))]
    while decoder.has_more:
        sizes.append(len(decoder.decode(b"")))
    assert max(sizes) <= MAX_PIECE_BYTES
    assert sum(sizes) == MAX_PIECE_BYTES * 40
    decoder.finish()


def test_output_left_in_the_decompressor_is_not_forgotten() -> None:
    # One repeated byte: the whole input is consumed long before the whole output is out.
    body = zlib.compress(b"x" * (MAX_PIECE_BYTES + 200))
    assert decode(Decoder(is_gzip=False), body) == b"x" * (MAX_PIECE_BYTES + 200)


@pytest.mark.parametrize("body", [b"not gzip at all", gzip.compress(PLAIN, mtime=0)[:-8] + b"\0" * 8])
def test_corrupt_bytes_are_refused(body: bytes) -> None:
    with pytest.raises(CorruptBody):
        decode(Decoder(is_gzip=True), body)


@pytest.mark.parametrize("cut", [1, 5, 12, -1, -9])
def test_a_cut_body_is_no_body(cut: int) -> None:
    with pytest.raises(CorruptBody):
        decode(Decoder(is_gzip=True), gzip.compress(PLAIN, mtime=0)[:cut])


def test_a_cut_between_members_is_seen() -> None:
    with pytest.raises(CorruptBody):
        decode(Decoder(is_gzip=True), gzip.compress(b"one") + gzip.compress(b"two")[:9])


def test_no_body_needs_no_end() -> None:
    assert decode(Decoder(is_gzip=True)) == b""
    assert decode(Decoder(is_gzip=False), b"") == b""
