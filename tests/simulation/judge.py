"""Judgment of one schedule: each request as it leaves, and all that is there at the end."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from pyrt.live.core.restore import position_state
from pyrt.live.driver.run import RUNNING, STOPPED
from pyrt.live.journal.journal import Journal
from tests.simulation.checks import FINAL, Violation
from tests.simulation.clock import SECOND
from tests.simulation.exchange import CASH
from tests.simulation.exposure import Exposure, exposure_of, name_of, symbol_and_side
from tests.simulation.ledger import stem_of

if TYPE_CHECKING:
    from tests.simulation.node import Node
    from tests.simulation.world import World

CENT = Decimal("0.01")
DAY = 86_400 * SECOND
WALK = 5
"""So far a price goes in a schedule at most."""
MOVES = frozenset({"CSD", "CSW"})
POSITION_MAX = 60
SPENT_SHARE = Decimal("0.2")
"""By which share orders by notional may come to less than the judge counts them for: the lowest
price there is."""
FAR = 0.1
"""How far from the last price an order may be: the collar, and what the market may have done."""
RATE_MAX = 200
PATIENCE_S = 75
"""So long a cancel may take on lines that are well."""
TRADED_ELSEWHERE = frozenset({"position_mismatch", "external_order", "second_node", "lost_intent"})
"""Alarms of what no run of the node has done."""


class Judge:
    """Looks at a world from outside; Violation where something may not be.

    Parameters
    ----------
    world : World
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.checks = world.checks
        self.watch = world.watch
        self.broker = world.broker
        self._requests: list[tuple[int, int]] = []

    # -- requests as they leave ----------------------------------------------------------------

    def note_request(self, now: int) -> None:
        """Hold the rate of requests to what the broker grants."""
        self._requests.append((now, self.world.runs))
        while self._requests[0][0] <= now - 60 * SECOND:
            self._requests.pop(0)
        # A node that comes back begins with a full bucket of its own.
        most = RATE_MAX * len({run for _, run in self._requests})
        self.checks.hold("I18", len(self._requests) <= most, len(self._requests))

    def hold_state(self, node: Node, request: Any) -> None:
        """Nothing leaves while halted, and nothing that can raise exposure while reducing."""
        about = symbol_and_side(self.broker, request)
        if about is None:
            return
        symbol = about[0]
        gate = node.kernel.gate
        states = {gate.state().name, gate.state(symbol=symbol).name}
        self.checks.hold("I6", "HALTED" not in states, (states, request))
        # What an operator has pressed counts whatever the node makes of it.
        pressed = self.world.pressed if node.was_pressed or self.world.halt_is_kept else ""
        self.checks.hold("I6", pressed != "HALTED", ("after the kill switch", request))
        if "REDUCING" in (*states, pressed) and not self._only_shrinks(request):
            self._hold_lessening(node, request, "I6")

    def _only_shrinks(self, request: Any) -> bool:
        """Whether a request makes an order smaller, and changes nothing else."""
        fields = msgspec.json.decode(request.body)
        placed = self.broker.ledger.orders.get(request.path.rpartition("/")[2])
        is_change = request.method == "PATCH" and fields.keys() <= {"qty", "client_order_id"}
        return is_change and placed is not None and Decimal(fields["qty"]) < placed.quantity

    def _hold_lessening(self, node: Node, request: Any, invariant: str) -> None:
        """The request cannot make a position larger or turn it, all else on its side filled."""
        symbol, side = symbol_and_side(self.broker, request) or ("", "")
        positions = [p for p in node.kernel.cache.positions() if p.symbol == symbol]
        held = sum((Decimal(p.quantity_exact) for p in positions), Decimal(0))
        found = exposure_of(self.broker, symbol, self.world.accepting.untaken, request)
        lessens = held < 0 if side == "buy" else held > 0
        what = (symbol, side, held, found)
        most = abs(held) + _spent_less(found, side)
        self.checks.hold(invariant, lessens and found.worst(side) <= most, what)

    def hold_market(self, node: Node, request: Any) -> None:
        """An order is near the market; one thought of in a halt lessens what is held."""
        fields = msgspec.json.decode(request.body)
        symbol = fields["symbol"]
        last = self.broker.price(symbol, self.world.agenda.now)
        stop, limit = fields.get("stop_price"), fields.get("limit_price")
        # Wrong prices have nothing that they could be compared with while they are the most.
        if last and node.may_price(symbol) and (stop or limit):
            far = float(stop or limit) / last - 1
            if abs(far) >= FAR and (stop is not None or _is_too_good(fields["side"], far)):
                # An exit may wait for a price that is not met; an entry may not. A stop names no
                # price to trade at: it goes at the market, when it is met or at once.
                self._hold_lessening(node, request, "I9")
            else:
                self.checks.hold("I9", abs(far) < FAR, (fields, last))
            if stop and limit:
                beyond = float(limit) / float(stop) - 1
                self.checks.hold("I9", abs(beyond) < FAR, (fields, last))
        told = node.halted.get(symbol)
        if told is not None and self.watch.intents[fields["client_order_id"]].ts_init > told:
            self._hold_lessening(node, request, "I9")

    def hold_worst_case(self, request: Any) -> None:
        """If everything that works or travels filled, and this too, limits would hold."""
        about = symbol_and_side(self.broker, request)
        if about is None:
            return
        symbol, side = about
        found = exposure_of(self.broker, symbol, self.world.accepting.untaken, request)
        what = (symbol, side, found.held, found.buys, found.sells)
        most = POSITION_MAX + _spent_less(found, side)
        self.checks.hold("I8", found.worst(side) <= most, what)

    def hold_journal(self, node: Node) -> None:
        """What the journal would bring back is what the node has."""
        if node.driver.core is None or node.journal.failure is not None:
            return
        known = node.journal.state
        written = {name: Decimal(state.filled) for name, state in known.orders.items()}
        cache = node.kernel.cache
        # What waits for the answers to other orders has not left: a crash takes it back.
        had = {
            o.client_order_id: Decimal(o.filled_quantity_exact)
            for o in cache.orders_open()
            if o.status != "INITIALIZED"
        }
        self.checks.hold("I13", written == had, (written, had))
        kept = {key: place.units for key, place in known.positions.items() if place.units}
        names = [strategy.name for strategy in node.kernel.strategies]
        states = [position_state(p, names[p.strategy]) for p in cache.positions()]
        units = {f"{place.strategy}|{place.symbol}": place.units for place in states}
        self.checks.hold("I13", kept == units, (kept, units))

    def hold_alarm(self, code: str, text: str) -> None:
        """Nobody is told of a stranger's trades where there is none, nor of events that cannot be.

        A node that books a fill twice, or loses one, takes its own doing for somebody else's. It
        may also take an order for a stranger's that the broker's list could not show it.
        """
        if code in TRADED_ELSEWHERE:
            node = self.world.node
            look = None if node is None else node.driver.last_look
            excused = look is not None and not look.orders_complete
            self.checks.hold("I28", excused or bool(self.world.foreign), (code, text))
        elif code == "bad_event" or (code == "not_subscribed" and self.world.chances.is_patient):
            self.checks.hold("I28", False, (code, text))

    def judge_cancels(self) -> None:
        """Hold that canceled orders are gone at the broker, soon after the faults are over."""
        world, node = self.world, self.world.node
        settled = self.world.agenda.now - PATIENCE_S * SECOND
        if node is None or node.driver.phase != RUNNING or node.began > settled:
            return
        orders = self.broker.ledger.orders
        ours = {o.client_order_id: o for o in node.kernel.cache.orders_open()}
        for name, asked in self.watch.cancels.items():
            # By the clock of the machine, which may have been set.
            if asked - world.clock_off > settled:
                continue
            found = [key for key, p in orders.items() if stem_of(p.client_order_id) == name]
            if name in ours:
                # Exits of a bracket have ids of the broker's making.
                venue_id = node.client.venue_of(ours[name].number)[0]
                found += [venue_id] if venue_id in orders else []
            if any(map(world.repeats.is_changing, found)):
                continue
            working = [orders[key] for key in found if orders[key].is_working]
            self.checks.hold("I27", not working, (name, working))

    # -- the end -------------------------------------------------------------------------------

    def judge(self) -> None:
        """Hold what has to be so when the faults are over."""
        world, hold = self.world, self.checks.hold
        node = world.node
        hold("I1", all(count == 1 for count in self.broker.accepted.values()), "doubled")
        hold("I1", set(self.broker.accepted) <= set(self.watch.intents), "an order without intent")
        if node is None or node.driver.core is None:
            raise Violation("I17: the node did not come back after the faults were over")
        # Whoever supervises it has started it again: what stops each time is no node.
        hold("I17", node.driver.phase != STOPPED, ("it has stopped", repr(node.driver.error)))
        # Whatever had come out of the node would have ended the schedule.
        hold("I25", True)
        self._judge_orders(node)
        self._judge_positions(node)
        if not world.foreign:
            self._judge_shares(node)
        self._judge_exits()
        self._judge_journal(node)
        for strategy in node.kernel.strategies:
            hold("I19", strategy.is_in_order(), strategy.seen)
        if world.halt_is_kept or node.halt_is_durable:
            state = node.kernel.gate.state().name
            hold("I22", state in ("HALTED", world.pressed), "the halt is forgotten")
        if not world.foreign:
            ours = node.kernel.account.cash_exact
            theirs = self.broker.ledger.cash
            # A fill that only a read-back tells has the order's average price, which is rounded.
            hold("I11", abs(ours - theirs) < CENT, (ours, theirs))
        if not world.accepting.untaken:
            self._judge_loss(node)
        queue = node.client.queue
        flying = node.network.in_flight
        waiting = (queue.outstanding, flying, node.driver.held_back)
        hold("I21", queue.outstanding == flying and not node.driver.held_back, waiting)

    def _judge_orders(self, node: Node) -> None:
        hold = self.checks.hold
        placed = {p.client_order_id: p for p in self.broker.ledger.orders.values()}
        unknown = {o.client_order_id for o in node.kernel.cache.orders_open() if o.is_unknown}
        self.world.tally.unknown_at_end += len(unknown)
        for name in self.watch.intents:
            state = self.watch.intents[name]
            if state.parent or (state.sibling and state.order_type != "limit"):
                # Exits have ids of the broker's making; positions judge their fills.
                self._judge_brought(name, state.parent or state.sibling)
                continue
            at_broker = placed.get(name)
            status = self.watch.status.get(name, "SENT")
            ours = self.watch.filled.get(name, Decimal(0))
            if at_broker is None:
                settled = status in FINAL or name in unknown
                hold("I17", settled, (name, status, "not at the broker"))
                hold("I5", ours == 0, (name, ours))
                continue
            hold("I5", ours == self._total(name), (name, ours, self._total(name)))
            self._judge_end(name, status, at_broker.status)

    def _judge_brought(self, name: str, lead: str) -> None:
        """What another order was to bring does not outlive it unseen."""
        status = self.watch.status
        ours, its = status.get(name, "SENT"), status.get(lead, "SENT")
        self.checks.hold("I17", ours != "SENT" or its not in FINAL, (name, ours, lead, its))

    def _judge_end(self, name: str, ours: str, theirs: str) -> None:
        """An order has ended here when it has ended there, and only then."""
        if theirs in ("filled", "canceled", "expired", "rejected"):
            self.checks.hold("I3", ours in FINAL, (name, ours, theirs))
        elif theirs in ("new", "accepted", "partially_filled", "held"):
            self.checks.hold("I3", ours not in FINAL, (name, ours, theirs))

    def _total(self, name: str) -> Decimal:
        """Return what an order and its replacements have filled at the broker."""
        return sum(
            (
                p.filled
                for p in self.broker.ledger.orders.values()
                if p.client_order_id == name or p.client_order_id.startswith(f"{name}-r")
            ),
            Decimal(0),
        )

    def _judge_exits(self) -> None:
        """Exits of a bracket take back no more than its entry has brought; a pair fills once."""
        placed = self.broker.ledger.orders.values()
        for entry in {p.parent for p in placed if p.parent}:
            exits = [p for p in placed if p.parent == entry]
            entries = [p for p in placed if stem_of(p.client_order_id) == entry]
            out = sum((p.filled for p in exits), Decimal(0))
            brought = sum((p.filled for p in entries), Decimal(0))
            self.checks.hold("I20", out <= brought, (entries, exits))
        for first in {p.pair for p in placed if p.pair}:
            halves = [p for p in placed if name_of(p) == first]
            out = sum((p.filled for p in halves), Decimal(0))
            self.checks.hold("I20", out <= max(p.most for p in halves), halves)

    def _judge_positions(self, node: Node) -> None:
        hold = self.checks.hold
        ours: dict[str, Decimal] = {}
        for position in node.kernel.cache.positions():
            units = Decimal(position.quantity_exact)
            ours[position.symbol] = ours.get(position.symbol, Decimal(0)) + units
        theirs, untaken = self.broker.positions(), self.world.accepting.untaken
        for symbol in self.broker.symbols:
            foreign = sum(
                (
                    placed.filled
                    for key, placed in self.broker.ledger.orders.items()
                    if placed.symbol == symbol and key in untaken
                ),
                Decimal(0),
            )
            expected = theirs.get(symbol, Decimal(0)) - foreign
            hold("I2", ours.get(symbol, Decimal(0)) == expected, (symbol, ours, expected))
            if foreign:
                state = node.kernel.gate.state(symbol=symbol)
                halted = "HALTED" in (state.name, node.kernel.gate.state().name)
                hold("I2", halted, f"{symbol} was traded elsewhere and trades on")

    def _judge_shares(self, node: Node) -> None:
        """Of strategies in one symbol, each has what its own orders have filled."""
        theirs: Counter[tuple[str, str]] = Counter()
        for placed in self.broker.ledger.orders.values():
            names = (stem_of(placed.client_order_id), placed.parent, placed.pair)
            owners = [self.watch.intents[n].strategy for n in names if n in self.watch.intents]
            sign = 1 if placed.side == "buy" else -1
            theirs[owners[0], placed.symbol] += sign * placed.filled
        ours: Counter[tuple[str, str]] = Counter()
        for position in node.kernel.cache.positions():
            name = node.kernel.strategies[position.strategy].name
            ours[name, position.symbol] += Decimal(position.quantity_exact)
        for key in {*theirs, *ours}:
            self.checks.hold("I2", ours[key] == theirs[key], (key, ours[key], theirs[key]))

    def _judge_loss(self, node: Node) -> None:
        """What trades and prices have made is all that there is between the day's begin and now.

        What was booked before the first look was through belongs to what the day began with.
        """
        saved = node.kernel.gate.breaker.save()
        if not saved["started"] or len({bar // DAY for bar in self.broker.bars[0].ts_open}) > 1:
            return
        begun, bookings = Decimal(saved["day_open"]).scaleb(-18), self.broker.ledger.bookings
        moved = sum((amount for kind, amount in bookings if kind in MOVES), Decimal(CASH))
        others = [amount for kind, amount in bookings if kind not in MOVES]
        bases = [moved + sum(others[:count], Decimal(0)) for count in range(len(others) + 1)]
        # What was taken over may have been valued at another price than it was traded at, and the
        # day of a node that had heard no price yet begins with the first one.
        taken = sum(self.broker.ledger.orders[key].filled for key in self.world.foreign)
        most = CENT + WALK * taken
        is_one = any(abs(begun - base) < most for base in bases)
        self.checks.hold("I29", is_one, (begun, bases))

    def _judge_journal(self, node: Node) -> None:
        node.journal.commit()
        self.hold_journal(node)
        again = Journal(self.world.files)
        same = again.state.encode() == node.journal.state.encode()
        self.checks.hold("I12", same, "read anew, the journal tells something else")


def _spent_less(found: Exposure, side: str) -> Decimal:
    """Return by how much what is ordered by notional, the only parts of units, is overrated."""
    parts = [units for (_, of), units in found.leaves.items() if of == side and units % 1]
    return sum(parts, Decimal(0)) * SPENT_SHARE


def _is_too_good(side: str, far: float) -> bool:
    """Whether a limit this far from the market waits for a price that nobody gives."""
    return far > 0 if side == "sell" else far < 0
