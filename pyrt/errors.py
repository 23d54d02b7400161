"""Every exception of pyrt: one tree; each carries a code, the values concerned and a remedy."""

from __future__ import annotations

from typing import Any


class PyrtError(Exception):
    """Base of all errors raised by pyrt.

    Attributes
    ----------
    code : str
        A stable, greppable name such as ``"unknown_symbol"``.
    values : dict
        The offending values by name.
    remedy : str
        What to do about it; empty where nothing general can be said.
    """

    code = "pyrt_error"

    def __init__(self, message: str, *, code: str = "", remedy: str = "", **values: Any) -> None:
        self.message = message
        self.code = code or type(self).code
        self.values = values
        self.remedy = remedy
        super().__init__(f"{message}. {remedy}" if remedy else message)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.code, self.remedy, self.values)


def _rebuild(
    cls: type[PyrtError], message: str, code: str, remedy: str, values: dict[str, Any]
) -> PyrtError:
    return cls(message, code=code, remedy=remedy, **values)


class ConfigError(PyrtError, ValueError):
    """A setting, parameter or argument is not acceptable."""

    code = "config"


class NameTaken(PyrtError, AttributeError):
    """An attribute that a strategy sets is a parameter, or belongs to every strategy."""

    code = "name_taken"


class DataError(PyrtError, ValueError):
    """Market data does not hold together; the message names the rows."""

    code = "data"


class PrecisionError(PyrtError, ValueError):
    """A number cannot be represented on the grid it has to live on."""

    code = "precision"


class UnknownName(PyrtError, LookupError):
    """A symbol, parameter, column or file that is not there; close names are suggested."""

    code = "unknown_name"


class OrderError(PyrtError, ValueError):
    """An order or a request about one that makes no sense as written."""

    code = "order"


class InvalidTransition(PyrtError, RuntimeError):
    """An order event that the order's state does not admit; the order is unchanged."""

    code = "invalid_transition"


class InstrumentMismatch(PyrtError, ValueError):
    """A fill or order for another instrument; nothing was changed."""

    code = "instrument_mismatch"


class LedgerError(PyrtError, RuntimeError):
    """Money does not balance: a bug, or a broker's statement that does not add up."""

    code = "ledger"


class StrategyError(PyrtError, RuntimeError):
    """A handler raised: names the strategy, the event and the time; the cause is chained."""

    code = "strategy"


class StrategyOverrun(PyrtError, RuntimeError):
    """A handler ran for longer than it may; raised inside of it, and its strategy is stopped."""

    code = "overrun"


class RunawayError(PyrtError, RuntimeError):
    """A strategy kept issuing commands without end at one instant."""

    code = "runaway"


class BrokerError(PyrtError, RuntimeError):
    """The broker refused what was asked; `code` is its own, `values["status"]` the HTTP status."""

    code = "broker"


class ConnectionLost(PyrtError, ConnectionError):
    """The other side of a connection does not answer, or not as agreed."""

    code = "connection_lost"


class Stopped(PyrtError):
    """A node was asked to stop before it had started."""

    code = "stopped"


class MissingExtra(PyrtError, ImportError):
    """A feature needs an optional dependency; the remedy is the pip command."""

    code = "missing_extra"


class JournalError(PyrtError, RuntimeError):
    """The journal is damaged, cannot be written, or belongs to another node."""

    code = "journal"
