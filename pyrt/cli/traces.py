"""Tracebacks cut down to the user's own lines."""

from __future__ import annotations

import traceback
from pathlib import Path

_OURS = str(Path(__file__).parents[1])


def users_traceback(error: BaseException) -> str:
    """Return the traceback of an exception without frames of pyrt and of the import machinery.

    The exception keeps its chain of causes, each cut in the same way.
    """
    trace: traceback.TracebackException | None = traceback.TracebackException.from_exception(error)
    first = trace
    while trace is not None:
        trace.stack = traceback.StackSummary.from_list([f for f in trace.stack if _is_users(f)])
        trace = trace.__cause__ or trace.__context__
    return "".join(first.format()) if first is not None else ""


def _is_users(frame: traceback.FrameSummary) -> bool:
    name = frame.filename
    return not (name.startswith((_OURS, "<frozen")) or name.endswith((".pyx", ".pxd")))
