"""Lines of a journal: what was written can be read, and what is torn or damaged is told from it."""

import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from usage.journal.lines import line_of, parse_line, read_entries, scan_entries
from usage.records import AttemptRecord, Charge, DenialRecord

Make = Callable[..., AttemptRecord]
DENIAL = DenialRecord(
    denial_id="den_1",
    request_id="req_1",
    at_ns=1,
    tenant_id=1,
    key_id=2,
    route="smart",
    code="budget_exceeded",
    rule="the month",
    remaining=-5,
    count=3,
)


@pytest.fixture
def written(tmp_path: Path, make_record: Make) -> Path:
    """Return a journal of three records."""
    path = tmp_path / "w1.journal"
    path.write_bytes(b"".join(line_of(make_record(number)) for number in range(3)))
    return path


def test_a_line_holds_all_of_an_attempt(make_record: Make) -> None:
    record = make_record(1, error_code="ü\n", charges=(Charge("b1.0.t7", 20_454),), reserved_nanos=7, released_nanos=6)
    line = line_of(record)
    assert line.count(b"\n") == 1
    assert parse_line(line).record == record


def test_a_denial_is_a_line_of_its_own_kind() -> None:
    line = line_of(DENIAL)
    assert line[9:11] == b"d "
    assert parse_line(line).record == DENIAL


def test_reading_attempts_passes_denials_by(tmp_path: Path, make_record: Make) -> None:
    path = tmp_path / "w1.journal"
    path.write_bytes(line_of(DENIAL) + line_of(make_record(1)))
    assert [record for record, _ in read_entries(path, 0)] == [make_record(1)]
    assert [entry.record for entry in scan_entries(path, 0)] == [DENIAL, make_record(1)]


@pytest.mark.parametrize("cut_bytes", [1, 2, 50])
def test_reading_stops_at_a_torn_last_line(written: Path, make_record: Make, cut_bytes: int) -> None:
    whole = written.read_bytes()
    written.write_bytes(whole[:-cut_bytes])
    entries = list(read_entries(written, 0))
    assert [record for record, _ in entries] == [make_record(0), make_record(1)]
    assert whole[: entries[-1][1]].count(b"\n") == 2


def test_reading_goes_on_where_it_ended_once_the_line_is_complete(written: Path, make_record: Make) -> None:
    whole = written.read_bytes()
    written.write_bytes(whole[:-10])
    (*_, (_, offset)) = read_entries(written, 0)
    written.write_bytes(whole)
    assert list(read_entries(written, offset)) == [(make_record(2), len(whole))]


def test_a_damaged_line_is_skipped_and_reported(
    written: Path, make_record: Make, caplog: pytest.LogCaptureFixture
) -> None:
    lines = written.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b'"smart"', b'"smaXt"')
    written.write_bytes(b"".join(lines))
    assert [record for record, _ in read_entries(written, 0)] == [make_record(0), make_record(2)]
    assert "the checksum is wrong" in caplog.text
    assert "skipped 1 damaged lines" in caplog.text


def test_a_damaged_last_line_waits_for_one_after_it(written: Path, make_record: Make) -> None:
    lines = written.read_bytes().splitlines(keepends=True)
    damaged = lines[1].replace(b'"smart"', b'"smaXt"')
    written.write_bytes(lines[0] + damaged)
    assert [record for record, _ in read_entries(written, 0)] == [make_record(0)]
    assert len(list(scan_entries(written, 0))) == 1
    written.write_bytes(lines[0] + damaged + lines[2])
    assert [entry.line for entry in scan_entries(written, 0)] == [lines[0], damaged, lines[2]]


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"z {}", "no known kind of record: b'z'"),
        (b"a {}", "missing required field"),
        (b"a {", "truncated"),
        (b"", "no known kind"),
    ],
)
def test_a_sound_line_that_is_no_record_says_why(written: Path, body: bytes, fault: str) -> None:
    line = b"%08x %b\n" % (zlib.crc32(body), body)
    written.write_bytes(line + written.read_bytes())
    first, *others = scan_entries(written, 0)
    assert fault in first.fault
    assert len(others) == 3
