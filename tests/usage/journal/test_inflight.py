"""The file of attempts under way: what was begun is there after a kill, however far a write had come."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from providers.dialects.canonical import Usage
from usage.journal.files import lock_file
from usage.journal.inflight import HALF_BYTES, MAX_SLOTS, Inflight, InflightFull, read_left
from usage.journal.lines import line_of
from usage.records import AttemptRecord, Charge

Make = Callable[..., AttemptRecord]


@pytest.fixture
def inflight(tmp_path: Path) -> Iterator[Inflight]:
    """Return the file of a living worker."""
    made = Inflight(tmp_path, worker="w1", slots=4)
    yield made
    made.close()


def put(inflight: Inflight, slot: int, record: AttemptRecord) -> bool:
    return inflight.put(slot, record, line_of(record))


def so_far(make_record: Make, number: int, tokens: int) -> AttemptRecord:
    return make_record(number, ending="lost", usage=Usage(output_tokens=tokens, estimated=True))


def test_what_was_begun_is_left_without_anything_being_closed_or_flushed(inflight: Inflight, make_record: Make) -> None:
    records = [so_far(make_record, number, 0) for number in range(3)]
    for record in records:
        inflight.begin(record)
    assert sorted(read_left(inflight.path), key=lambda record: record.attempt_id) == records
    assert inflight.under_way == 3


def test_the_latest_word_is_what_is_left(inflight: Inflight, make_record: Make) -> None:
    slot = inflight.begin(so_far(make_record, 1, 0))
    for tokens in (10, 20, 30):
        assert put(inflight, slot, so_far(make_record, 1, tokens))
        assert read_left(inflight.path) == [so_far(make_record, 1, tokens)]


def test_an_end_is_the_last_word_whatever_the_estimate_was(inflight: Inflight, make_record: Make) -> None:
    slot = inflight.begin(so_far(make_record, 1, 500))
    put(inflight, slot, make_record(1))
    assert read_left(inflight.path) == [make_record(1)]


def test_a_freed_slot_leaves_nothing_and_is_used_again(inflight: Inflight, make_record: Make) -> None:
    slot = inflight.begin(so_far(make_record, 1, 0))
    put(inflight, slot, make_record(1))
    inflight.free_all([slot])
    assert read_left(inflight.path) == []
    assert inflight.begin(so_far(make_record, 2, 0)) == slot
    assert read_left(inflight.path) == [so_far(make_record, 2, 0)]


@pytest.mark.parametrize("writes_before", [1, 2, 3])
def test_a_kill_inside_a_write_leaves_what_was_there(inflight: Inflight, make_record: Make, writes_before: int) -> None:
    slot = inflight.begin(so_far(make_record, 1, 1))
    for tokens in range(2, writes_before + 1):
        put(inflight, slot, so_far(make_record, 1, tokens))
    before = inflight.path.read_bytes()
    put(inflight, slot, make_record(1))
    after = inflight.path.read_bytes()
    written = [at for at in range(len(before)) if before[at] != after[at]]
    torn = inflight.path.with_suffix(".torn")
    for length in range(0, len(written), 7):
        cut = written[length]
        torn.write_bytes(after[:cut] + before[cut:])
        assert read_left(torn) == [so_far(make_record, 1, writes_before)]


def test_a_kill_inside_the_first_write_leaves_nothing(inflight: Inflight, make_record: Make) -> None:
    slot = inflight.begin(so_far(make_record, 1, 1))
    inflight.free_all([slot])
    inflight.begin(so_far(make_record, 2, 1))
    whole = inflight.path.read_bytes()
    start = slot * 2 * HALF_BYTES
    torn = inflight.path.with_suffix(".torn")
    torn.write_bytes(whole[: start + 100] + b"\0" * 300 + whole[start + 400 :])
    assert read_left(torn) == []


def test_it_is_locked_while_its_worker_lives(tmp_path: Path) -> None:
    inflight = Inflight(tmp_path, worker="w1")
    assert inflight.path.name.startswith("w1-")
    assert lock_file(inflight.path, shared=True) is None
    inflight.close()
    fd = lock_file(inflight.path, shared=True)
    assert fd is not None
    os.close(fd)


def test_a_closed_file_takes_nothing_more(tmp_path: Path, make_record: Make) -> None:
    inflight = Inflight(tmp_path, worker="w1")
    slot = inflight.begin(so_far(make_record, 1, 0))
    inflight.close()
    assert not put(inflight, slot, make_record(1))
    with pytest.raises(InflightFull, match="closed"):
        inflight.begin(so_far(make_record, 2, 0))


# Growing


def test_it_grows_when_the_slots_run_out(inflight: Inflight, make_record: Make) -> None:
    slots = [inflight.begin(so_far(make_record, number, 0)) for number in range(40)]
    assert len(set(slots)) == 40
    put(inflight, slots[0], make_record(0))
    left = read_left(inflight.path)
    assert len(left) == 40
    assert make_record(0) in left


def test_it_can_grow_before_the_slots_run_out(inflight: Inflight, make_record: Make) -> None:
    assert not inflight.wants_room
    for number in range(4):
        inflight.begin(so_far(make_record, number, 0))
    assert inflight.wants_room
    inflight.make_room()
    assert not inflight.wants_room
    assert inflight.path.stat().st_size == 8 * 2 * HALF_BYTES
    inflight.make_room()
    assert inflight.path.stat().st_size == 8 * 2 * HALF_BYTES


def test_every_slot_has_blocks_of_the_disk(inflight: Inflight) -> None:
    status = inflight.path.stat()
    assert status.st_blocks * 512 >= status.st_size


def test_a_full_disk_refuses_what_would_begin_and_keeps_what_has(
    inflight: Inflight, make_record: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_arguments: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    slots = [inflight.begin(so_far(make_record, number, 0)) for number in range(4)]
    with monkeypatch.context() as patch:
        patch.setattr("usage.journal.inflight.os.posix_fallocate", refuse)
        for _ in range(2):
            with pytest.raises(InflightFull):
                inflight.begin(so_far(make_record, 9, 0))
        assert inflight.is_full
        assert caplog.text.count("no room for more than 4 attempts under way") == 1
        put(inflight, slots[1], make_record(1))
        inflight.free_all([slots[1]])
        assert not inflight.is_full
        assert inflight.begin(so_far(make_record, 5, 0)) == slots[1]
    inflight.make_room()
    assert not inflight.is_full
    assert len(read_left(inflight.path)) == 4


def test_there_is_a_bound(inflight: Inflight, make_record: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_SLOTS == 65_536
    monkeypatch.setattr("usage.journal.inflight.MAX_SLOTS", 8)
    for number in range(8):
        inflight.begin(so_far(make_record, number, 0))
    with pytest.raises(InflightFull):
        inflight.begin(so_far(make_record, 9, 0))
    assert inflight.is_full


def test_a_file_that_can_not_be_made_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("usage.journal.inflight.os.posix_fallocate", refuse)
    with pytest.raises(OSError, match="No space left"):
        Inflight(tmp_path, worker="w1")
    assert list(tmp_path.iterdir()) == []


# Long records


def test_long_texts_are_cut_and_what_counts_is_kept(inflight: Inflight, make_record: Make) -> None:
    charges = tuple(Charge(f"b{number}.0.t7", 20_454) for number in range(8))
    record = make_record(1, ending="lost", route="r" * 3_000, model="ü" * 2_000, charges=charges, reserved_nanos=10**12)
    slot = inflight.begin(record)
    (left,) = read_left(inflight.path)
    assert (left.route, left.model, left.charges) == ("r" * 64, "ü" * 64, charges)
    assert (left.request_id, left.reserved_nanos) == (record.request_id, 10**12)
    assert put(inflight, slot, make_record(1, route="r" * 3_000, request_id="\1" * 5_000, charges=charges))
    (left,) = read_left(inflight.path)
    assert (left.ending, left.charges, left.request_id) == ("completed", charges, "\1" * 128)


def test_what_still_finds_no_room_is_refused(inflight: Inflight, make_record: Make) -> None:
    charges = tuple(Charge("b1.0." + "k" * 200, 20_454) for _ in range(20))
    with pytest.raises(InflightFull, match="too long"):
        inflight.begin(make_record(1, ending="lost", charges=charges))
    slot = inflight.begin(so_far(make_record, 1, 0))
    assert not put(inflight, slot, make_record(1, charges=charges))
    assert read_left(inflight.path) == [so_far(make_record, 1, 0)]


def test_the_end_of_an_attempt_always_finds_room_where_its_begin_did(inflight: Inflight, make_record: Make) -> None:
    large = 10**15
    used = Usage(*[large] * 8, estimated=True)
    for count in range(200):
        charges = tuple(Charge("b1.0.k1", 20_454) for _ in range(count))
        try:
            slot = inflight.begin(make_record(1, ending="lost", charges=charges, cost_nanos=0, latency_us=0))
        except InflightFull:
            break
        ended = make_record(
            1,
            ending="cancelled",
            status=599,
            usage=used,
            charges=charges,
            error_code="e" * 64,
            cost_nanos=large,
            latency_us=large,
            first_byte_us=large,
            reserved_nanos=large,
            released_nanos=large,
        )
        assert put(inflight, slot, ended)
    else:
        pytest.fail("no record was too long")
