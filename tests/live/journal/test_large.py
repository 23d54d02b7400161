"""A journal of more than a mebibyte, cut and damaged at random places: all of it is noticed."""

from __future__ import annotations

import os
from random import Random

import pytest

from pyrt.errors import JournalError
from pyrt.live.journal.log import Log, LogReader
from pyrt.testing.files import MemoryFiles

NIGHTLY = os.environ.get("PYRT_HYPOTHESIS") == "nightly"
PLACES = 20_000 if NIGHTLY else 40
LEAST = 1 << 20


@pytest.fixture(scope="module")
def large() -> tuple[str, bytes, list[bytes], list[int]]:
    """Name and bytes of a log in one segment; its records, and where each begins."""
    random = Random(1)
    files = MemoryFiles()
    log = Log(files, "main", segment_max=64 * LEAST)
    payloads = [random.randbytes(random.randrange(1, 2_500)) for _ in range(900)]
    for payload in payloads:
        log.append(1, payload)
    log.commit()
    (name,) = files.names()
    whole = files.read(name)
    assert len(whole) > LEAST
    starts = [frame.offset for frame in LogReader(files, "main")]
    return name, whole, payloads, starts


def opened(name: str, data: bytes) -> tuple[MemoryFiles, Log]:
    files = MemoryFiles()
    files.put(name, data)
    return files, Log(files, "main")


def payloads_of(files: MemoryFiles) -> list[bytes]:
    return [frame.payload for frame in LogReader(files, "main")]


def test_cut_anywhere_it_loads_all_records_that_were_whole(large):
    name, whole, payloads, starts = large
    random = Random(2)
    ends = [*starts[1:], len(whole)]
    # Beside random places: around each end of a record nothing may be lost or invented.
    places = [random.randrange(len(whole)) for _ in range(PLACES)]
    places += [end + by for end in random.sample(ends, 5) for by in (-1, 0, 1)]
    for size in places:
        size = min(size, len(whole))
        files, log = opened(name, whole[:size])
        complete = sum(end <= size for end in ends)
        assert log.last == complete
        assert payloads_of(files) == payloads[:complete]


def test_a_byte_changed_anywhere_is_refused_or_costs_the_last_record_and_is_told(large):
    name, whole, payloads, starts = large
    random = Random(3)
    places = [random.randrange(len(whole)) for _ in range(PLACES)]
    places += [random.randrange(starts[-1], len(whole)) for _ in range(5)]
    for at in places:
        damaged = bytearray(whole)
        damaged[at] ^= random.randrange(1, 256)
        refusal = ""
        try:
            files, log = opened(name, bytes(damaged))
        except JournalError as error:
            refusal = error.code
        if at < starts[-1]:
            assert refusal == "journal_damaged"
            continue
        assert refusal == ""
        assert log.torn is not None
        assert payloads_of(files) == payloads[:-1]
