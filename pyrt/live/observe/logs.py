"""Structured logs: one JSON object a line, redacted at the sink, rotated, never waited for."""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from logging.handlers import QueueHandler, RotatingFileHandler
from numbers import Integral, Real
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
PATIENCE_S = 10.0
"""How long the end waits for what is queued to be written."""
LONGEST_BITS = 64
"""Longer whole numbers are written as text."""
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
        cleaned = {self._text(key): self._clean(value) for key, value in row.items()}
        return msgspec.json.encode(cleaned).decode()

    def _clean(self, value: Any) -> Any:
        try:
            plain = _number(value)
        except Exception:
            # It says that it is a number, and has none.
            plain = None
        return self._text(value) if plain is None and value is not None else plain

    def _text(self, value: Any) -> str:
        text = _said(value, str if isinstance(value, str) else repr)
        # A half of a pair of surrogates has no place in UTF-8.
        encodable = text.encode("utf-8", "backslashreplace").decode()
        return self._redactor.redact(encodable)


def _number(value: Any) -> int | float | None:
    """Return a number as JSON has it; None where it is none, or longer than a reader takes."""
    if isinstance(value, (bool, float)):
        # One of numpy's is a float too, which the encoder does not know.
        return value if type(value) in (bool, float) else float(value)
    if isinstance(value, Integral):
        whole = int(value)
        return whole if whole.bit_length() <= LONGEST_BITS else None
    return float(value) if isinstance(value, Real) else None


def _said(value: Any, how: Callable[[Any], str]) -> str:
    """Return what an object says of itself, whatever it does when it is asked."""
    try:
        return str.__str__(how(value))
    except Exception:
        return f"({type(value).__name__} has no text)"


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
        record.msg, record.args = _message(record), None
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self.dropped += 1


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as error:
        return f"{_said(record.msg, str)} (without its arguments: {type(error).__name__})"


class _Writer:
    """Writes from a thread of its own, which no record ends.

    Attributes
    ----------
    failed : int
        Records that a sink did not take.
    """

    def __init__(self, records: queue.Queue[Any], sinks: Sequence[logging.Handler]) -> None:
        self.failed = 0
        self._records = records
        self._sinks = sinks
        self._thread: threading.Thread | None = None

    @property
    def is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="logs", daemon=True)
        self._thread.start()

    def stop(self) -> bool:
        """Write what is queued; False where that hangs and was given up."""
        thread, self._thread = self._thread, None
        if thread is None or not thread.is_alive():
            return True
        until = time.monotonic() + PATIENCE_S
        with suppress(queue.Full):
            # Waits while the queue is full: what is in it is to be written.
            self._records.put(None, timeout=PATIENCE_S)
        thread.join(max(0.0, until - time.monotonic()))
        return not thread.is_alive()

    def _run(self) -> None:
        while (record := self._records.get()) is not None:
            self._write(record)

    def _write(self, record: logging.LogRecord) -> None:
        failure: BaseException | None = None
        for sink in self._sinks:
            try:
                sink.handle(record)
            except BaseException as error:
                # An extension's own, say: whatever it is, the lines after it are to be written.
                failure = error
        if failure is not None:
            self.failed += 1
            if self.failed == 1:
                # Once: a full disk would say it of each line.
                _tell(f"lines cannot be written: {_said(failure, str)}")


def _tell(text: str) -> None:
    """Say on the standard error what cannot be said in the log."""
    with suppress(AttributeError, OSError, ValueError):
        sys.stderr.write(f"log: {text}\n")


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
    failed : int
        Records that could not be written, as on a full disk.
    is_writing : bool
        Whether somebody takes records now.
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
        self._listener = _Writer(records, sinks)
        self._sinks = sinks
        self._logger = logging.getLogger(ROOT)
        self._level = level
        self._before = (logging.NOTSET, True)

    @property
    def dropped(self) -> int:
        """Records that were not written because the queue was full."""
        return self._hand.dropped

    @property
    def failed(self) -> int:
        """Records that a sink did not take."""
        return self._listener.failed

    @property
    def is_writing(self) -> bool:
        """Whether the thread that writes is there."""
        return self._listener.is_alive

    def start(self) -> Logs:
        """Take over the logger ``pyrt`` and everything below it."""
        self._before = (self._logger.level, self._logger.propagate)
        self._logger.setLevel(self._level)
        self._logger.propagate = False
        self._logger.addHandler(self._hand)
        self._listener.start()
        return self

    def close(self) -> None:
        """Let the logger go and write what is queued; a disk that hangs is given up."""
        self._logger.removeHandler(self._hand)
        self._logger.setLevel(self._before[0])
        self._logger.propagate = self._before[1]
        if not self._listener.stop():
            # A sink that hangs would hang its own end too.
            _tell(f"what is not written {PATIENCE_S:g} s after the end is given up")
            return
        for sink in self._sinks:
            sink.close()

    def __enter__(self) -> Logs:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()


class _PrivateFile(RotatingFileHandler):
    """A rotating file that its owner alone may read; a link in its place is not followed."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Let the writer count it: the standard way would print a traceback for each line."""
        raise

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
