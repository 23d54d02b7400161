"""What the journal holds: one struct a kind; fields are only ever added at the end."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

MONEY_UNIT = Decimal("1e-18")
"""What `filled_notional` and the money of positions count, in the quote currency."""


class Record(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Base of all records; `ts` is when it was written, ns UTC of the node's clock."""

    ts: int


class OrderState(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """An order as the node knows it; exact numbers are decimal text.

    Attributes
    ----------
    parent : str
        Client order id of the entry that this exit belongs to.
    sibling : str
        Client order id of the other exit of a pair.
    unknown : str
        Requests without a known outcome: ``submit``, ``modify``, ``cancel``, comma between.
    venue_order_id : str
        The id in force at the broker; "" while none is known.
    venue_filled, venue_cost : str
        What the venue order in force has executed, and its value, where a replace has begun
        another.
    venue_parts : tuple
        Of the venue orders that a replace has ended: id, what it has executed, its value. Under the
        id "": what has filled behind the end of a record, and no venue order accounts for.
    asked : tuple of str
        Largest quantity, limit and stop price of changes that have not been answered; "" for none.
    changes : int
        How many have not.
    entry_filled : str
        What the entry that this exit belongs to has filled, once that has ended; "" before, and
        where it is not known.
    """

    client_order_id: str
    strategy: str
    symbol: str
    side: str
    order_type: str
    quantity: str
    time_in_force: str
    status: str
    filled: str = "0"
    limit_price: str = ""
    stop_price: str = ""
    trail_amount: str = ""
    trail_percent: str = ""
    notional: str = ""
    expires_at: int = 0
    flags: tuple[str, ...] = ()
    tag: str = ""
    parent: str = ""
    sibling: str = ""
    reason: str = ""
    unknown: str = ""
    ts_init: int = 0
    filled_notional: str = "0"
    venue_order_id: str = ""
    venue_filled: str = ""
    venue_cost: str = ""
    number: int = 0
    cancel_wanted: bool = False
    venue_parts: tuple[tuple[str, str, str], ...] = ()
    asked: tuple[str, str, str] = ("", "", "")
    changes: int = 0
    entry_filled: str = ""


class PositionState(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A strategy's holding; `units` signed, money in 1e-18 of the quote currency, as text."""

    strategy: str
    symbol: str
    units: int
    open_cost: str
    realized: str
    fees: str
    mark: int = 0
    entered: str = "0"


class StrategyEntry(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A strategy of a run: its name there, its class and its parameters."""

    name: str
    cls: str
    params: dict[str, Any]
    capital: str = ""


class Opening(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What a run began with, so that it can be replayed from there.

    Attributes
    ----------
    account : dict
        The rules that the account was judged by; without them, a cash account's.
    """

    cash: str
    orders: tuple[OrderState, ...] = ()
    positions: tuple[PositionState, ...] = ()
    saves: dict[str, bytes] = {}
    risk: bytes = b""
    account: dict[str, Any] = {}


class RunStart(Record, frozen=True, kw_only=True, array_like=True):
    """A run begins: with these settings, strategies and limits, from this state.

    Attributes
    ----------
    resumes : str
        The run that this one goes on from where a crash has cut it; "" for a run of its own.
    resumed_at : int
        How many of that run's inputs its tape begins with.
    first_prefix : str
        Began client order ids when the first of these inputs came.
    """

    run_id: str
    prefix: str
    version: str
    account: str
    mode: str
    config: dict[str, Any]
    limits: dict[str, Any]
    strategies: tuple[StrategyEntry, ...]
    instruments: tuple[dict[str, Any], ...]
    default_tif: dict[str, str]
    opening: Opening
    source: str = ""
    shadow: bool = False
    grace_ns: int = 0
    sessions: bool = False
    resumes: str = ""
    resumed_at: int = 0
    first_prefix: str = ""


class RunStop(Record, frozen=True, kw_only=True, array_like=True):
    """A run ended in order."""

    reason: str


class Intent(Record, frozen=True, kw_only=True, array_like=True):
    """An order is about to leave; nothing of it is sent before this is durable.

    Attributes
    ----------
    inputs : int
        How many inputs the kernel had taken when it decided this.
    limits : str
        Version of the limits that passed it.
    trace : str
        Id of the message that led to it; outcomes and fills of the order carry it too.
    """

    inputs: int
    order: OrderState
    legs: tuple[OrderState, ...] = ()
    limits: str = ""
    trace: str = ""


class ChangeIntent(Record, frozen=True, kw_only=True, array_like=True):
    """A replace is about to leave."""

    inputs: int
    client_order_id: str
    changes: dict[str, str]


class CancelIntent(Record, frozen=True, kw_only=True, array_like=True):
    """A cancel has been handed over; it waits for nothing."""

    inputs: int
    client_order_id: str


class NotSent(Record, frozen=True, kw_only=True, array_like=True):
    """An order's bytes were dropped before any of them left."""

    client_order_id: str
    reason: str


class Outcome(Record, frozen=True, kw_only=True, array_like=True):
    """Something other than a fill happened to an order; `order` is what it then was.

    `inputs` is how many inputs the kernel had taken.
    """

    kind: str
    ts_event: int
    order: OrderState
    trace: str = ""
    inputs: int = 0


class Execution(Record, frozen=True, kw_only=True, array_like=True):
    """A fill was applied; `order` and `position` are what they then were.

    Attributes
    ----------
    historical : bool
        It happened while the node was down or not told.
    accrued : dict
        New York date → what of the fee the broker has still to charge; of what it kept of a
        purchase, nothing.
    """

    ts_event: int
    quantity: str
    price: str
    cumulative: str
    order: OrderState
    position: PositionState
    fee: str = "0"
    historical: bool = False
    trace: str = ""
    inputs: int = 0
    accrued: dict[str, str] = {}


class Seen(Record, frozen=True, kw_only=True, array_like=True):
    """The broker has shown which order of its own is ours."""

    client_order_id: str
    venue_order_id: str


class Adjustment(Record, frozen=True, kw_only=True, array_like=True):
    """The broker changed position or cash without an order: a split, a dividend, a bust, a fee.

    `positions` are the holdings that it changed, as they are afterwards.
    """

    activity_id: str
    kind: str
    symbol: str
    quantity: str
    amount: str
    text: str
    ts_event: int = 0
    positions: tuple[PositionState, ...] = ()


class Account(Record, frozen=True, kw_only=True, array_like=True):
    """What the broker stated of the account."""

    account: str
    cash: str
    equity: str
    positions: dict[str, str]


class Reconciled(Record, frozen=True, kw_only=True, array_like=True):
    """A comparison with the broker is through; findings are (code, symbol, text)."""

    reason: str
    findings: tuple[tuple[str, str, str], ...]
    activities_until: str = ""


class RiskState(Record, frozen=True, kw_only=True, array_like=True):
    """What the risk engine goes on from after a restart.

    Attributes
    ----------
    cash : str
        What its figures count with, less no fee that the broker has still to charge.
    accrued : dict
        New York date → such fees.
    """

    saved: bytes
    inputs: int = 0
    cash: str = ""
    accrued: dict[str, str] = {}


class Operation(Record, frozen=True, kw_only=True, array_like=True):
    """An operator, or the node itself, did something that needs a name and a reason."""

    actor: str
    action: str
    reason: str
    arguments: dict[str, Any] = {}
    inputs: int = 0


class StrategySave(Record, frozen=True, kw_only=True, array_like=True):
    """What a strategy's `on_save` returned, and how many inputs it had seen."""

    strategy: str
    inputs: int
    state: bytes


class StrategyStopped(Record, frozen=True, kw_only=True, array_like=True):
    """A strategy was stopped, by an error or an operator.

    `since` is how many inputs the kernel had taken before the one at which it was, or the one
    before that and so on; -1 where an older version has written it.
    """

    strategy: str
    reason: str
    inputs: int = 0
    since: int = -1


class Alarmed(Record, frozen=True, kw_only=True, array_like=True):
    """Something a person should know."""

    code: str
    text: str


class Snapshot(Record, frozen=True, kw_only=True, array_like=True):
    """All that earlier records said and that still matters; they may be put away."""

    state: bytes


KINDS: dict[int, type[Record]] = {
    1: RunStart,
    2: RunStop,
    3: Intent,
    4: ChangeIntent,
    5: CancelIntent,
    6: NotSent,
    7: Outcome,
    8: Execution,
    9: Seen,
    10: Adjustment,
    11: Account,
    12: Reconciled,
    13: RiskState,
    14: Operation,
    15: StrategySave,
    16: StrategyStopped,
    17: Alarmed,
    18: Snapshot,
}
"""Numbers of kinds in frames; a number is never used for anything else again."""
INPUTS = 64
"""Kind of a piece of tape in a data log."""
CODES = {cls: kind for kind, cls in KINDS.items()}
ENCODER = msgspec.msgpack.Encoder(decimal_format="string")
_DECODERS = {kind: msgspec.msgpack.Decoder(cls) for kind, cls in KINDS.items()}


def encode(record: Record) -> tuple[int, bytes]:
    """Return a record's kind and bytes."""
    return CODES[type(record)], ENCODER.encode(record)


def decode(kind: int, payload: bytes) -> Record | None:
    """Return a record; None for a kind that this version does not know.

    Raises
    ------
    msgspec.DecodeError
        If the payload is none of its kind.
    """
    decoder = _DECODERS.get(kind)
    return None if decoder is None else decoder.decode(payload)
