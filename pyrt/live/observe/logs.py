"""Structured logs: one JSON object a line, redacted at the sink, rotated, never waited for."""

from __future__ import annotations

import logging
import os
import queue
import sys
from collections import deque
from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler
from pathlib import Path
from typing import Any

import msgspec

from pyrt.core.times import format_ns
from pyrt.errors import ConfigError
from pyrt.live.observe.redaction import Redactor
from pyrt.live.observe.traces import current_trace

ROOT = "pyrt"
QUEUE_MAX = 10_000
TAIL_MAX = 500
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "trace", "taskName"}
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON, without secrets.

    Fields: ``ts`` (UTC, to the nanosecond), ``level``, ``logger``, ``message``, ``trace``, what
    the call gave by ``extra=``, and ``error`` with a traceback.
    """

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        row: dict[str, Any] = {
            "ts": format_ns(int(record.created * 1e6) * 1_000),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        row |= {name: value for name, value in vars(record).items() if name not in _PLAIN}
        trace = getattr(record, "trace", "")
        if trace:
            row["trace"] = trace
        if record.exc_info:
            row["error"] = self.formatException(record.exc_info)
        elif record.exc_text:
            row["error"] = record.exc_text
        cleaned = {key: self._clean(value) for key, value in row.items()}
        return msgspec.json.encode(cleaned).decode()

    def _clean(self, value: Any) -> Any:
        if isinstance(value, (int, float)) or value is None:
            return value
        text = value if isinstance(value, str) else repr(value)
        return self._redactor.redact(text)


class Tail(logging.Handler):
    """Keeps the last lines for whoever looks at the node now."""

    def __init__(self, formatter: logging.Formatter, most: int = TAIL_MAX) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self.lines: deque[str] = deque(maxlen=most)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line."""
        self.lines.append(self.format(record))


class _Hand(QueueHandler):
    """Hands records to the writer's thread; where its queue is full the lesser ones are dropped."""

    def __init__(self, records: queue.Queue[Any]) -> None:
        super().__init__(records)
        self.dropped = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        record.trace = current_trace()
        # The message is built here, where its arguments still are what they were.
        record.msg, record.args = record.getMessage(), None
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self.dropped += 1


class _Writer(QueueListener):
    """Writes from a thread of its own; told to stop, it writes what is queued first."""

    def __init__(self, records: queue.Queue[Any], *sinks: logging.Handler) -> None:
        super().__init__(records, *sinks)
        self._records = records

    def enqueue_sentinel(self) -> None:
        # Waits while the queue is full: what is in it is to be written.
        self._records.put(None)


class Logs:
    """The logs of one process, from `start` to `close`.

    Parameters
    ----------
    folder : path, optional
        Made with mode 0700; the file in it is ``pyrt.log``, mode 0600. None keeps only the tail.
    level : str
        The least that is written.
    redactor : Redactor, optional
    file_bytes_max, files : int
        Size at which a file is turned over, and how many old ones are kept.
    console : bool
        Write to standard error too.

    Attributes
    ----------
    dropped : int
        Records that did not fit while the disk was slow; nobody waits for a log.
    """

    def __init__(
        self,
        folder: str | Path | None = None,
        *,
        level: str = "INFO",
        redactor: Redactor | None = None,
        file_bytes_max: int = 20_000_000,
        files: int = 10,
        console: bool = False,
    ) -> None:
        if level not in LEVELS:
            raise ConfigError(f"level is {level!r}; expected one of {', '.join(LEVELS)}")
        self.redactor = redactor or Redactor()
        formatter = JsonFormatter(self.redactor)
        self.tail = Tail(formatter)
        sinks: list[logging.Handler] = [self.tail]
        if folder is not None:
            sinks.append(_file(Path(folder), file_bytes_max, files))
        if console:
            sinks.append(logging.StreamHandler())
        for sink in sinks:
            sink.setFormatter(formatter)
        records: queue.Queue[Any] = queue.Queue(QUEUE_MAX)
        self._hand = _Hand(records)
        self._listener = _Writer(records, *sinks)
        self._sinks = sinks
        self._logger = logging.getLogger(ROOT)
        self._level = level
        self._before = (logging.NOTSET, True)

    @property
    def dropped(self) -> int:
        """Records that were not written because the queue was full."""
        return self._hand.dropped

    def start(self) -> Logs:
        """Take over the logger ``pyrt`` and everything below it."""
        self._before = (self._logger.level, self._logger.propagate)
        self._logger.setLevel(self._level)
        self._logger.propagate = False
        self._logger.addHandler(self._hand)
        self._listener.start()
        return self

    def close(self) -> None:
        """Write what is queued and let the logger go."""
        self._logger.removeHandler(self._hand)
        self._logger.setLevel(self._before[0])
        self._logger.propagate = self._before[1]
        self._listener.stop()
        for sink in self._sinks:
            sink.close()

    def __enter__(self) -> Logs:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()


class _PrivateFile(RotatingFileHandler):
    """A rotating file that its owner alone may read; a link in its place is not followed."""

    _is_told = False

    def handleError(self, record: logging.LogRecord) -> None:
        """Say once on the standard error that lines are lost: a full disk would say it of each."""
        if not self._is_told:
            self._is_told = True
            error = sys.exc_info()[1]
            sys.stderr.write(f"log: lines cannot be written: {error}\n")

    def _open(self) -> Any:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.fdopen(os.open(self.baseFilename, flags, 0o600), "a", encoding="utf-8")


def _file(folder: Path, most: int, files: int) -> logging.Handler:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _PrivateFile(folder / "pyrt.log", maxBytes=most, backupCount=files)
    except OSError as error:
        raise ConfigError(
            f"logs cannot be written to {folder}: {error.strerror}", code="log_folder"
        ) from None
