"""A live day against the backtest of the same time: each difference, of what kind, at what cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

KINDS = ("data", "timing", "fill_price", "quantity", "reject", "missing")
SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """What one order came to, live or in the backtest.

    Attributes
    ----------
    quantity : Decimal
        Executed, unsigned.
    price : Decimal
        Average of the executions; 0 where there is none.
    ts_sent, ts_filled : int
        ns UTC; 0 where it was never filled.
    status, reason : str
    """

    strategy: str
    symbol: str
    side: str
    quantity: Decimal
    price: Decimal
    ts_sent: int
    ts_filled: int
    status: str = "FILLED"
    reason: str = ""
    client_order_id: str = ""
    fee: Decimal = Decimal(0)

    @property
    def sign(self) -> int:
        """1 for a buy, -1 for a sell."""
        return 1 if self.side == "buy" else -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference between the two worlds.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    cost : Decimal
        What live has lost by it against the backtest, account currency; negative for a gain.
    """

    kind: str
    symbol: str
    ts: int
    text: str
    cost: Decimal
    client_order_id: str = ""


@dataclass(slots=True)
class ParityReport:
    """All differences of a day."""

    orders: int = 0
    matched: int = 0
    bars: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether both worlds traded alike."""
        return not self.differences

    @property
    def cost(self) -> Decimal:
        """What live has lost against the backtest, in all."""
        return sum((d.cost for d in self.differences), Decimal(0))

    def by_kind(self) -> dict[str, tuple[int, Decimal]]:
        """Return number and cost by kind, kinds without any left out."""
        found: dict[str, tuple[int, Decimal]] = {}
        for difference in self.differences:
            count, cost = found.get(difference.kind, (0, Decimal(0)))
            found[difference.kind] = (count + 1, cost + difference.cost)
        return found


def match(
    live: Sequence[Leg], tested: Sequence[Leg], *, window_ns: int
) -> list[tuple[Leg | None, Leg | None]]:
    """Pair orders of both worlds: same strategy, symbol and side, sent within a time.

    Each is paired with the nearest that is left, in the order of time; what has no partner
    stands alone.
    """
    left = list(tested)
    pairs: list[tuple[Leg | None, Leg | None]] = []
    for leg in sorted(live, key=lambda each: each.ts_sent):
        same = [
            other
            for other in left
            if (other.strategy, other.symbol, other.side) == (leg.strategy, leg.symbol, leg.side)
            and abs(other.ts_sent - leg.ts_sent) <= window_ns
        ]
        partner = min(same, key=lambda other: abs(other.ts_sent - leg.ts_sent), default=None)
        if partner is not None:
            left.remove(partner)
        pairs.append((leg, partner))
    pairs.extend((None, other) for other in left)
    return pairs


def compare_days(
    live: Sequence[Leg],
    tested: Sequence[Leg],
    *,
    last_prices: dict[str, Decimal],
    odd_bars: Iterable[tuple[str, int]] = (),
    bars: int = 0,
    window_ns: int = 120 * SECOND,
    tolerance_ns: int = SECOND,
) -> ParityReport:
    """Return every difference between a live day and its backtest.

    Parameters
    ----------
    last_prices : dict
        What a position left over is worth at the end.
    odd_bars : iterable of (symbol, close)
        Bars that the node saw otherwise than the data have them, or not at all.
    window_ns : int
        Orders further apart are not the same order.
    tolerance_ns : int
        Fills this close count as at the same time.
    """
    report = ParityReport(bars=bars)
    odd = sorted(odd_bars)
    for mine, theirs in match(live, tested, window_ns=window_ns):
        report.orders += 1
        found = _compare(mine, theirs, last_prices, odd, tolerance_ns)
        if found is None:
            report.matched += 1
        else:
            report.differences.append(found)
    report.differences.sort(key=lambda d: (d.ts, d.symbol, d.kind))
    return report


def _compare(
    mine: Leg | None,
    theirs: Leg | None,
    last_prices: dict[str, Decimal],
    odd: Sequence[tuple[str, int]],
    tolerance_ns: int,
) -> Difference | None:
    if mine is None or theirs is None:
        leg = mine or theirs
        assert leg is not None
        if not leg.quantity:
            return None
        where = "live only" if theirs is None else "in the backtest only"
        cost = _worth(leg, last_prices) * (-1 if theirs is None else 1)
        return _difference(_cause("missing", leg, odd), leg, f"{_words(leg)} {where}", cost)
    if mine.quantity != theirs.quantity:
        cost = _worth(theirs, last_prices) - _worth(mine, last_prices)
        refused = mine.status in ("REJECTED", "DENIED")
        kind = "reject" if refused else _cause("quantity", mine, odd)
        why = f": {mine.reason}" if refused else ""
        text = f"{_words(mine)}, {theirs.quantity:f} in the backtest{why}"
        return _difference(kind, mine, text, cost)
    if mine.price != theirs.price:
        cost = (mine.price - theirs.price) * mine.quantity * mine.sign
        text = f"{_words(mine)} at {mine.price:f}, {theirs.price:f} in the backtest"
        return _difference(_cause("fill_price", mine, odd), mine, text, cost)
    if abs(mine.ts_filled - theirs.ts_filled) > tolerance_ns:
        seconds = (mine.ts_filled - theirs.ts_filled) / SECOND
        text = f"{_words(mine)}: {seconds:+.1f} s against the backtest"
        return _difference(_cause("timing", mine, odd), mine, text, Decimal(0))
    return None


def _worth(leg: Leg, last_prices: dict[str, Decimal]) -> Decimal:
    """Return what an order has gained by the end of the day, its position valued there."""
    last = last_prices.get(leg.symbol, leg.price)
    return (last - leg.price) * leg.quantity * leg.sign - leg.fee


def _cause(kind: str, leg: Leg, odd: Sequence[tuple[str, int]]) -> str:
    """Blame the data where the bars that led to an order were not the same."""
    until = leg.ts_filled or leg.ts_sent
    before = [ts for symbol, ts in odd if symbol == leg.symbol and ts <= until]
    return "data" if before else kind


def _difference(kind: str, leg: Leg, text: str, cost: Decimal) -> Difference:
    return Difference(
        kind=kind,
        symbol=leg.symbol,
        ts=leg.ts_filled or leg.ts_sent,
        text=text,
        cost=cost,
        client_order_id=leg.client_order_id,
    )


def _words(leg: Leg) -> str:
    return f"{leg.strategy} {leg.side} {leg.quantity:f} {leg.symbol}"
