"""Logs: lines of JSON that carry the trace, hold no secret, and keep nobody waiting."""

from __future__ import annotations

import errno
import io
import json
import logging
import os
import stat
import threading
from decimal import Decimal
from logging.handlers import RotatingFileHandler
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyrt.core.types import Side
from pyrt.errors import ConfigError
from pyrt.live.observe import logs as logs_module
from pyrt.live.observe.logs import Logs
from pyrt.live.observe.redaction import MASK, Redactor
from pyrt.live.observe.traces import TraceIds, trace

CANARY = "PKCANARYCANARY012345"


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_record_is_one_line_of_json_with_trace_and_fields(tmp_path: Path) -> None:
    log = logging.getLogger("pyrt.live.node")
    with Logs(tmp_path, redactor=Redactor()), trace("run1-7"):
        log.info("order %s sent", "a-1", extra={"symbol": "SPY", "quantity": 3})
    (row,) = rows(tmp_path / "pyrt.log")
    assert row["message"] == "order a-1 sent"
    assert (row["level"], row["logger"], row["trace"]) == ("INFO", "pyrt.live.node", "run1-7")
    assert (row["symbol"], row["quantity"]) == ("SPY", 3)
    assert row["ts"][:2] == "20"


def test_secrets_are_in_no_message_field_or_traceback(tmp_path: Path) -> None:
    log = logging.getLogger("pyrt.adapters")
    with Logs(tmp_path, redactor=Redactor([CANARY])) as logs:
        log.warning("key %s", CANARY, extra={"header": {"x": CANARY}})
        try:
            raise ValueError(f"refused {CANARY}")
        except ValueError:
            log.exception("failed")
        log.info("later", extra={CANARY: 1})
    text = (tmp_path / "pyrt.log").read_text()
    tail = "\n".join(logs.tail.lines)
    assert text.count(MASK) >= 3
    assert "Traceback" in text
    for shown in (text, tail):
        assert CANARY not in shown.replace(f'"{CANARY}":1', "")


def test_files_are_the_owners_alone_and_turn_over(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "logs"
    log = logging.getLogger("pyrt.x")
    with Logs(folder, file_bytes_max=2_000, files=2):
        for i in range(100):
            log.info("line %d", i)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sorted(path.name for path in folder.iterdir()) == [
        "pyrt.log",
        "pyrt.log.1",
        "pyrt.log.2",
    ]
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.stat().st_size <= 2_000


def test_a_link_in_place_of_the_file_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "pyrt.log").symlink_to(victim)
    with pytest.raises(ConfigError, match="cannot be written"):
        Logs(folder)
    assert victim.read_text() == "mine"


def test_a_slow_disk_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs_module, "QUEUE_MAX", 10)
    gate = threading.Event()
    logs = Logs()
    monkeypatch.setattr(logs.tail, "emit", lambda record: gate.wait(10))
    log = logging.getLogger("pyrt.y")
    with logs:
        for i in range(100):
            log.warning("line %d", i)
        assert logs.dropped >= 85
        gate.set()


def test_close_gives_the_logger_back(tmp_path: Path) -> None:
    logger = logging.getLogger("pyrt")
    before = (logger.level, logger.propagate, list(logger.handlers))
    with Logs(tmp_path):
        assert logger.handlers != before[2]
    assert (logger.level, logger.propagate, list(logger.handlers)) == before


def test_an_unknown_level_is_named() -> None:
    with pytest.raises(ConfigError, match="level is 'LOUD'"):
        Logs(level="LOUD")


def test_trace_ids_are_numbered_within_the_run() -> None:
    ids = TraceIds("r9")
    assert [ids.next(), ids.next()] == ["r9-1", "r9-2"]
    with trace("outer"), trace("inner") as inner:
        assert inner == "inner"


def test_the_folder_that_cannot_be_made_is_named() -> None:
    if os.geteuid() == 0:
        with pytest.raises(ConfigError, match="/dev/null/logs"):
            Logs("/dev/null/logs")
    else:
        with pytest.raises(ConfigError, match="cannot be written"):
            Logs("/proc/pyrt-logs")


def test_a_disk_that_is_full_is_told_once_and_not_for_each_line(tmp_path, capsys) -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    with Logs(tmp_path) as logs:
        file = logs._sinks[1]
        assert isinstance(file, RotatingFileHandler)
        stream, file.stream = file.stream, Full()
        for number in range(3):
            logging.getLogger("pyrt.node").info("line %d", number)
        logs._listener.stop()
        logs._listener.start()
        file.stream = stream
        tail = list(logs.tail.lines)
    assert len(tail) == 3
    told = capsys.readouterr().err
    assert told == "log: lines cannot be written: [Errno 28] No space left on device\n"


class Odd:
    """Has no text of its own."""

    def __repr__(self) -> str:
        raise RuntimeError("no text")


@Real.register
class Unready:
    """A number that is not there yet, as of a device that computes it."""

    def __float__(self) -> float:
        raise RuntimeError("not yet")

    def __repr__(self) -> str:
        return "Unready()"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Unready(), "Unready()"),
        (np.float64(101.5), 101.5), (np.float32(0.5), 0.5), (np.int64(3), 3),
        (Side.BUY, int(Side.BUY)), (Decimal("1.50"), "Decimal('1.50')"), (None, None), (True, True),
        (2**64, "18446744073709551616"), (-(2**63), -(2**63)), ([10**5_000], "(list has no text)"),
        ("a\udc80b", "a\\udc80b"), (np.str_("a"), "a"), (Odd(), "(Odd has no text)"),
    ],
)  # fmt: skip
def test_whatever_a_call_gives_becomes_a_line(value: Any, shown: Any) -> None:
    with Logs() as logs:
        logging.getLogger("pyrt.strategy.cross").info("bought", extra={"price": value})
    (row,) = [json.loads(line) for line in logs.tail.lines]
    assert (row["message"], row["price"]) == ("bought", shown)
    assert type(row["price"]) is type(shown)


def test_a_message_that_does_not_fit_its_arguments_is_a_line_too() -> None:
    log = logging.getLogger("pyrt.strategy.cross")
    with Logs(redactor=Redactor([CANARY])) as logs:
        log.info("%d shares", "three")
        log.info(Odd())
        log.info("a \udc80 and %s", CANARY, extra={f"\udc80{CANARY}": 1})
    rows = [json.loads(line) for line in logs.tail.lines]
    assert [row["message"] for row in rows] == [
        "%d shares (without its arguments: TypeError)",
        "(Odd has no text) (without its arguments: RuntimeError)",
        f"a \\udc80 and {MASK}",
    ]
    assert rows[2][f"\\udc80{MASK}"] == 1


class Fails(logging.Handler):
    """A sink that takes nothing."""

    def emit(self, record: logging.LogRecord) -> None:
        raise KeyboardInterrupt(record.name) if record.levelname == "ERROR" else OSError("gone")


def test_no_record_ends_the_writer_and_those_it_cannot_write_are_counted(tmp_path, capsys) -> None:
    logs = Logs(tmp_path)
    logs._sinks.insert(0, Fails())
    log = logging.getLogger("pyrt.x")
    with logs:
        for number in range(3):
            log.info("line %d", number)
        log.error("line 3")
    assert logs.failed == 4
    assert [row["message"] for row in rows(tmp_path / "pyrt.log")] == [
        f"line {number}" for number in range(4)
    ]
    assert capsys.readouterr().err == "log: lines cannot be written: gone\n"


def test_a_disk_that_hangs_does_not_hold_up_the_end(monkeypatch, tmp_path, capsys) -> None:
    monkeypatch.setattr(logs_module, "QUEUE_MAX", 2)
    monkeypatch.setattr(logs_module, "PATIENCE_S", 0.05)
    gate, at_work = threading.Event(), threading.Event()

    def hang(record: logging.LogRecord) -> None:
        at_work.set()
        gate.wait(10)

    logs = Logs()
    monkeypatch.setattr(logs.tail, "emit", hang)
    with logs:
        for number in range(10):
            logging.getLogger("pyrt.y").warning("line %d", number)
        assert at_work.wait(10)
        assert logs.is_writing
    assert not logs.is_writing
    gate.set()
    assert "is given up" in capsys.readouterr().err
