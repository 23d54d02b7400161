"""Logs: lines of JSON that carry the trace, hold no secret, and keep nobody waiting."""

from __future__ import annotations

import errno
import io
import json
import logging
import os
import stat
import threading
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import pytest

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
