"""One id from the frame that came in to the fill that went out, through logs, journal and bus."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_current: ContextVar[str] = ContextVar("pyrt_trace", default="")


def current_trace() -> str:
    """Return the id of what is being worked on; "" outside of anything."""
    return _current.get()


@contextmanager
def trace(identity: str) -> Iterator[str]:
    """Let everything logged in the block carry `identity`.

    Examples
    --------
    >>> with trace("run-7"):
    ...     current_trace()
    'run-7'
    >>> current_trace()
    ''
    """
    token = _current.set(identity)
    try:
        yield identity
    finally:
        _current.reset(token)


class TraceIds:
    """Numbers what comes in: ``RUN-1``, ``RUN-2``, … in the order of arrival.

    Parameters
    ----------
    run_id : str
        The run's id, so that two runs never share a trace.
    """

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._count = 0

    def next(self) -> str:
        """Return the id of the next arrival."""
        self._count += 1
        return f"{self._run_id}-{self._count}"
