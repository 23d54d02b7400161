"""Exit codes of every subcommand, and which error ends with which."""

from __future__ import annotations

from pyrt.errors import (
    ConfigError,
    DataError,
    MissingExtra,
    NameTaken,
    PrecisionError,
    PyrtError,
    Stopped,
    StrategyError,
    UnknownName,
)

DONE = 0
FAILED = 1
"""The strategy raised, or its file cannot be imported: its traceback is shown. Or the broker was
not to be reached, another process holds the account or the state folder, a check (doctor, verify,
replay, parity) has found something, or the disk fails or is full."""
USAGE = 2
"""An option, parameter, file, class or table is not acceptable; nothing was run."""
NOT_MET = 3
"""The run finished, and a `--require` is not met; or an order would be refused."""
INTERRUPTED = 130
"""Ctrl-C; what the run had reached is printed. Or a node was stopped as it started."""

_USAGE_ERRORS = (ConfigError, DataError, MissingExtra, NameTaken, PrecisionError, UnknownName)


_HELD = "second_node"
"""Another start may go through: a script that cancels holds the account for a minute at most."""


def exit_code(error: PyrtError) -> int:
    """Return the code a command ends with when `error` leaves it."""
    if isinstance(error, Stopped):
        return INTERRUPTED
    if error.code == _HELD:
        return FAILED
    return USAGE if isinstance(mistake(error), _USAGE_ERRORS) else FAILED


def mistake(error: PyrtError) -> PyrtError:
    """Return what the user got wrong: the cause of a strategy's error while it set itself up.

    An unknown symbol or timeframe is found when `on_start` subscribes, so it arrives wrapped; it
    is still a matter of what was written on the command line, not of the strategy's code.
    """
    cause = error.__cause__
    wrapped = isinstance(error, StrategyError) and ".on_start " in error.message
    return cause if wrapped and isinstance(cause, _USAGE_ERRORS) else error
