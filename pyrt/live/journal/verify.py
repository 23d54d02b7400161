"""Reading a journal without changing it: is it whole, and what is in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from pyrt.errors import JournalError
from pyrt.live.journal import records as r
from pyrt.live.journal.files import Files
from pyrt.live.journal.frames import Frame
from pyrt.live.journal.journal import ARCHIVE, MAIN, decoded, is_lost, unpack
from pyrt.live.journal.log import LogReader


@dataclass(slots=True)
class LogReport:
    """What one log of a journal holds.

    Attributes
    ----------
    torn : str
        What a crash has left at its end; "" for nothing.
    error : str
        Why it cannot be read to its end; "" if it can.
    """

    name: str
    records: int = 0
    bytes: int = 0
    first: int = 0
    last: int = 0
    chain: str = ""
    torn: str = ""
    error: str = ""
    kinds: Counter[str] = field(default_factory=Counter)

    @property
    def is_sound(self) -> bool:
        """Whether every record that was ever durable is there."""
        return not self.error

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "name": self.name,
            "records": self.records,
            "bytes": self.bytes,
            "first": self.first,
            "last": self.last,
            "chain": self.chain,
            "torn": self.torn,
            "error": self.error,
            "kinds": dict(self.kinds),
        }


def log_names(files: Files) -> list[str]:
    """Return the names of all logs of a state folder: the main one, archives, tapes."""
    segments = (name for name in files.names() if name.endswith(".log"))
    return list(dict.fromkeys(name[: -len("-00000001.log")] for name in segments))


def verify(files: Files) -> list[LogReport]:
    """Check every checksum and the chain of every log; nothing is changed."""
    reports = {name: _verify_log(files, name) for name in log_names(files)}
    if is_lost(files):
        lost = reports.setdefault(MAIN, LogReport(MAIN))
        gone = "it is gone, and inputs of an earlier run are there"
        lost.error = "its beginning is gone" if lost.records else gone
    return sorted(reports.values(), key=lambda report: report.name)


def _verify_log(files: Files, name: str) -> LogReport:
    report = LogReport(name)
    reader = LogReader(files, name)
    report.bytes = sum(len(files.read(segment)) for segment in reader.segments())
    try:
        for frame in reader:
            _count(report, frame)
        if name.startswith("tape-") and report.first > 1:
            report.error = "its beginning is gone"
    except JournalError as error:
        report.error = error.message
    if reader.torn is not None:
        torn = reader.torn
        report.torn = f"{torn.size} bytes at {torn.segment}:{torn.offset}: {torn.reason}"
    return report


def _count(report: LogReport, frame: Frame) -> None:
    report.records += 1
    report.first = report.first or frame.sequence
    report.last = frame.sequence
    report.chain = frame.chain.hex()
    if frame.kind == r.INPUTS:
        unpack(frame.payload)
        report.kinds["inputs"] += 1
        return
    record = decoded(frame)
    report.kinds["unknown" if record is None else type(record).__name__] += 1


def rows(files: Files, *, archived: bool = False) -> Iterator[dict[str, Any]]:
    """Yield all records of the main log as plain values, oldest first."""
    for name in (ARCHIVE + MAIN, MAIN) if archived else (MAIN,):
        for frame in LogReader(files, name):
            record = decoded(frame)
            if record is not None:
                yield row_of(frame, record)


def row_of(frame: Frame, record: r.Record) -> dict[str, Any]:
    """Return one record as plain values; bytes are decoded or told by their length."""
    values = {name: _plain(getattr(record, name)) for name in record.__struct_fields__}
    return {"sequence": frame.sequence, "record": type(record).__name__, **values}


def _plain(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, bytes):
        try:
            return _plain(msgspec.msgpack.decode(value))
        except msgspec.DecodeError:
            return f"{len(value)} bytes"
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
