"""The framed log: order, rotation, torn tails, damage, and a disk that fails."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrt.errors import JournalError
from pyrt.live.journal.files import RealFiles
from pyrt.live.journal.frames import SEGMENT_BYTES
from pyrt.live.journal.journal import TAPE_PIECES, Journal
from pyrt.live.journal.log import Log, LogReader
from pyrt.live.journal.records import Alarmed
from pyrt.testing.files import DiskFaults, MemoryFiles


def filled(count: int = 12, **options) -> MemoryFiles:
    files = MemoryFiles()
    log = Log(files, "main", **options)
    for i in range(count):
        log.append(1 + i % 3, bytes([i]) * (i % 5))
    log.commit()
    return files


def read(files, name: str = "main") -> list[tuple[int, int, bytes]]:
    return [(f.sequence, f.kind, f.payload) for f in LogReader(files, name)]


EXPECTED = [(i + 1, 1 + i % 3, bytes([i]) * (i % 5)) for i in range(12)]


def test_records_come_back_in_order_with_their_kinds():
    assert read(filled()) == EXPECTED


def test_segments_are_ended_at_their_size_and_read_as_one():
    files = filled(segment_max=150)
    assert len(files.names()) > 3
    assert read(files) == EXPECTED


def test_a_log_opened_again_goes_on_where_it_ended():
    files = filled()
    log = Log(files, "main")
    assert (log.last, log.durable) == (12, 12)
    assert log.append(7, b"more") == 13
    log.commit()
    assert read(files) == [*EXPECTED, (13, 7, b"more")]


def test_what_is_not_committed_is_not_durable():
    files = MemoryFiles()
    log = Log(files, "main")
    log.append(1, b"a")
    assert (log.last, log.written, log.durable) == (1, 0, 0)
    assert files.names() == []
    assert log.commit(sync=False) == 0
    assert (log.written, log.durable) == (1, 0)
    assert log.commit() == 1


def test_a_log_cut_at_any_byte_loads_what_was_true_once():
    files = filled(segment_max=10_000)
    (name,) = files.names()
    whole = files.read(name)
    for size in range(len(whole) + 1):
        cut = MemoryFiles()
        cut.put(name, whole[:size])
        log = Log(cut, "main")
        got = read(cut)
        assert got == EXPECTED[: len(got)]
        assert log.last == len(got)
        # It can be written to, and what is written is found.
        log.append(9, b"next")
        log.commit()
        assert read(cut) == [*got, (len(got) + 1, 9, b"next")]


def test_a_cut_in_an_earlier_segment_is_refused():
    files = filled(segment_max=200)
    first = files.names()[0]
    whole = files.read(first)
    for size in range(len(whole)):
        cut = MemoryFiles()
        for name in files.names():
            cut.put(name, files.read(name))
        cut.put(first, whole[:size])
        with pytest.raises(JournalError) as caught:
            Log(cut, "main")
        assert caught.value.code == "journal_damaged"
        assert caught.value.values["segment"] in files.names()[:2]


def test_a_missing_segment_is_refused():
    files = filled(segment_max=150)
    files.remove(files.names()[1])
    with pytest.raises(JournalError, match="does not continue"):
        Log(files, "main")


def last_frame_start(files: MemoryFiles) -> int:
    return max(f.offset for f in LogReader(files, "main"))


@pytest.mark.parametrize("bit", range(8))
def test_a_flipped_bit_is_found_wherever_it_is(bit):
    files = filled()
    (name,) = files.names()
    whole = files.read(name)
    last = last_frame_start(files)
    for at in range(len(whole)):
        bad = bytearray(whole)
        bad[at] ^= 1 << bit
        copy = MemoryFiles()
        copy.put(name, bytes(bad))
        if at < last:
            with pytest.raises(JournalError) as caught:
                Log(copy, "main")
            assert caught.value.values["offset"] <= at
            assert copy.read(name) == bytes(bad), "a refused log is left as it is"
            continue
        # The last record cannot be told from a torn one: it is reported, and kept aside.
        log = Log(copy, "main")
        assert log.torn is not None
        assert (log.torn.offset, log.torn.size) == (last, len(whole) - last)
        assert copy.read(f"torn-{name}-{last}") == bytes(bad[last:])
        assert read(copy) == EXPECTED[:-1]


@given(st.randoms(use_true_random=False), st.integers(1, 64), st.booleans())
def test_random_damage_never_yields_a_record_that_was_not_written(random, size, zeroes):
    files = filled(segment_max=300)
    name = random.choice(files.names())
    data = bytearray(files.read(name))
    at = random.randrange(len(data))
    piece = bytes(size) if zeroes else random.randbytes(size)
    data[at : at + size] = piece
    files.put(name, bytes(data))
    try:
        Log(files, "main")
    except JournalError:
        return
    got = read(files)
    assert got == EXPECTED[: len(got)]


def test_a_sound_frame_in_a_wrong_place_is_damage():
    files = filled()
    (name,) = files.names()
    frames = list(LogReader(files, "main"))
    data = bytearray(files.read(name))
    same = [f for f in frames if f.end - f.offset == frames[3].end - frames[3].offset]
    a, b = same[0], same[1]
    data[b.offset : b.end] = data[a.offset : a.end]
    files.put(name, bytes(data))
    with pytest.raises(JournalError) as caught:
        Log(files, "main")
    assert caught.value.values["offset"] == b.offset


def test_a_newer_format_is_refused_before_anything_is_changed():
    files = filled()
    (name,) = files.names()
    data = bytearray(files.read(name))
    data[8] = 9
    files.put(name, bytes(data))
    with pytest.raises(JournalError):
        Log(files, "main")


def test_short_writes_lose_nothing():
    faults = DiskFaults(random=Random(4), short_write=0.8)
    files = MemoryFiles(faults)
    log = Log(files, "main", segment_max=200)
    for i in range(12):
        log.append(1 + i % 3, bytes([i]) * (i % 5))
        log.commit()
    assert read(files) == EXPECTED


@settings(max_examples=60)
@given(
    st.integers(0, 2**32),
    st.sampled_from(["write_error", "sync_error", "space", "none"]),
)
def test_what_was_reported_durable_survives_any_crash(seed, fault):
    random = Random(seed)
    faults = DiskFaults(random=random, short_write=0.2)
    files = MemoryFiles(faults)
    log = Log(files, "main", segment_max=400)
    if fault == "space":
        faults.space = random.randrange(SEGMENT_BYTES, 4000)
    elif fault != "none":
        setattr(faults, fault, 0.05)
    written = []
    durable = 0
    for i in range(100):
        written.append((i + 1, 1, random.randbytes(random.randrange(60))))
        log.append(1, written[-1][2])
        if random.random() < 0.5:
            try:
                durable = log.commit(sync=random.random() < 0.7)
                if random.random() < 0.1:
                    log.rotate()
                    durable = log.durable
            except OSError:
                break
    after = files.crash()
    after.faults = DiskFaults(random=random)
    Log(after, "main")
    got = read(after)
    assert len(got) >= durable
    assert got == written[: len(got)]


def test_real_files_are_private_and_follow_no_link(tmp_path):
    folder = tmp_path / "state"
    log = Log(RealFiles(folder), "main")
    log.append(1, b"x")
    log.commit()
    assert folder.stat().st_mode & 0o777 == 0o700
    (name,) = RealFiles(folder).names()
    assert (folder / name).stat().st_mode & 0o777 == 0o600
    target = folder / name
    outside = tmp_path / "outside"
    target.rename(outside)
    target.symlink_to(outside)
    with pytest.raises(OSError, match=r"symbolic|Too many"):
        RealFiles(folder).read(name)


def test_a_tape_alone_asks_for_a_write_before_it_grows():
    journal = Journal(MemoryFiles())
    journal.begin_tape("one")
    for _ in range(TAPE_PIECES - 1):
        journal.record_inputs(b"x")
    assert not journal.wants_commit
    journal.record_inputs(b"x")
    assert journal.wants_commit
    journal.commit()
    assert not journal.wants_commit
    journal.record(Alarmed(ts=1, code="a", text="b"))
    assert journal.wants_commit


def test_a_log_cut_in_a_later_segment_goes_on_behind_the_one_before():
    files = filled(segment_max=200)
    name = files.names()[-1]
    whole = files.read(name)
    for size in range(len(whole)):
        cut = MemoryFiles()
        for each in files.names():
            cut.put(each, files.read(each))
        cut.put(name, whole[:size])
        before = read(cut)
        log = Log(cut, "main")
        assert log.last == len(before) > 0
        log.append(9, b"next")
        log.commit()
        assert read(cut) == [*before, (len(before) + 1, 9, b"next")]
