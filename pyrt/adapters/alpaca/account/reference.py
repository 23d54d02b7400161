"""What the broker says of assets and sessions, kept on disk for a while."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import numpy as np

from pyrt.adapters.alpaca.account.reading import Reader
from pyrt.core.instruments import Instrument, listed
from pyrt.data.clocks import from_wall, to_wall
from pyrt.errors import BrokerError, ConnectionLost
from pyrt.live.process.files import write_private
from pyrt.venues.sessions import NS_PER_DAY, sessions

DAY_S = 86_400
ZONE = "America/New_York"
EPOCH = date(1970, 1, 1)


class AssetView(msgspec.Struct, kw_only=True):
    """The fields of an Alpaca asset that decide anything; values not known to us are kept."""

    symbol: str
    asset_class: str = msgspec.field(name="class", default="us_equity")
    exchange: str = ""
    name: str = ""
    status: str = "active"
    tradable: bool = True
    marginable: bool = True
    shortable: bool = True
    fractionable: bool = True
    borrow_status: str = ""
    margin_requirement_long: str | None = None
    margin_requirement_short: str | None = None
    maintenance_margin_requirement: float | None = None
    min_order_size: str | None = None
    min_trade_increment: str | None = None
    price_increment: str | None = None


class CalendarDay(msgspec.Struct, kw_only=True):
    """A session by New York's clock; half days close early."""

    date: str
    open: str
    close: str


def instrument_of(asset: AssetView) -> Instrument:
    """Return an asset as the instrument that both worlds trade.

    Examples
    --------
    >>> instrument_of(AssetView(symbol="SPY", fractionable=False)).fractionable
    False
    """
    flags: dict[str, Any] = {"tradable": asset.tradable and asset.status == "active"}
    if asset.asset_class == "crypto":
        steps = {"step_size": asset.min_trade_increment, "tick_size": asset.price_increment}
        flags.update({name: value for name, value in steps.items() if value})
    else:
        flags.update(shortable=asset.shortable, marginable=asset.marginable, **_margin(asset))
        if not asset.fractionable:
            flags["step_size"] = 1
    return listed(asset.symbol, **flags)


def _margin(asset: AssetView) -> dict[str, Decimal]:
    """Return what has to be kept in a long and a short; the broker states percents."""
    stated = {
        "margin_long": asset.margin_requirement_long,
        "margin_short": asset.margin_requirement_short,
    }
    if asset.maintenance_margin_requirement is not None:
        # The older field is of both sides, and may be all there is.
        both = str(asset.maintenance_margin_requirement)
        stated = {name: value or both for name, value in stated.items()}
    return {name: Decimal(value) / 100 for name, value in stated.items() if value}


class Reference:
    """Assets and calendar, asked for once a day.

    Parameters
    ----------
    reader : Reader
    folder : path, optional
        Where answers are kept; nowhere by default.
    max_age_s : float
        Older answers are asked for again.
    """

    def __init__(
        self, reader: Reader, folder: Path | None = None, *, max_age_s: float = DAY_S
    ) -> None:
        self._reader = reader
        self._folder = folder
        self._max_age_s = max_age_s

    async def asset(self, symbol: str) -> AssetView | None:
        """Return an asset; None if the broker does not know it."""
        path = f"/v2/assets/{quote(symbol, safe='')}"
        try:
            body = await self._kept(f"asset-{symbol.replace('/', '-')}.json", path)
        except BrokerError as error:
            if error.values.get("status") != 404:
                raise
            return None
        return msgspec.json.decode(body, type=AssetView)

    async def instruments(self, symbols: Iterable[str]) -> list[Instrument]:
        """Return the instruments of symbols; one that the broker does not know may not trade."""
        found = []
        for symbol in symbols:
            asset = await self.asset(symbol)
            found.append(listed(symbol, tradable=False) if asset is None else instrument_of(asset))
        return found

    async def calendar(self, start: date, end: date) -> list[CalendarDay]:
        """Return the broker's sessions of some dates, both included."""
        path = f"/v2/calendar?start={start.isoformat()}&end={end.isoformat()}"
        body = await self._kept(f"calendar-{start}-{end}.json", path)
        return msgspec.json.decode(body, type=list[CalendarDay])

    async def calendar_differences(self, start: date, end: date) -> list[str]:
        """Return where the broker's calendar and ours differ; the broker's wins.

        Each is a line such as ``2024-11-29: 09:30-13:00 at the broker, 09:30-16:00 here``.
        """
        return differences(await self.calendar(start, end), start, end)

    async def _kept(self, name: str, path: str) -> bytes:
        """Return an answer from the disk if it is fresh, else from the broker.

        An old one is better than none where the broker does not answer.
        """
        place = None if self._folder is None else self._folder / name
        if place is None:
            return msgspec.json.encode(await self._reader.get(path))
        # A disk that keeps nothing, as that of a service without a home, costs a request.
        with suppress(OSError):
            if time.time() - place.stat().st_mtime < self._max_age_s:
                return place.read_bytes()
        try:
            body = msgspec.json.encode(await self._reader.get(path))
        except ConnectionLost:
            with suppress(OSError):
                return place.read_bytes()
            raise
        with suppress(OSError):
            write_private(place, body)
        return body


def differences(days: Sequence[CalendarDay], start: date, end: date) -> list[str]:
    """Compare the broker's sessions with ours over some dates, both included."""
    theirs = {day.date: (_wall(day.date, day.open), _wall(day.date, day.close)) for day in days}
    first = (start - EPOCH).days * NS_PER_DAY
    table = sessions("XNYS", first - NS_PER_DAY, (end - EPOCH).days * NS_PER_DAY + 2 * NS_PER_DAY)
    ours = {}
    for opened, closed, day in zip(table.open, table.close, table.date, strict=True):
        when = EPOCH + timedelta(days=int(day))
        if start <= when <= end:
            ours[when.isoformat()] = (int(opened), int(closed))
    return [
        f"{day}: {_text(theirs.get(day))} at the broker, {_text(ours.get(day))} here"
        for day in sorted({*theirs, *ours})
        if theirs.get(day) != ours.get(day)
    ]


def _wall(day: str, clock: str) -> int:
    """Return the instant of a New York time."""
    hours, minutes = (int(part) for part in clock.split(":"))
    midnight = (date.fromisoformat(day) - EPOCH).days * NS_PER_DAY
    wall = midnight + (hours * 60 + minutes) * 60_000_000_000
    return int(from_wall(np.array([wall], np.int64), ZONE)[0])


def _text(span: tuple[int, int] | None) -> str:
    if span is None:
        return "no session"
    minutes = [int(ts) // 60_000_000_000 % 1440 for ts in to_wall(np.array(span, np.int64), ZONE)]
    return "-".join(f"{each // 60:02d}:{each % 60:02d}" for each in minutes)
