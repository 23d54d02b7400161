"""The journal folded: what a node that starts has to know, and nothing more."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from pyrt.live.journal import records as r

FINAL = frozenset({"DENIED", "REJECTED", "FILLED", "CANCELED", "EXPIRED", "LOST"})
CLOSED_MAX = 20_000
"""How many closed orders stay known, for late fills and for telling ours from strangers'."""
ACTIVITIES_MAX = 20_000
MONEY = Decimal("1e-9")
TERMS = ("quantity", "limit_price", "stop_price")


class Closed(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What is kept of an order that has ended."""

    client_order_id: str
    venue_order_id: str
    strategy: str
    symbol: str
    side: str
    status: str
    filled: str
    ts: int


class JournalState(msgspec.Struct, kw_only=True):
    """All that earlier runs have left.

    Attributes
    ----------
    runs : dict
        Run id → prefix of its client order ids.
    orders : dict
        Open orders by client order id, oldest first.
    closed : dict
        Orders that have ended, by client order id, oldest first; the latest `CLOSED_MAX`.
    positions : dict
        ``strategy|symbol`` → PositionState.
    saves : dict
        Strategy → (inputs seen, state) of the last run.
    sent_at : dict
        Open submits whose fate is not known → when their intent was written.
    activities : dict
        Ids of the broker's activities that were taken in; the latest `ACTIVITIES_MAX`.
    cash : str
        What the broker stated last.
    our_cash : str
        What was here when the last record was written, less no fee that the broker had still to
        charge. What it has more or less since came while no node ran.
    accrued : dict
        New York date → such fees.
    ended_well : bool
        Whether the last run stopped in order.
    armed : str
        The account that somebody has armed for real money; "" for none.
    """

    account: str = ""
    mode: str = ""
    runs: dict[str, str] = {}
    orders: dict[str, r.OrderState] = {}
    closed: dict[str, Closed] = {}
    positions: dict[str, r.PositionState] = {}
    saves: dict[str, tuple[int, bytes]] = {}
    activities: dict[str, None] = {}
    activities_until: str = ""
    risk: bytes = b""
    cash: str = ""
    our_cash: str = ""
    accrued: dict[str, str] = {}
    last_run: str = ""
    last_ts: int = 0
    records: int = 0
    ended_well: bool = True
    stopped: dict[str, str] = {}
    armed: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether no run was ever begun."""
        return not self.runs

    @property
    def is_new(self) -> bool:
        """Whether no look at the account was ever concluded: what it has booked is no news yet."""
        return not self.cash

    @property
    def closed_since(self) -> int:
        """When the oldest order that is known to have ended did, ns UTC; 0 if all are known.

        Of orders before that nothing may be known any more.
        """
        return next(iter(self.closed.values())).ts if len(self.closed) >= CLOSED_MAX else 0

    def take(self, record: r.Record) -> None:
        """Fold one more record in."""
        self.records += 1
        self.last_ts = max(self.last_ts, record.ts)
        fold = _FOLDS.get(type(record))
        if fold is not None:
            fold(self, record)

    def encode(self) -> bytes:
        """Return the state for a Snapshot record."""
        return r.ENCODER.encode(self)

    def is_ours(self, client_order_id: str) -> bool:
        """Return whether an id begins as those of a run in this journal do."""
        return any(client_order_id.startswith(prefix) for prefix in self.runs.values())

    def _set(self, order: r.OrderState, ts: int) -> None:
        name = order.client_order_id
        if order.status not in FINAL:
            self.orders[name] = order
            self.closed.pop(name, None)
            return
        self.orders.pop(name, None)
        self.closed.pop(name, None)
        self.closed[name] = Closed(
            client_order_id=name,
            venue_order_id=order.venue_order_id,
            strategy=order.strategy,
            symbol=order.symbol,
            side=order.side,
            status=order.status,
            filled=order.filled,
            ts=ts,
        )
        while len(self.closed) > CLOSED_MAX:
            del self.closed[next(iter(self.closed))]


def _run_start(state: JournalState, record: r.RunStart) -> None:
    state.runs[record.run_id] = record.prefix
    state.account, state.mode = record.account, record.mode
    state.last_run, state.ended_well = record.run_id, False
    if not record.resumes:
        state.saves = {name: (0, saved) for name, saved in record.opening.saves.items()}
    state.stopped = {}


def _run_stop(state: JournalState, record: r.RunStop) -> None:
    state.ended_well = True


def _intent(state: JournalState, record: r.Intent) -> None:
    # Until an answer is known the order may be at the broker: what follows a crash reads back.
    for order in (record.order, *record.legs):
        state._set(msgspec.structs.replace(order, unknown="submit"), record.ts)


def _not_sent(state: JournalState, record: r.NotSent) -> None:
    order = state.orders.get(record.client_order_id)
    if order is not None:
        gone = msgspec.structs.replace(order, status="REJECTED", reason=record.reason, unknown="")
        state._set(gone, record.ts)


def _cancel(state: JournalState, record: r.CancelIntent) -> None:
    order = state.orders.get(record.client_order_id)
    if order is not None:
        state._set(msgspec.structs.replace(order, cancel_wanted=True), record.ts)


def _change(state: JournalState, record: r.ChangeIntent) -> None:
    order = state.orders.get(record.client_order_id)
    if order is not None:
        # Whether it has arrived may be unknown as well, and stays so.
        unknown = [what for what in order.unknown.split(",") if what and what != "modify"]
        doubts = ",".join([*unknown, "modify"])
        named = (record.changes.get(name, "") for name in TERMS)
        asked = tuple(map(_larger, order.asked, named))
        asking = msgspec.structs.replace(
            order, unknown=doubts, asked=asked, changes=order.changes + 1
        )
        state._set(asking, record.ts)


def _larger(one: str, other: str) -> str:
    """Return the larger of two numbers, of which either may be missing."""
    return max(one, other, key=Decimal) if one and other else one or other


def _outcome(state: JournalState, record: r.Outcome) -> None:
    if record.order.status == "INITIALIZED":
        # A change of what waits to leave was refused: no start looks for what nobody has sent.
        return
    state._set(_asking(state, record.order, record.kind), record.ts)


def _asking(state: JournalState, order: r.OrderState, kind: str) -> r.OrderState:
    """Return an order with what was asked for and not answered: brought back, it knows of none."""
    known = state.orders.get(order.client_order_id)
    if known is None:
        return order
    is_pair = known.sibling in state.orders
    left = known.changes - _answers_change(known, order, kind, is_pair=is_pair)
    if left > 0:
        order = msgspec.structs.replace(order, asked=known.asked, changes=left)
    if known.cancel_wanted and kind != "cancel_rejected":
        order = msgspec.structs.replace(order, cancel_wanted=True)
    return order


def _answers_change(known: r.OrderState, order: r.OrderState, kind: str, *, is_pair: bool) -> bool:
    """Whether an outcome answers a change: what the other of a pair has left does not."""
    if kind == "modified" and is_pair:
        is_smaller = Decimal(order.quantity) < Decimal(known.quantity)
        prices = (known.limit_price, known.stop_price)
        return not is_smaller or (order.limit_price, order.stop_price) != prices
    return kind in ("modified", "modify_rejected")


def _execution(state: JournalState, record: r.Execution) -> None:
    state._set(_asking(state, record.order, "fill"), record.ts)
    if state.our_cash:
        value = Decimal(record.quantity) * Decimal(record.price)
        cash = Decimal(state.our_cash) + (value if record.order.side == "sell" else -value)
        state.our_cash = f"{cash.quantize(MONEY):f}"
    for day, fee in record.accrued.items():
        state.accrued[day] = f"{Decimal(state.accrued.get(day, '0')) + Decimal(fee):f}"
    position = record.position
    key = f"{position.strategy}|{position.symbol}"
    state.positions[key] = position


def _seen(state: JournalState, record: r.Seen) -> None:
    order = state.orders.get(record.client_order_id)
    if order is not None:
        changed = msgspec.structs.replace(order, venue_order_id=record.venue_order_id)
        state._set(changed, record.ts)


def _adjustment(state: JournalState, record: r.Adjustment) -> None:
    state.activities[record.activity_id] = None
    for position in record.positions:
        state.positions[f"{position.strategy}|{position.symbol}"] = position
    while len(state.activities) > ACTIVITIES_MAX:
        del state.activities[next(iter(state.activities))]


def _account(state: JournalState, record: r.Account) -> None:
    state.account, state.cash = record.account, record.cash


def _reconciled(state: JournalState, record: r.Reconciled) -> None:
    state.activities_until = max(state.activities_until, record.activities_until)


def _risk(state: JournalState, record: r.RiskState) -> None:
    state.risk, state.our_cash = record.saved, record.cash
    state.accrued = dict(record.accrued)


def _save(state: JournalState, record: r.StrategySave) -> None:
    state.saves[record.strategy] = (record.inputs, record.state)


def _stopped(state: JournalState, record: r.StrategyStopped) -> None:
    state.stopped[record.strategy] = record.reason


def _operation(state: JournalState, record: r.Operation) -> None:
    if record.action == "arm":
        state.armed = str(record.arguments["account"])


def _snapshot(state: JournalState, record: r.Snapshot) -> None:
    found = msgspec.msgpack.decode(record.state, type=JournalState)
    for name in JournalState.__struct_fields__:
        setattr(state, name, getattr(found, name))


_FOLDS: dict[type[r.Record], Any] = {
    r.RunStart: _run_start,
    r.RunStop: _run_stop,
    r.Intent: _intent,
    r.NotSent: _not_sent,
    r.ChangeIntent: _change,
    r.CancelIntent: _cancel,
    r.Outcome: _outcome,
    r.Execution: _execution,
    r.Seen: _seen,
    r.Adjustment: _adjustment,
    r.Account: _account,
    r.Reconciled: _reconciled,
    r.RiskState: _risk,
    r.StrategySave: _save,
    r.Operation: _operation,
    r.StrategyStopped: _stopped,
    r.Snapshot: _snapshot,
}
