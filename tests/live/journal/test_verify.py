"""What reading a journal through tells of each log: counts, ends, a torn tail, damage."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pyrt.live.journal import records as r
from pyrt.live.journal.frames import SEGMENT_BYTES
from pyrt.live.journal.log import Log, LogReader
from pyrt.live.journal.verify import LogReport, log_names, rows, verify
from pyrt.testing.files import MemoryFiles
from tests.live.journal.test_journal import MAIN, TAPE, alarm, journal


@pytest.fixture
def files() -> MemoryFiles:
    """Return a folder with records put away, records since, and a tape."""
    made = journal(MemoryFiles(), 2)
    made.compact(9, force=True)
    made.record(r.CancelIntent(ts=4, inputs=1, client_order_id="a-1"))
    made.record(alarm(5))
    made.record(alarm(6))
    made.begin_tape("one")
    for _ in range(3):
        made.record_inputs(b"piece")
        made.commit()
    made.close()
    return made.files


def reports(files: MemoryFiles) -> dict[str, LogReport]:
    found = verify(files)
    assert [report.name for report in found] == sorted(report.name for report in found)
    return {report.name: report for report in found}


def test_each_log_is_told_by_its_counts_its_ends_and_its_kinds(files):
    found = reports(files)
    assert list(found) == ["main", "old-main", "tape-one"]
    main, old, tape = found.values()
    assert (main.records, main.first, main.last) == (4, 3, 6)
    assert main.kinds == {"Snapshot": 1, "CancelIntent": 1, "Alarmed": 2}
    assert (old.records, old.first, old.last, old.kinds) == (2, 1, 2, {"Alarmed": 2})
    assert (tape.records, tape.first, tape.last, tape.kinds) == (3, 1, 3, {"inputs": 3})
    for name, report in found.items():
        frames = list(LogReader(files, name))
        assert report.chain == frames[-1].chain.hex()
        segments = LogReader(files, name).segments()
        assert report.bytes == sum(len(files.read(segment)) for segment in segments)
        assert report.is_sound
        assert report.to_dict() == {
            "name": name, "records": report.records, "bytes": report.bytes,
            "first": report.first, "last": report.last, "chain": report.chain, "torn": "",
            "error": "", "kinds": dict(report.kinds),
        }  # fmt: skip


def test_logs_are_named_once_however_many_segments_they_have():
    files = MemoryFiles()
    for name in ("main", "tape-a"):
        log = Log(files, name, segment_max=SEGMENT_BYTES + 1)
        for _ in range(3):
            log.append(17, b"")
        log.commit()
    files.put("torn-main-00000001.log-76", b"x")
    assert log_names(files) == ["main", "tape-a"]


def test_what_a_crash_has_left_is_told_and_sound_all_the_same(files):
    name = "main-00000002.log"
    data = files.read(name)
    files.put(name, data[:-3])
    report = reports(files)["main"]
    last = list(LogReader(files, "main"))[-1]
    size = len(data) - 3 - last.end
    assert report.torn == f"{size} bytes at {name}:{last.end}: cut off in its payload"
    assert (report.is_sound, report.records, report.last) == (True, 3, 5)
    assert files.read(name) == data[:-3]


@pytest.mark.parametrize(
    ("name", "log", "error"),
    [
        ("main-00000002.log", "main", "main-00000002.log is damaged at byte"),
        ("old-" + MAIN, "old-main", f"old-{MAIN} is damaged at byte"),
        (TAPE, "tape-one", f"{TAPE} is damaged at byte"),
    ],
)
def test_damage_is_told_of_the_log_it_is_in_and_of_no_other(files, name, log, error):
    data = bytearray(files.read(name))
    data[SEGMENT_BYTES + 1] ^= 1
    files.put(name, bytes(data))
    for other, report in reports(files).items():
        assert report.is_sound is (other != log)
        assert report.error.startswith(error) is (other == log)
    assert files.read(name) == bytes(data)


def test_a_sound_frame_whose_record_or_piece_cannot_be_read_is_an_error():
    files = MemoryFiles()
    log = Log(files, "main")
    log.append(r.CODES[r.Alarmed], msgspec.msgpack.encode(["no", "alarm"]))
    log.append(63, b"of a later version")
    log.commit()
    report = reports(files)["main"]
    assert (report.error[:9], report.records) == ("record 1 ", 1)
    tape = Log(files, "tape-one")
    tape.append(r.INPUTS, b"no tape")
    tape.commit()
    assert "a piece of tape cannot be read" in reports(files)["tape-one"].error


def test_a_kind_that_is_not_known_is_counted_as_that():
    files = MemoryFiles()
    log = Log(files, "main")
    for _ in range(2):
        log.append(63, b"of a later version")
    log.commit()
    assert reports(files)["main"].kinds == {"unknown": 2}
    assert list(rows(files)) == []


def test_a_journal_that_is_gone_is_told_though_there_is_no_file_of_it(files):
    files.remove("main-00000002.log")
    found = reports(files)
    assert list(found) == ["main", "old-main", "tape-one"]
    assert found["main"].error == "it is gone, and inputs of an earlier run are there"
    assert not found["main"].is_sound


# -- records as plain values -----------------------------------------------------------------------


def test_records_are_told_oldest_first_with_those_put_away_when_asked(files):
    def told(**options: bool) -> list[tuple[int, str]]:
        return [(row["sequence"], row["record"]) for row in rows(files, **options)]

    since = [(3, "Snapshot"), (4, "CancelIntent"), (5, "Alarmed"), (6, "Alarmed")]
    assert told() == since
    assert told(archived=True) == [(1, "Alarmed"), (2, "Alarmed"), *since]
    assert list(rows(files))[2] == {
        "sequence": 5, "record": "Alarmed", "ts": 5, "code": "test", "text": "5",
    }  # fmt: skip


def told(record: r.Record) -> dict[str, Any]:
    made = journal()
    made.record(record)
    made.close()
    (row,) = rows(made.files)
    return row


def test_bytes_are_told_as_what_they_hold_or_by_their_length():
    packed = r.ENCODER.encode({"a": [1, {2: b"\xc1\xc1\xc1"}], "b": ("x", 2)})
    save = r.StrategySave(ts=1, strategy="S", inputs=3, state=packed)
    assert told(save) == {
        "sequence": 1, "record": "StrategySave", "ts": 1, "strategy": "S", "inputs": 3,
        "state": {"a": [1, {"2": "3 bytes"}], "b": ["x", 2]},
    }  # fmt: skip


ORDER = r.OrderState(
    client_order_id="a-1", strategy="S", symbol="SPY", side="buy", order_type="limit",
    quantity="10", time_in_force="day", status="ACCEPTED", flags=("post_only",),
)  # fmt: skip


def test_what_lies_inside_a_record_is_told_by_its_names():
    row = told(r.Intent(ts=1, inputs=3, order=ORDER, legs=(ORDER,)))
    assert row["order"] == row["legs"][0]
    assert (row["order"]["symbol"], row["order"]["flags"]) == ("SPY", ["post_only"])
