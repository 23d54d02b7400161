"""Fees as fills accrue them, until the broker says what it took; the difference is an entry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from pyrt.live.core.broker import BrokerAdjustment

NEW_YORK = ZoneInfo("America/New_York")
SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CashEntry:
    """A change of cash that no fill made.

    Attributes
    ----------
    kind : str
        ``fee_difference``, or the adjustment's kind.
    amount : Decimal
        What cash gains; of a difference, what was accrued less what the broker took.
    accrued, charged : Decimal
        Of a difference, its two sides, both positive for costs.
    """

    kind: str
    ts_event: int
    amount: Decimal
    activity_id: str
    symbol: str = ""
    accrued: Decimal = Decimal(0)
    charged: Decimal = Decimal(0)


class FeeLedger:
    """What fills were taken to cost, by New York date, until the broker's fees come for it."""

    def __init__(self) -> None:
        self._accrued: dict[str, Decimal] = {}

    def accrue(self, ts_event: int, fee: Decimal) -> None:
        """Note what a fill was taken to cost."""
        if fee:
            day = fee_day(ts_event)
            self._accrued[day] = self._accrued.get(day, Decimal(0)) + fee

    def restore(self, by_day: Mapping[str, str]) -> None:
        """Go on from what earlier runs have accrued, in place of what there is."""
        self._accrued = {day: Decimal(fee) for day, fee in by_day.items()}

    @property
    def by_day(self) -> dict[str, str]:
        """New York date → what was accrued and not charged yet, as decimal texts."""
        return {day: f"{fee:f}" for day, fee in self._accrued.items()}

    @property
    def accrued(self) -> Decimal:
        """All that the broker has not charged yet."""
        return sum(self._accrued.values(), Decimal(0))

    def entries(self, adjustments: Iterable[BrokerAdjustment]) -> list[CashEntry]:
        """Return what cash has to change by for adjustments that are new, oldest first.

        The broker's fees of a date replace what was accrued up to that date: what comes of both
        is one entry. Fees of the same date that come later stand for themselves.
        """
        found: list[CashEntry] = []
        charged: dict[str, list[BrokerAdjustment]] = {}
        for change in adjustments:
            if change.kind == "fee":
                if change.quantity and not change.amount:
                    # Taken in what was bought: what accrued in money is still to come.
                    continue
                charged.setdefault(_date(change.ts_event, UTC), []).append(change)
            elif change.amount:
                found.append(
                    CashEntry(
                        kind=change.kind,
                        ts_event=change.ts_event,
                        amount=change.amount,
                        activity_id=change.activity_id,
                        symbol=change.symbol,
                    )
                )
        for day in sorted(charged):
            found.append(self._difference(day, charged[day]))
        return sorted(found, key=lambda entry: (entry.ts_event, entry.activity_id))

    def _difference(self, day: str, changes: list[BrokerAdjustment]) -> CashEntry:
        due = [each for each in self._accrued if each <= day]
        accrued = sum((self._accrued.pop(each) for each in due), Decimal(0))
        charged = -sum((change.amount for change in changes), Decimal(0))
        return CashEntry(
            kind="fee_difference",
            ts_event=max(change.ts_event for change in changes),
            amount=accrued - charged,
            activity_id=f"accrued-{changes[0].activity_id}",
            accrued=accrued,
            charged=charged,
        )


def fee_day(ts_event: int) -> str:
    """Return the New York date of a fill: its fees are charged by that."""
    return _date(ts_event, NEW_YORK)


def _date(ts: int, zone: ZoneInfo | object) -> str:
    return datetime.fromtimestamp(ts // SECOND, zone).date().isoformat()  # type: ignore[arg-type]
