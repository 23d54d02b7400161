"""Comparing what we know with what the broker says; differences are shown, never traded away."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from pyrt.errors import ConfigError
from pyrt.live.core.broker import BrokerAdjustment, BrokerOrder, BrokerState

EXTERNAL = ("halt", "alarm", "ignore")
PREFIX = "pyrt-"
HALTING = frozenset({"split", "symbol_change", "bust", "correction"})
"""Adjustments after which a symbol is halted until a person has looked."""
STRANGE = frozenset({"external_order", "second_node"})
"""Findings of orders that others have open."""
UNDONE = "canceled-"
"""Begins the id under which it is journalled that the broker has taken a change back."""
DAILY = frozenset({"fee", "interest", "borrow"})
"""Adjustments that every day has some of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcilePolicy:
    """What differences lead to.

    Attributes
    ----------
    external_orders : str
        Of orders in our symbols that no run of ours has sent: ``halt`` the symbol, ``alarm``, or
        ``ignore``.
    cash_tolerance : Decimal
        A difference of cash up to this is not told.
    """

    external_orders: str = "halt"
    cash_tolerance: Decimal = Decimal("0.01")

    def __post_init__(self) -> None:
        if self.external_orders not in EXTERNAL:
            raise ConfigError(
                f"external_orders is {self.external_orders!r}; expected one of {EXTERNAL}"
            )


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference.

    Attributes
    ----------
    code : str
        Stable: ``position_mismatch``, ``external_order``, ``second_node``, ``missing_order``, …
    symbol : str
        "" where it concerns the account.
    halts : str
        ``symbol``, ``all`` or "".
    """

    code: str
    symbol: str
    text: str
    halts: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OurOrder:
    """An order of ours as the node sees it now."""

    client_order_id: str
    venue_order_id: str
    symbol: str
    status: str
    is_unknown: bool
    sent_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OurView:
    """What the node believes at the moment of the comparison.

    Attributes
    ----------
    positions : dict
        Symbol → signed units over all strategies.
    orders : tuple of OurOrder
        Open ones.
    is_ours : callable
        Client order id → whether a run of this journal has minted it.
    is_known : callable
        The same → whether the journal has its intent.
    known_activities : set or mapping
        Adjustments taken in before.
    booked : set of str
        Those of them whose cash is here already, though nobody was told of them.
    cash : Decimal or None
        None where it cannot be compared yet.
    accrued : Decimal
        Fees that are taken off here, and that the broker may not have charged yet.
    has_ended : callable
        Client order id → whether the order had ended here before the look began.
    is_exit : callable
        The broker's id → whether it is of an order of ours to which he has given a name of his
        own: an exit, or one that somebody has replaced elsewhere.
    """

    symbols: frozenset[str]
    positions: Mapping[str, Decimal]
    orders: tuple[OurOrder, ...]
    is_ours: Callable[[str], bool]
    is_known: Callable[[str], bool]
    known_activities: Iterable[str] = frozenset()
    booked: Collection[str] = frozenset()
    cash: Decimal | None = None
    accrued: Decimal = Decimal(0)
    has_ended: Callable[[str], bool] = lambda name: False
    is_exit: Callable[[str], bool] = lambda venue_order_id: False


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of it.

    Attributes
    ----------
    findings : tuple of Finding
    adjustments : tuple of BrokerAdjustment
        Those that are new, and marks of those that are canceled since, to be journalled once.
    absent : tuple of str
        Client order ids of submits without a known outcome that the full list does not have.
    cash_gap : Decimal
        What the broker has more than we, and nothing explains.
    """

    findings: tuple[Finding, ...]
    adjustments: tuple[BrokerAdjustment, ...] = ()
    absent: tuple[str, ...] = ()
    cash_gap: Decimal = Decimal(0)

    @property
    def is_clean(self) -> bool:
        """Whether nothing halts anything."""
        return not any(finding.halts for finding in self.findings)


def compare(ours: OurView, theirs: BrokerState, policy: ReconcilePolicy) -> Comparison:
    """Return all differences, after orders and fills of `theirs` were applied to `ours`."""
    findings: list[Finding] = []
    if not theirs.orders_complete:
        text = "the broker's list of orders has more of one instant than a page holds"
        findings.append(Finding("orders_incomplete", "", text))
    findings.extend(_positions(ours, theirs))
    findings.extend(_strangers(ours, theirs.orders, policy))
    absent, missing = _absent(ours, theirs)
    findings.extend(missing)
    known = frozenset(ours.known_activities)
    fresh = tuple(a for a in theirs.adjustments if a.activity_id not in known)
    findings.extend(adjusted(ours.symbols, fresh))
    undone = [
        change
        for change in theirs.canceled
        if change.activity_id in known and UNDONE + change.activity_id not in known
    ]
    findings.extend(_taken_back(ours, undone))
    gap = _cash_gap(ours, theirs, fresh, policy)
    if gap:
        text = f"cash is {theirs.cash:f} at the broker and {theirs.cash - gap:f} here"
        findings.append(Finding("cash_mismatch", "", text))
    return Comparison(tuple(findings), (*fresh, *map(_mark, undone)), absent, gap)


def _cash_gap(
    ours: OurView,
    theirs: BrokerState,
    fresh: Iterable[BrokerAdjustment],
    policy: ReconcilePolicy,
) -> Decimal:
    """Return the cash that the broker has and neither fills nor its bookings explain."""
    if ours.cash is None:
        return Decimal(0)
    # What the broker has booked since is in its cash already; we book it after this comparison.
    to_come = (change.amount for change in fresh if change.activity_id not in ours.booked)
    here = ours.cash + sum(to_come, Decimal(0))
    # Some of the fees that accrued here may be among those bookings, or among those to come.
    least, most = sorted((here, here + ours.accrued))
    if least - policy.cash_tolerance <= theirs.cash <= most + policy.cash_tolerance:
        return Decimal(0)
    return theirs.cash - (here + ours.accrued)


def _positions(ours: OurView, theirs: BrokerState) -> Iterable[Finding]:
    for symbol in sorted(ours.symbols):
        here = ours.positions.get(symbol, Decimal(0))
        there = theirs.positions.get(symbol, Decimal(0))
        if here != there:
            yield Finding("position_mismatch", symbol, difference(symbol, there, here), "symbol")


def difference(symbol: str, there: Decimal, here: Decimal) -> str:
    """Return in words what the broker holds of a symbol, and we."""
    return f"{symbol} is {there:f} at the broker and {here:f} here"


def _strangers(
    ours: OurView, orders: Iterable[BrokerOrder], policy: ReconcilePolicy
) -> Iterable[Finding]:
    for order in orders:
        name = order.client_order_id
        if ours.is_known(name):
            if order.is_open and ours.has_ended(name):
                text = f"{name} has ended here and is {order.status} at the broker"
                yield Finding("reopened", order.symbol, text, "symbol")
            continue
        if ours.is_ours(name):
            # Its intent was lost with a torn tail, or the journal is an old one: ours all the same.
            text = f"{name} was sent by an earlier run and is not in the journal"
            yield Finding("lost_intent", order.symbol, text, "symbol")
        elif name.startswith(PREFIX) and order.is_open:
            text = f"{name} is not of this state folder: does a second node trade this account?"
            yield Finding("second_node", order.symbol, text, "all")
        elif ours.is_exit(order.venue_order_id):
            continue
        elif order.is_open and order.symbol in ours.symbols and policy.external_orders != "ignore":
            halts = "symbol" if policy.external_orders == "halt" else ""
            text = f"an order for {order.symbol} that no run of ours has sent is open: {name}"
            yield Finding("external_order", order.symbol, text, halts)


def _absent(ours: OurView, theirs: BrokerState) -> tuple[tuple[str, ...], list[Finding]]:
    """Return submits without outcome that a full list does not have, and what else it lacks."""
    listed = {order.client_order_id for order in theirs.orders}
    venue_ids = {order.venue_order_id for order in theirs.orders}
    absent: list[str] = []
    missing: list[Finding] = []
    if not theirs.orders_complete:
        return (), missing
    for order in ours.orders:
        seen = order.client_order_id in listed or order.venue_order_id in venue_ids
        if seen or order.sent_at < theirs.orders_after:
            continue
        if order.is_unknown and not order.venue_order_id:
            absent.append(order.client_order_id)
        elif order.venue_order_id:
            # Not found is no evidence: it stays as it was, and somebody is told.
            text = f"{order.client_order_id} is {order.status} here and not in the broker's list"
            missing.append(Finding("missing_order", order.symbol, text))
    return tuple(absent), missing


def adjusted(symbols: Collection[str], fresh: Iterable[BrokerAdjustment]) -> Iterable[Finding]:
    """Return what is told of changes of the broker's that are new."""
    for change in fresh:
        if change.kind in DAILY:
            # Every day has some: they are journalled, and nobody's alarm.
            continue
        concerns = change.symbol in symbols
        halts = "symbol" if concerns and change.kind in HALTING else ""
        if concerns or change.kind == "cash":
            text = f"{change.kind}: {change.text}".strip(": ")
            yield Finding(f"adjusted_{change.kind}", change.symbol, text, halts)


def _taken_back(ours: OurView, undone: Iterable[BrokerAdjustment]) -> Iterable[Finding]:
    """Tell of what was taken in and is canceled since: what follows of it differences will show."""
    for change in undone:
        halts = change.symbol in ours.symbols and change.kind in HALTING
        text = f"{change.activity_id} was taken in, and is canceled: {change.kind}: {change.text}"
        yield Finding("booking_canceled", change.symbol, text, "symbol" if halts else "")


def _mark(change: BrokerAdjustment) -> BrokerAdjustment:
    """Return what is journalled of a change that the broker has taken back: it moves nothing."""
    nothing, name = Decimal(0), UNDONE + change.activity_id
    return replace(change, activity_id=name, kind="canceled", quantity=nothing, amount=nothing)


@dataclass(slots=True)
class Absences:
    """Remembers in which sessions a submit was looked for in vain: evidence of a lost one.

    A submit that never arrived is LOST when two full lists taken after its session, one apart
    from the other, do not have it.
    """

    apart_ns: int = 60_000_000_000
    _seen: dict[str, list[int]] = field(default_factory=dict)

    def look(
        self, absent: Iterable[str], ts: int, *, session_over: Callable[[str], bool]
    ) -> list[str]:
        """Note a full list without these; return those that are lost by now."""
        names = list(absent)
        self._seen = {name: times for name, times in self._seen.items() if name in names}
        lost: list[str] = []
        for name in names:
            if not session_over(name):
                continue
            times = self._seen.setdefault(name, [])
            if not times or ts - times[-1] >= self.apart_ns:
                times.append(ts)
            if len(times) >= 2:
                lost.append(name)
        return lost
