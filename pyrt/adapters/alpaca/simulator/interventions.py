"""What happens to the market on request: halts, corrected and canceled prints, any message."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec

from pyrt.adapters.alpaca.simulator.market.series import Series
from pyrt.adapters.alpaca.simulator.protocol.http import bad, refused
from pyrt.adapters.alpaca.simulator.protocol.wires import SECOND, is_pair
from pyrt.adapters.alpaca.simulator.streams.frames import (
    Bar,
    CancelError,
    CoinQuote,
    CoinTrade,
    Correction,
    DailyBar,
    Luld,
    Message,
    OrderBook,
    Quote,
    Stamp,
    Status,
    Trade,
    UpdatedBar,
)
from pyrt.adapters.alpaca.simulator.trading.desk import Desk
from pyrt.core.times import timestamp_ns
from pyrt.errors import ConfigError

UPDATE_DELAY = 30 * SECOND
"""From a revised print to the bar that takes note of it, ns."""
SECONDS_MAX = 1_000_000
HALTED = ("2", "Trading Halt")
RESUMED = ("3", "Resume")
BARS = (Bar, UpdatedBar, DailyBar)
KINDS: dict[bool, dict[str, type[Message]]] = {
    False: {
        one.__struct_config__.tag: one  # type: ignore[misc]
        for one in (Trade, Quote, *BARS, Correction, CancelError, Luld, Status)
    },
    True: {
        one.__struct_config__.tag: one  # type: ignore[misc]
        for one in (CoinTrade, CoinQuote, *BARS, OrderBook)
    },
}
"""For stocks and for pairs of coins: a message's letter and what it is."""


class Interventions:
    """Carries out what the control API asks of the market.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._market = desk.market_now

    def act(self, action: str, body: Mapping[str, Any]) -> dict[str, Any] | None:
        """Carry one out; None if it is none of ours. Refused if it makes no sense."""
        actions = {
            "halt": self._halt,
            "resume": self._resume,
            "correct": self._correct,
            "bust": self._bust,
            "publish": self._publish,
        }
        if action not in actions:
            return None
        actions[action](body)
        return {"ts": self._desk.now}

    def _series(self, body: Mapping[str, Any]) -> Series:
        series = self._market.series.get(str(body.get("symbol")))
        if series is None:
            raise refused(404, 40410000, f"no such symbol: {body.get('symbol')}")
        return series

    # -- halts ---------------------------------------------------------------------------------

    def _halt(self, body: Mapping[str, Any]) -> None:
        symbol, seconds = self._series(body).symbol, body.get("seconds")
        if seconds is not None and not (_is_number(seconds) and seconds < SECONDS_MAX):
            raise bad(f"invalid seconds: {seconds}")
        self._desk.exchange.halt(symbol)
        self._tell(symbol, HALTED, body)
        if seconds is not None:
            later = self._desk.now + int(seconds * SECOND)
            self._desk.agenda.add(later, partial(self._resume, {"symbol": symbol}))

    def _resume(self, body: Mapping[str, Any]) -> None:
        symbol = self._series(body).symbol
        self._desk.exchange.resume(symbol)
        self._tell(symbol, RESUMED, body)

    def _tell(self, symbol: str, status: tuple[str, str], body: Mapping[str, Any]) -> None:
        if is_pair(symbol):
            return
        reason = {name: str(body.get(name, "")) for name in ("rc", "rm")}
        stamp = Stamp(self._desk.now)
        self._market.add([Status(S=symbol, sc=status[0], sm=status[1], t=stamp, **reason)])

    # -- prints --------------------------------------------------------------------------------

    def _print(self, body: Mapping[str, Any]) -> tuple[Series, int, Trade]:
        """Return a stock's print that has happened, by its number or the last one."""
        series = self._series(body)
        known = series.known("trades", self._desk.now)
        number = body.get("id", known)
        if series.is_pair or not isinstance(number, int) or not 1 <= number <= known:
            raise refused(404, 40410000, f"no such print: {number}")
        message = series.message("trades", number - 1)
        assert isinstance(message, Trade)
        return series, number - 1, message

    def _correct(self, body: Mapping[str, Any]) -> None:
        series, row, old = self._print(body)
        price, size = body.get("price", old.p), body.get("size", old.s)
        if not (_is_number(price) and _is_number(size) and isinstance(size, int)):
            raise bad("price and size must be numbers above zero")
        known = series.known("trades", self._desk.now)
        new = known + len(series.revised) + 1_000_000_000
        self._market.add([
            Correction(
                S=old.S, oi=old.i, op=old.p, os=old.s, ci=new, cp=float(price), cs=size,
                t=Stamp(self._desk.now),
            )
        ])  # fmt: skip
        self._revise(series, row, (float(price), size))

    def _bust(self, body: Mapping[str, Any]) -> None:
        series, row, old = self._print(body)
        stamp = Stamp(self._desk.now)
        self._market.add([CancelError(S=old.S, i=old.i, p=old.p, s=old.s, t=stamp)])
        self._revise(series, row, None)

    def _revise(self, series: Series, row: int, to: tuple[float, int] | None) -> None:
        """Note what became of a print; the bar it was in is sent again a while later."""
        series.revised[row] = to
        bar_row = series.bar_of_print(row)
        if bar_row is not None:
            later = self._desk.now + UPDATE_DELAY
            self._desk.agenda.add(later, lambda: self._market.add([series.updated_bar(bar_row)]))

    # -- anything ------------------------------------------------------------------------------

    def _publish(self, body: Mapping[str, Any]) -> None:
        given = body.get("messages")
        if not isinstance(given, list):
            raise bad("messages is required")
        self._market.add([self._read(message) for message in given])

    def _read(self, given: Any) -> Message:
        fields = dict(given) if isinstance(given, dict) else {}
        kind = KINDS[is_pair(str(fields.get("S")))].get(str(fields.pop("T", "")))
        if kind is None:
            raise bad(f"no such message: {given}")
        time = fields.pop("t", None)
        try:
            stamp = Stamp(self._desk.now if time is None else timestamp_ns(time))
            message = msgspec.convert({**fields, "t": stamp, "T": given["T"]}, kind)
        except (msgspec.ValidationError, ConfigError) as error:
            raise bad(f"invalid message: {error}") from None
        if isinstance(message, BARS) and not is_pair(message.S):
            # Whole shares are whole numbers on the wire: clients in typed languages insist.
            message.v = int(message.v)
        return message


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e12
