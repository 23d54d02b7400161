"""Whatever happens, no approved order can take the worst case past a limit."""

from __future__ import annotations

import struct
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pyrt.risk import Limits, RiskEngine
from pyrt.testing.gates import GateRig
from pyrt.venues.capabilities import Capabilities
from tests.reference.margin import up
from tests.reference.risk import (
    FINAL,
    joint_total,
    leaves,
    left_of,
    opening_value,
    pending,
    price_name,
    worst_case,
    worst_price,
)  # fmt: skip

POSITION_MAX = Decimal(100)
OPEN_ORDERS_MAX = 12
CHANGES_MAX = 3
SYMBOLS = ("AAA", "BBB", "CCC")
OPEN_SYMBOLS_MAX = 2
GROSS_MAX = Decimal(12_000)
# Share of its value that what waits takes of the buying power, by account.
POWER = {"cash": Fraction(1), "margin": Fraction(1, 2)}
# A venue without stops and groups: what exits there are is kept on our side.
PLAIN = Capabilities(
    order_types={"market", "limit"}, times_in_force={"day", "gtc"}, groups=(), instructions=()
)
STATES = ("active", "active", "active", "reducing", "halted")


class Sums(NamedTuple):
    """Of one symbol: what is held, and the units and values still to be bought and sold."""

    held: Decimal
    units: tuple[Decimal, Decimal]
    values: tuple[Decimal, Decimal]


class World:
    """A rig driven by numbers, with a slow account of all that left beside it."""

    def __init__(self, account: str, *, keeps: bool) -> None:
        self.power_share = POWER[account]
        self.keeps = keeps
        limits = Limits(
            max_position_quantity=POSITION_MAX,
            max_open_orders=OPEN_ORDERS_MAX,
            max_open_positions=OPEN_SYMBOLS_MAX,
            max_gross_exposure=GROSS_MAX,
            require_buying_power=True,
        )
        self.rig = GateRig(
            RiskEngine(limits), symbols=SYMBOLS, prices=100, strategies=2, account=account,
            capabilities=PLAIN if keeps else None,
        )  # fmt: skip
        self.sent: list[Any] = []
        self.left_so_far = 0
        self.waiting: dict[Any, list[dict[str, Any]]] = {}
        self.asked_at: dict[Any, list[Decimal]] = {}
        self.refused: dict[Any, int] = {}
        self.asked: dict[Any, Decimal] = {}
        self.totals: dict[Any, Decimal] = {}
        self.marked: dict[Any, Decimal] = {}
        self.marks = dict.fromkeys(SYMBOLS, Decimal(100))
        self.state = "active"

    # -- one step ------------------------------------------------------------------------------

    def step(self, number: int) -> None:
        """Do what a number says, then compare."""
        number, kind = divmod(number, 16)
        if kind < 5:
            self.place(number)
        elif kind < 8:
            self.fill(number)
        elif kind < 10:
            self.end(number)
        elif kind == 10:
            self.cancel(number)
        elif kind < 13:
            self.modify(number)
        elif kind == 13:
            self.change_state(number)
        elif kind == 14:
            before = self.worst()
            self.rig.close(SYMBOLS[number % 3], number // 3 % 2)
            self.after_leaving(before, self.collect())
        else:
            before = self.worst()
            symbol = SYMBOLS[number // 100 % 3]
            self.marks[symbol] = Decimal(50 + number % 100)
            self.rig.price(float(self.marks[symbol]), symbol)
            self.collect()
            if self.state == "reducing":
                self.is_not_larger(before)
        # What has waited for an answer may leave with it.
        self.collect()
        self.compare()

    def place(self, number: int) -> None:
        number, symbol = divmod(number, 3)
        number, strategy = divmod(number, 2)
        number, side = divmod(number, 2)
        number, shape = divmod(number, 5)
        quantity = 1 + number % 60
        terms: dict[str, Any] = {}
        if shape == 4 and self.keeps:
            terms = {"stop_price": 50 + number % 100}
        elif shape in (1, 4):
            terms = {"limit_price": 50 + number % 100}
        elif shape == 2:
            if number // 60 % 2:
                terms["limit_price"] = 50 + number % 100
            around = terms.get("limit_price", self.marks[SYMBOLS[symbol]])
            terms |= self.exits(1 - 2 * side, int(around))
        elif shape == 3:
            self.place_pair(SYMBOLS[symbol], strategy, number)
            return
        before = self.worst()
        self.rig.order(("buy", "sell")[side], quantity, SYMBOLS[symbol], strategy, **terms)
        self.after_leaving(before, self.collect())

    def exits(self, sign: int, around: int) -> dict[str, Any]:
        """Exits of a position of that sign; those that are kept here are met by prices."""
        low, high = (around - 20, around + 20) if self.keeps else (1, 500)
        return {
            "take_profit": high if sign > 0 else low, "stop_loss": low if sign > 0 else high,
        }  # fmt: skip

    def place_pair(self, symbol: str, strategy: int, number: int) -> None:
        """Send two of which one cancels the other: exits of what is held, else entries."""
        held = self.position(symbol, strategy).quantity
        if held:
            terms = self.exits(1 if held > 0 else -1, int(self.marks[symbol]))
            side = "sell" if held > 0 else "buy"
            self.rig.order(side, 1 + number % 150, symbol, strategy, oco=True, **terms)
            self.collect()
        else:
            number, side = divmod(number, 4)
            near, far = (50 + number % 100, 50 + number // 100 % 100)
            entry = {"symbol": symbol, "quantity": 1 + number % 60}
            before = self.worst()
            self.rig.kernel.strategies[strategy].pair(
                {**entry, "side": ("buy", "sell")[side % 2], "limit_price": near},
                {**entry, "side": ("buy", "sell")[side // 2], "stop_price": far},
            )
            self.rig.settle()
            if self.collect() and self.state == "reducing":
                self.is_not_larger(before)

    def fill(self, number: int) -> None:
        working = [o for o in self.at_venue() if self.left(o) > 0]
        if working:
            number, place = divmod(number, len(working))
            order = working[place]
            units = 1 + number % int(self.left(order))
            self.rig.fill(order, units)
            self.follow_pair(order, units)

    def follow_pair(self, order: Any, units: int) -> None:
        """Do to the other of a pair what a venue does: shrink it, or cancel it at the end."""
        other = order.sibling
        if other is None or other.status in FINAL or other not in self.sent:
            return
        if order.status == "FILLED" and (order.parent is None or order.parent.status in FINAL):
            self.rig.answer("cancel", other)
        elif self.is_venue_pair(order):
            if other.status == "SENT":
                self.rig.answer("accept", other)
            self.tell_terms(other, quantity=other.quantity_exact - units)

    def is_venue_pair(self, order: Any) -> bool:
        """Whether a venue lets an order and another fill one quantity together."""
        return order.sibling is not None and order.parent is None and not self.keeps

    def end(self, number: int) -> None:
        working = self.at_venue()
        if working:
            number, place = divmod(number, len(working))
            order = working[place]
            # Mostly accepted at first, so that there is something to change.
            answers = ("accept",) * (9 if order.status == "SENT" else 1)
            answers += ("reject", "cancel", "expire", "unknown")
            answer = answers[number % len(answers)]
            if order.status == "PARTIALLY_FILLED" and answer in ("accept", "reject"):
                answer = "cancel"
            if order.status == "ACCEPTED" and answer == "accept":
                answer = "expire"
            self.rig.answer(answer, order)
            if order.status in FINAL:
                self.waiting.pop(order, None)
                self.asked.pop(order, None)

    def cancel(self, number: int) -> None:
        working = self.working()
        if working:
            order = working[number % len(working)]
            before = len(self.rig.venue.withdrawn)
            if self.rig.cancel(order) or order.status in FINAL:
                return
            # It leaves in every state of the gate; only asked twice it does not.
            assert before > 0
            assert order in self.rig.venue.withdrawn

    def modify(self, number: int) -> None:
        working = [
            o
            for o in self.sent
            if o.status in ("ACCEPTED", "PARTIALLY_FILLED", "EMULATED")
            and len(self.waiting.get(o, ())) < CHANGES_MAX
            and price_name(o) is not None
        ]
        if not working:
            return
        number, place = divmod(number, len(working))
        number, answer = divmod(number, 4)
        number, kind = divmod(number, 3)
        order = working[place]
        terms: dict[str, Any] = {}
        if kind != 1:
            terms["quantity"] = Decimal(1 + number % 60)
        if kind != 0:
            terms[str(price_name(order))] = 50 + number % 100
        if terms.get("quantity", order.quantity_exact) <= order.filled_quantity_exact:
            return
        self.ask(order, terms)
        if answer and order in self.waiting:
            self.answer_change(order, ("modified", "modify_rejected")[answer % 2])
        elif set(terms) == {"quantity"} and len(self.waiting.get(order, ())) == 1 and number % 2:
            self.tell_terms(order)

    def ask(self, order: Any, terms: dict[str, Any]) -> None:
        """Ask for a change, beside those that are on their way."""
        before, value = self.worst(), self.gross()
        left = self.rig.modify(order, **terms)
        other = None if self.keeps else order.sibling
        if other is not None and other.status not in FINAL:
            assert not (left and "quantity" in terms), "what the other has filled may be untold"
        if not left:
            # What is denied values the order anew as well.
            self.marked[order] = self.marks[order.symbol]
            return
        assert self.state != "halted"
        if order.status == "EMULATED":
            # It is changed on our side, at once.
            return
        self.waiting.setdefault(order, []).append(terms)
        self.asked_at.setdefault(order, []).append(self.marks[order.symbol])
        self.count_asked(order)
        if self.state == "reducing":
            self.is_not_larger(before)
        # Which of several was refused nobody says: one that asks for no more than that may leave.
        is_known = not self.keeps and order not in self.refused
        enters = self.held(order.symbol) * order.side_sign >= 0
        if is_known and (enters or self.worst()[order.symbol] > before[order.symbol]):
            assert self.gross() <= max(GROSS_MAX, value)

    def count_asked(self, order: Any) -> None:
        """Note the largest total that changes under way ask for; 0 where they leave it alone."""
        if self.waiting.get(order):
            totals = (Decimal(t.get("quantity", 0)) for t in self.waiting[order])
            self.asked[order] = max(totals)
        else:
            for kept in (self.waiting, self.asked, self.asked_at, self.refused):
                kept.pop(order, None)

    def answer_change(self, order: Any, answer: str) -> None:
        """Let the venue answer the oldest change that is on its way."""
        terms = self.waiting[order].pop(0)
        self.asked_at[order].pop(0)
        if terms.get("quantity", order.quantity_exact) <= order.filled_quantity_exact:
            answer = "modify_rejected"
        if answer == "modified":
            self.rig.answer(answer, order, **terms)
            self.totals[order] = max(self.totals[order], joint_total(order, order.quantity_exact))
        else:
            self.rig.answer(answer, order)
            self.refused[order] = self.refused.get(order, 0) + 1
        self.count_asked(order)
        self.marked[order] = self.marks[order.symbol]

    def tell_terms(self, order: Any, **terms: Decimal) -> None:
        """Tell terms of the venue's own accord while a change is under way: no answer to it."""
        self.rig.answer("modified", order, **terms)
        self.totals[order] = max(self.totals[order], joint_total(order, order.quantity_exact))
        self.marked[order] = self.marks[order.symbol]
        changes = self.waiting.get(order, [])
        if changes and all(getattr(order, name) == value for name, value in changes[0].items()):
            # It asks for what is in force already.
            changes.pop(0)
            self.asked_at[order].pop(0)
            self.count_asked(order)

    def change_state(self, number: int) -> None:
        self.state = STATES[number % len(STATES)]
        self.rig.gate.set_state(self.state, "test", "as the numbers say")

    # -- what is known apart from the engine ---------------------------------------------------

    def collect(self) -> list[Any]:
        """Return what has left or is kept since the last time, entries with their exits."""
        left = self.rig.venue.submitted[self.left_so_far :]
        self.left_so_far += len(left)
        assert not (left and self.state == "halted"), "an order left while halted"
        kept = [o for o in self.rig.kernel.cache.orders_open() if o.status == "EMULATED"]
        new = []
        for order in left + kept:
            for each in (order, order.take_profit, order.stop_loss, order.sibling):
                if each is not None and each not in new and each not in self.sent:
                    new.append(each)
        self.sent += new
        self.marked |= {order: self.marks[order.symbol] for order in new}
        self.totals |= {order: joint_total(order, order.quantity_exact) for order in new}
        return new

    def left(self, order: Any) -> Decimal:
        """Units that an order may still fill by the terms in force."""
        return leaves(order, {}, self.totals)

    def working(self, symbol: str | None = None) -> list[Any]:
        """Orders that may still fill, of a symbol or of all."""
        return [o for o in self.sent if o.status not in FINAL and symbol in (None, o.symbol)]

    def at_venue(self) -> list[Any]:
        """Orders that the venue has and may still fill."""
        return [o for o in self.working() if o.status not in ("INITIALIZED", "EMULATED")]

    def position(self, symbol: str, strategy: int) -> Any:
        return self.rig.kernel.strategies[strategy].position(symbol)

    def held(self, symbol: str) -> Decimal:
        return sum((self.position(symbol, n).quantity_exact for n in (0, 1)), Decimal(0))

    def worth(self, order: Any, units: Decimal) -> Decimal:
        """Largest value of what an order may still do, whichever changes under way are taken up.

        Terms are valued at the last price as of when they were told, or asked for.
        """
        mark, name = self.marked[order], price_name(order)
        if name is None:
            return units * mark
        if order not in self.waiting:
            return units * worst_price(order, mark, getattr(order, name))
        reached = {(order.quantity_exact, worst_price(order, mark, getattr(order, name)))}
        for terms, asked_at in zip(self.waiting[order], self.asked_at[order], strict=True):
            own = worst_price(order, asked_at, terms.get(name))
            reached |= {
                (terms.get("quantity", total), own if name in terms else price)
                for total, price in reached
            }
        return max(left_of(order, total, self.totals) * price for total, price in reached)

    def sums(self) -> dict[str, Sums]:
        """What the orders of each symbol may still do."""
        found = {}
        for symbol in SYMBOLS:
            mine, held = self.working(symbol), self.held(symbol)
            units = pending(mine, self.asked, self.totals)
            found[symbol] = Sums(held, units, pending(mine, self.asked, self.totals, self.worth))
        return found

    def gross(self, sums: dict[str, Sums] | None = None) -> Decimal:
        """Sum of the values that the positions can get to."""
        total = Decimal(0)
        for symbol, (held, _, (buys, sells)) in (sums or self.sums()).items():
            value = held * self.marks[symbol]
            total += max(abs(value + buys), abs(value - sells))
        return total

    def power(self, sums: dict[str, Sums]) -> Fraction:
        """What all that waits takes of the buying power."""
        total = Fraction(0)
        for held, units, values in sums.values():
            for side, waiting, value in zip((1, -1), units, values, strict=True):
                if waiting == 0:
                    continue
                back = -side * Fraction(held)
                opens = opening_value(Fraction(waiting), Fraction(value), back)
                total += up(opens * self.power_share)
        return total

    def worst(self) -> dict[str, Decimal]:
        """Largest size, either way, that each symbol's position can get."""
        found = {}
        for symbol in SYMBOLS:
            mine = self.working(symbol)
            most, least = worst_case(mine, self.held(symbol), self.asked, self.totals)
            found[symbol] = max(abs(most), abs(least))
        return found

    # -- what has to hold ----------------------------------------------------------------------

    def after_leaving(self, before: dict[str, Decimal], new: list[Any]) -> None:
        if new and self.state == "reducing":
            self.is_not_larger(before)
        if any(size > before[symbol] for symbol, size in self.worst().items()):
            working = self.working()
            assert len(working) <= OPEN_ORDERS_MAX
            assert self.keeps or self.gross() <= GROSS_MAX

    def is_not_larger(self, before: dict[str, Decimal]) -> None:
        for symbol, size in self.worst().items():
            assert size <= before[symbol], "exposure was raised while reducing"

    def compare(self) -> None:
        for order in [o for o in self.waiting if o.status in FINAL]:
            self.waiting[order].clear()
            self.count_asked(order)
        sums = self.sums()
        for symbol, (now, (buys, sells), _) in sums.items():
            size = max(abs(now + buys), abs(now - sells))
            assert size <= POSITION_MAX, f"{symbol} could get to {size}"
        working = self.working()
        held = {s for s in SYMBOLS if sums[s].held}
        ordered = {o.symbol for o in working if leaves(o, self.asked, self.totals) > 0}
        assert len(held | ordered) <= OPEN_SYMBOLS_MAX
        self.sums_are_those_of_the_orders(sums)

    def sums_are_those_of_the_orders(self, sums: dict[str, Sums]) -> None:
        """The engine's running sums are what a loop over all orders gives.

        Of several changes under way an answer does not tell which it is about, and of a change of
        both quantity and price either counts at its worst: then the sums are no less.
        """
        claims, unit = self.rig.gate.claims, Decimal(10) ** -9
        is_exact = all(
            len(changes) + self.refused.get(order, 0) < 2 for order, changes in self.waiting.items()
        )
        for index, symbol in enumerate(SYMBOLS):
            held, buys, sells = claims.worst_case(index)
            now, (bought, sold), _ = sums[symbol]
            assert (held + buys) * unit >= now + bought
            assert (held - sells) * unit <= now - sold
            if is_exact and not self.keeps:
                assert (held + buys) * unit == now + bought
                assert (held - sells) * unit == now - sold
        assert len(self.rig.gate.claims) == len(self.working())
        if self.keeps:
            return
        gross, power = claims.totals()[0], Fraction(claims.power_taken())
        least_gross, least_power = self.gross(sums), self.power(sums)
        assert gross >= float(least_gross) * (1 - 1e-12)
        assert power >= least_power
        if is_exact and not self.waiting:
            assert gross == pytest.approx(float(least_gross))
            assert power == least_power


def run(numbers: list[int]) -> None:
    world = World(("cash", "margin")[numbers[0] % 2], keeps=numbers[0] % 6 > 3)
    for number in numbers:
        world.step(number)


def numbers_of(drawn: bytes) -> list[int]:
    """Return a number for each four bytes.

    They are drawn evenly: of large integers Hypothesis draws mostly small ones, whose higher
    digits say nothing, and those sequences met few of the states in which faults were.
    """
    return [number for (number,) in struct.iter_unpack("<I", drawn[: len(drawn) // 4 * 4])]


def steps(least: int, most: int) -> st.SearchStrategy[list[int]]:
    return st.binary(min_size=4 * least, max_size=4 * most).map(numbers_of)


@settings(max_examples=2_000)
@example([0, 6, 14])
@given(steps(5, 40))
def test_no_sequence_takes_the_worst_case_past_a_limit(numbers: list[int]) -> None:
    run(numbers)


@pytest.mark.nightly
@pytest.mark.timeout(10_800)
@settings(max_examples=20_000)
@given(steps(200, 200))
def test_no_long_sequence_takes_the_worst_case_past_a_limit(numbers: list[int]) -> None:
    run(numbers)
