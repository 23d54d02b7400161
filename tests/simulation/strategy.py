"""A strategy that does everything a strategy may, drawn from its seed and the time."""

from __future__ import annotations

from random import Random
from typing import Any

from pyrt import Strategy
from pyrt.core.data import Bar
from tests.simulation.chances import (
    PATIENT_FROM,
    REPLACING_FROM,
    SHARING_FROM,
    SPENDING_FROM,
    STRICT_FROM,
)

SIZES = (1, 3, 7, 12, 30)
VERSATILE_FROM = 50_000
"""Seeds from here on trade more kinds of orders; those before keep what they have found."""
FAR = 0.02


class Restless(Strategy):
    """Buys, sells, brackets, cancels, modifies, closes; what it does depends on seed and bar alone.

    A strategy brought back after a crash therefore goes on as it would have.
    """

    symbol: str = "SPY"
    seed: int = 0
    raises_at: int = 0
    floods_at: int = 0

    def on_start(self) -> None:
        self.subscribe_bars(self.symbol, "1m")
        self.bars = 0
        self.seen: list[str] = []

    def on_bar(self, bar: Bar) -> None:
        self.bars += 1
        draw = Random(f"{self.seed}:{bar.ts_event}")
        if self.raises_at and self.bars == self.raises_at:
            raise ArithmeticError("the strategy of this schedule raises")
        times = draw.choice((1, 2, 3))
        for _ in range(200 if self.floods_at and self.bars == self.floods_at else times):
            self.act(draw, bar.close)

    def act(self, draw: Random, price: float) -> None:
        """Do one thing, or nothing."""
        near = round(price + draw.uniform(-0.4, 0.4), 2)
        size = draw.choice(SIZES)
        choice = draw.randrange(12)
        orders = self.orders(self.symbol)
        if choice < 3:
            draw.choice((self.buy, self.sell))(self.symbol, size)
        elif choice < 6:
            draw.choice((self.buy, self.sell))(self.symbol, size, limit_price=near)
        elif choice == 6:
            self.buy(self.symbol, size, stop_price=round(price + 0.2, 2))
        elif choice == 7 and self.position(self.symbol).is_flat:
            self.buy(
                self.symbol, size,
                take_profit=round(price + 0.3, 2), stop_loss=round(price - 0.3, 2),
            )  # fmt: skip
        elif choice == 8 and orders:
            self.cancel(draw.choice(orders))
        elif choice == 9 and orders:
            order = draw.choice(orders)
            if order.limit_price is not None:
                changes = {"limit_price": near} if draw.random() < 0.7 else {"quantity": size}
                self.modify(order, **changes)
        elif choice == 10:
            self.close(self.symbol)

    def on_fill(self, fill: Any) -> None:
        self.seen.append(fill.execution_id)

    def is_in_order(self) -> bool:
        """Whether each fill was told once, and an order's fills in their order."""
        last: dict[str, int] = {}
        for execution in self.seen:
            # An execution's id ends with the cumulative quantity after it.
            name, _, cumulative = execution.rpartition("-")
            if int(cumulative) <= last.get(name, 0):
                return False
            last[name] = int(cumulative)
        return True

    def on_save(self) -> dict[str, Any]:
        return {"bars": self.bars}

    def on_load(self, state: dict[str, Any]) -> None:
        self.bars = state["bars"]


class Versatile(Restless):
    """Trades the other kinds of orders too: stop-limits, trailing stops, short brackets, pairs."""

    def act(self, draw: Random, price: float) -> None:
        """Do one thing, or nothing: as often as not one of these."""
        if draw.random() < 0.5:
            super().act(draw, price)
            return
        kinds = (self.enter, self.bracket, self.protect, self.pair_up, self.move)
        draw.choice(kinds)(draw, price, draw.choice(SIZES))

    def enter(self, draw: Random, price: float, size: int) -> None:
        """Wait for a breakout on either side."""
        way = draw.choice((1, -1))
        send = self.buy if way > 0 else self.sell
        terms = {"stop_price": round(price + 0.2 * way, 2)}
        if draw.random() < 0.5:
            terms["limit_price"] = round(price + 0.4 * way, 2)
        send(self.symbol, size, **terms)

    def bracket(self, draw: Random, price: float, size: int) -> None:
        """Enter with exits, long or short, at the market or at a limit."""
        if not self.position(self.symbol).is_flat:
            return
        way = draw.choice((1, -1))
        send = self.buy if way > 0 else self.sell
        entry = round(price - 0.1 * way, 2)
        terms: dict[str, Any] = {"stop_loss": round(entry - 0.3 * way, 2)}
        if draw.random() < 0.7:
            terms["take_profit"] = round(entry + 0.3 * way, 2)
        if draw.random() < 0.5:
            terms["limit_price"] = entry
        send(self.symbol, size, **terms)

    def protect(self, draw: Random, price: float, size: int) -> None:
        """Guard what is held: by a stop that stays or follows, or by a limit that only reduces."""
        held = self.position(self.symbol).quantity
        if not held:
            return
        way = 1 if held > 0 else -1
        send = self.sell if way > 0 else self.buy
        units = draw.choice((abs(held), size))
        terms: dict[str, Any] = draw.choice(
            (
                {"stop_price": round(price - 0.3 * way, 2)},
                {"trail_amount": 0.3},
                {"trail_percent": 1},
                {"limit_price": round(price + 0.3 * way, 2), "reduce_only": True},
            )
        )
        send(self.symbol, units, **terms)

    def pair_up(self, draw: Random, price: float, size: int) -> None:
        """Guard what is held by a pair, of which one cancels the other."""
        held = self.position(self.symbol).quantity
        if not held:
            return
        way = 1 if held > 0 else -1
        self.oco(
            self.symbol, min(size, abs(held)),
            take_profit=round(price + 0.3 * way, 2), stop_loss=round(price - 0.3 * way, 2),
        )  # fmt: skip

    def move(self, draw: Random, price: float, size: int) -> None:
        """Change the trigger or the quantity of an order that has one."""
        orders = [order for order in self.orders(self.symbol) if order.stop_price is not None]
        if not orders:
            return
        order = draw.choice(orders)
        if order.trail_amount is not None or order.trail_percent is not None:
            return
        way = order.side_sign
        changes: dict[str, Any] = {"stop_price": round(price + draw.uniform(0.1, 0.4) * way, 2)}
        if draw.random() < 0.3:
            changes = {"quantity": size}
        self.modify(order, **changes)


class Patient(Versatile):
    """Keeps orders where no price comes by, and cancels them: nothing else ends those."""

    def act(self, draw: Random, price: float) -> None:
        """Do one thing, or nothing: one time in three this."""
        if draw.random() >= 0.35:
            super().act(draw, price)
            return
        waiting = [
            order
            for order in self.orders(self.symbol)
            if order.limit_price is not None and abs(order.limit_price / price - 1) > FAR
        ]
        if waiting and draw.random() < 0.6:
            self.cancel(draw.choice(waiting))
            return
        way = draw.choice((1, -1))
        send = self.buy if way > 0 else self.sell
        send(self.symbol, 1, limit_price=round(price * (1 - 1.5 * FAR * way), 2))


class Spending(Patient):
    """Buys for so many dollars too, as one who does not count shares."""

    def act(self, draw: Random, price: float) -> None:
        """Do one thing, or nothing: one time in five this."""
        if draw.random() < 0.2:
            self.buy(self.symbol, notional=draw.choice((20, 123.45, 700)))
            return
        super().act(draw, price)


class Lasting(Spending):
    """Leaves some of its orders for the days to come."""

    def buy(self, symbol: str, quantity: Any = None, **terms: Any) -> Any:
        return super().buy(symbol, quantity, **self._lasting(quantity, terms))

    def sell(self, symbol: str, quantity: Any = None, **terms: Any) -> Any:
        return super().sell(symbol, quantity, **self._lasting(quantity, terms))

    def _lasting(self, quantity: Any, terms: dict[str, Any]) -> dict[str, Any]:
        """Return terms that last, four times in ten; what is no whole number lives for a day."""
        draw = Random(repr((self.seed, self.bars, quantity, sorted(terms.items()))))
        if quantity is None or quantity % 1 or draw.random() >= 0.4:
            return terms
        return {**terms, "time_in_force": "gtc"}


class Changing(Lasting):
    """Moves orders that no price comes by, and takes some back soon after."""

    def on_start(self) -> None:
        super().on_start()
        self.moved = ""
        self.set_timer("later", "11s", self.on_later)

    def act(self, draw: Random, price: float) -> None:
        """Do one thing, or nothing: one time in three this."""
        if draw.random() >= 0.35:
            super().act(draw, price)
            return
        waiting = [
            order
            for order in self.orders(self.symbol)
            if order.limit_price is not None and abs(order.limit_price / price - 1) > FAR
        ]
        if not waiting:
            way = draw.choice((1, -1))
            send = self.buy if way > 0 else self.sell
            send(self.symbol, 2, limit_price=round(price * (1 - 1.5 * FAR * way), 2))
            return
        order = draw.choice(waiting)
        self.moved = order.client_order_id
        self.modify(order, limit_price=round(order.limit_price + draw.choice((-0.05, 0.05)), 2))

    def on_later(self, event: Any) -> None:
        """Take back what was moved, one time in two."""
        draw = Random(f"{self.seed}:{event.ts_event}")
        for order in self.orders(self.symbol):
            if order.client_order_id == self.moved and draw.random() < 0.5:
                self.cancel(order)


class Turning(Changing):
    """Turns its position around, and says what it wants in place of what to do."""

    def act(self, draw: Random, price: float) -> None:
        """Do one thing, or nothing: three times in ten this."""
        if draw.random() >= 0.3:
            super().act(draw, price)
            return
        held = self.position(self.symbol).quantity
        way = draw.randrange(3)
        if way == 0:
            self.target_position(self.symbol, draw.choice((-5, -2, 0, 3, 6)))
        elif way == 1:
            self.target_position(self.symbol, -held if held else 4)
        else:
            self.close(self.symbol)


def kind_for(seed: int) -> type[Restless]:
    """Return what trades in a schedule: seeds keep the strategy that they were found with."""
    if seed >= SHARING_FROM:
        return Turning
    if seed >= REPLACING_FROM:
        return Changing
    if seed >= STRICT_FROM:
        return Lasting
    if seed >= SPENDING_FROM:
        return Spending
    if seed >= PATIENT_FROM:
        return Patient
    return Versatile if seed >= VERSATILE_FROM else Restless
