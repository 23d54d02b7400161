"""One schedule: an exchange, a node that may die and come back, faults, healing, and judgment."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any
from unittest.mock import patch

import msgspec

from pyrt.adapters.alpaca import snapshot
from pyrt.adapters.alpaca.assembly import NEVER_LOST
from pyrt.adapters.alpaca.client import AlpacaClient
from pyrt.adapters.alpaca.credentials import Credentials
from pyrt.core.instruments import Instrument
from pyrt.errors import JournalError
from pyrt.live.driver import Driver
from pyrt.live.journal.journal import Journal, read_records
from pyrt.live.plan import Plan, Policies
from pyrt.live.run import RUNNING, STOPPED
from pyrt.risk import Limits
from pyrt.risk.engine import RiskEngine
from pyrt.testing.files import DiskFaults, MemoryFiles
from tests.simulation.broker import START, Broker
from tests.simulation.chances import Chances
from tests.simulation.checks import FINAL, Checks, Violation, Watch
from tests.simulation.clock import SECOND, Agenda
from tests.simulation.network import Line, Network
from tests.simulation.strategy import Restless

CENT = Decimal("0.01")
MINUTES = 12
HEAL_S = 300
POSITION_MAX = 60
RATE_MAX = 200
ENDED = frozenset({"filled", "canceled", "expired", "rejected", "replaced"})
LIMITS = Limits(
    max_order_quantity=40,
    max_position_quantity=POSITION_MAX,
    max_gross_exposure=100_000,
    max_daily_loss=50_000,
    max_open_orders=15,
    max_messages_per_minute=120,
    price_collar_bps=500,
    stale_data_after="10m",
)


@dataclass
class Tally:
    """What many schedules have seen together."""

    schedules: int = 0
    orders: int = 0
    unknown_at_end: int = 0
    restarts: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    checks: Counter[str] = field(default_factory=Counter)


class World:
    """One schedule, from its seed.

    Parameters
    ----------
    seed : int
    tally : Tally, optional
    make_client : callable, optional
        Makes the client core; a planted fault replaces it.
    """

    def __init__(
        self,
        seed: int,
        tally: Tally | None = None,
        *,
        make_client: Callable[..., AlpacaClient] = AlpacaClient,
    ) -> None:
        self.seed = seed
        self.tally = tally or Tally()
        self.checks = Checks(self.tally.checks)
        self.chances = Chances(seed, self.tally.faults)
        self.watch = Watch(self.checks)
        draw = Random(f"{seed}:world")
        symbols = draw.choice((("SPY",), ("SPY", "QQQ")))
        self.broker = Broker(seed, symbols=symbols, minutes=MINUTES)
        self.agenda = Agenda(START)
        self.files = MemoryFiles(DiskFaults(random=Random(f"{seed}:disk")))
        self.node: Node | None = None
        self.runs = 0
        self.frozen_until = 0
        self.halt_is_kept = False
        self.foreign: set[str] = set()
        self.networks: list[Network] = []
        self.trace = hashlib.blake2b(digest_size=16)
        self._make_client = make_client
        self._requests: list[int] = []

    # -- the schedule --------------------------------------------------------------------------

    def run(self) -> str:
        """Trade under faults, heal, judge; return the hash of all that happened."""
        pages = (
            (4, 5) if self.chances.has("F24") else (snapshot.ORDERS_MAX, snapshot.ACTIVITIES_MAX)
        )
        with (
            patch.object(snapshot, "ORDERS_MAX", pages[0]),
            patch.object(snapshot, "ACTIVITIES_MAX", pages[1]),
        ):
            return self._run()

    def _run(self) -> str:
        self.begin_node()
        self.agenda.after(1.0, self._strike)
        self._go_on(self.broker.end)
        self.chances.healed = True
        self._heal()
        self._go_on(self.agenda.now + HEAL_S * SECOND)
        self._judge()
        self.tally.schedules += 1
        self.tally.orders += len(self.watch.intents)
        return self.trace.hexdigest()

    @property
    def posts_in_doubt(self) -> int:
        """Orders of whose fate a node was left in doubt, over all its lives."""
        return sum(network.posts_in_doubt for network in self.networks)

    def _go_on(self, until: int) -> None:
        """Let everything happen that is due up to `until`."""
        agenda = self.agenda
        while True:
            due = min(self._next(until), until)
            if due >= until:
                agenda.run_to(until)
                self._step()
                return
            agenda.run_to(due)
            self._step()

    def _next(self, until: int) -> int:
        now = self.agenda.now
        due = [self.agenda.next_due, self.broker.core.next_instant()]
        if self.node is not None and now >= self.frozen_until:
            due.append(self.node.next_due())
        elif self.node is not None:
            due.append(self.frozen_until)
        # Something due that does not move is looked at again a moment later.
        return min((max(d, now + 1_000_000) for d in due if d is not None), default=until)

    def _step(self) -> None:
        """Let the exchange and the node look at the time."""
        self.broker.run_to(self.agenda.now)
        self._push()
        if self.node is not None:
            self.node.turn()

    def _push(self) -> None:
        updates = self.broker.take_updates()
        data = self.broker.core.take_market_data()
        for frame in (*updates, *data):
            self.trace.update(frame)
        if self.node is not None:
            self.node.network.push(self.node.orders_line, updates)
            self.node.network.push(self.node.data_line, data)

    # -- the node's lives ----------------------------------------------------------------------

    def begin_node(self) -> None:
        """Start a node on what the one before has left."""
        self.runs += 1
        account = ""
        if self.runs > 1 and self.chances.strikes("F50", 0.2):
            account = "SOMEBODY-ELSES"
        self.node = Node(self, f"s{self.seed}r{self.runs}", account)
        self.node.begin()

    def kill(self, fault: str) -> None:
        """Let the node die at once, and come back later on what the disk has kept."""
        if self.node is None:
            return
        self.chances.note(fault)
        self.chances.note("F10")
        self.tally.restarts += 1
        self.node.die()
        self.halt_is_kept |= self.node.halt_is_durable
        self.node = None
        self.files = self.files.crash()
        mend(self.files.faults)
        self.watch.reload(self.files, self.broker.accepted)
        away = self.chances.between(1, 90)
        if away > 60:
            self.chances.note("F53")
        if self.chances.strikes("F11", 0.5):
            self._flip()
        self.agenda.after(away, self.begin_node)

    def _flip(self) -> None:
        """A journal with a flipped byte is refused; the copy that a person puts back is taken."""
        names = [name for name in self.files.names() if name.startswith("main")]
        name = names[-1]
        content = self.files.read(name)
        random = self.files.faults.random
        at = random.randrange(len(content))
        damaged = bytearray(content)
        damaged[at] ^= 1 << random.randrange(8)
        self.files.put(name, bytes(damaged))
        before = [msgspec.msgpack.encode(r) for _, r in read_all(self.files, content, name)]
        try:
            after = [msgspec.msgpack.encode(r) for _, r in read_records(self.files)]
            self.checks.hold("I12", before[: len(after)] == after, "a flip goes unnoticed")
        except JournalError:
            self.checks.hold("I12", True)
        self.files.put(name, content)

    # -- faults that strike by the clock -------------------------------------------------------

    def _strike(self) -> None:
        """Once a second: what happens to the node as a whole, or at the broker."""
        if self.chances.healed:
            return
        self.agenda.after(1.0, self._strike)
        node, chances = self.node, self.chances
        if node is None:
            return
        if chances.strikes("F9", 0.1):
            self.kill("F9")
        elif chances.strikes("F33", 0.05):
            self.frozen_until = self.agenda.now + 60 * SECOND
        elif chances.strikes("F12", 0.05):
            node.break_disk()
        elif chances.strikes("F28", 0.05):
            self._trade_elsewhere(f"someone-{self.agenda.now}")
        elif chances.strikes("F14", 0.05):
            self._trade_elsewhere(f"pyrt-other-{self.agenda.now}")
        elif chances.strikes("F30", 0.05):
            self._trade_elsewhere("")
        elif chances.strikes("F32", 0.1):
            node.press("halt", "the switch of this schedule")

    def _trade_elsewhere(self, client_order_id: str) -> None:
        """Somebody else's order fills at once; the node learns of it by looking."""
        symbol = self.broker.symbols[0]
        body: dict[str, Any] = {
            "symbol": symbol, "qty": "5", "side": "buy", "type": "market", "time_in_force": "day",
        }  # fmt: skip
        if client_order_id:
            body["client_order_id"] = client_order_id
        answer = self.broker.core.request("POST", "/v2/orders", msgspec.json.encode(body))
        if answer.status == 200:
            self.foreign.add(msgspec.json.decode(answer.body)["id"])

    def _heal(self) -> None:
        """The faults are over: lines mend, the disk is well, a dead node is started again."""
        self.frozen_until = 0
        mend(self.files.faults)
        if self.node is not None and (
            self.node.driver.phase == STOPPED or self.node.journal.failure is not None
        ):
            self.node.die()
            self.node = None
            self.files = self.files.crash()
            self.watch.reload(self.files, self.broker.accepted)
            self.agenda.after(1.0, self.begin_node)
        if self.node is not None:
            for line in (self.node.orders_line, self.node.data_line):
                line.is_half_open = line.is_mute = False

    # -- judgment ------------------------------------------------------------------------------

    def note_request(self, now: int) -> None:
        """Hold the rate of requests to what the broker grants."""
        self._requests.append(now)
        while self._requests[0] <= now - 60 * SECOND:
            self._requests.pop(0)
        # A node that comes back begins with a full bucket of its own.
        self.checks.hold("I18", len(self._requests) <= RATE_MAX * self.runs, len(self._requests))

    def hold_worst_case(self, request: Any) -> None:
        """If everything that works at the broker filled, and this too, limits would hold."""
        body = msgspec.json.decode(request.body)
        symbol = body["symbol"]
        ours = {name: state for name, state in self.watch.intents.items() if not state.parent}
        held = buys = sells = Decimal(0)
        for key, placed in self.broker.ledger.orders.items():
            if placed.symbol != symbol or key in self.foreign:
                continue
            held += placed.filled if placed.side == "buy" else -placed.filled
            if placed.client_order_id in ours and placed.status not in ENDED:
                leaves = Decimal(ours[placed.client_order_id].quantity) - placed.total
                buys += leaves if placed.side == "buy" else 0
                sells += leaves if placed.side == "sell" else 0
        if body["side"] == "buy":
            buys += Decimal(body["qty"])
        else:
            sells += Decimal(body["qty"])
        long, short = held + buys, sells - held
        worst = long if body["side"] == "buy" else short
        self.checks.hold("I8", worst <= POSITION_MAX, (symbol, held, buys, sells))

    def _judge(self) -> None:
        node, hold = self.node, self.checks.hold
        hold("I1", len(set(self.broker.accepted)) == len(self.broker.accepted), "doubled")
        hold("I1", set(self.broker.accepted) <= set(self.watch.intents), "an order without intent")
        if node is None or node.driver.core is None:
            raise Violation("I17: the node did not come back after the faults were over")
        if node.driver.phase == STOPPED:
            return
        hold("I25", not node.errors, node.errors)
        self._judge_orders(node)
        self._judge_positions(node)
        self._judge_journal(node)
        for strategy in node.kernel.strategies:
            hold("I19", strategy.is_in_order(), strategy.seen)
        if self.halt_is_kept or node.halt_is_durable:
            hold("I22", node.kernel.gate.state().name == "HALTED", "the halt is forgotten")
        if not self.foreign:
            ours = node.kernel.account.cash_exact
            theirs = self.broker.ledger.cash
            # A fill that only a read-back tells has the order's average price, which is rounded.
            hold("I11", abs(ours - theirs) < CENT, (ours, theirs))
        queue = node.client.queue
        hold("I21", queue.outstanding <= 1 and node.driver.held_back == 0, len(queue))

    def _judge_orders(self, node: Node) -> None:
        hold = self.checks.hold
        placed = {p.client_order_id: p for p in self.broker.ledger.orders.values()}
        unknown = {o.client_order_id for o in node.kernel.cache.orders_open() if o.is_unknown}
        self.tally.unknown_at_end += len(unknown)
        for name in self.watch.intents:
            if self.watch.intents[name].parent:
                # Exits of a bracket have ids of the broker's making; positions judge their fills.
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

    def _judge_positions(self, node: Node) -> None:
        hold = self.checks.hold
        ours: dict[str, Decimal] = {}
        for position in node.kernel.cache.positions():
            units = Decimal(position.quantity_exact)
            ours[position.symbol] = ours.get(position.symbol, Decimal(0)) + units
        theirs = self.broker.positions()
        for symbol in self.broker.symbols:
            foreign = sum(
                (
                    placed.filled
                    for key, placed in self.broker.ledger.orders.items()
                    if placed.symbol == symbol and key in self.foreign
                ),
                Decimal(0),
            )
            expected = theirs.get(symbol, Decimal(0)) - foreign
            hold("I2", ours.get(symbol, Decimal(0)) == expected, (symbol, ours, expected))
            if foreign:
                state = node.kernel.gate.state(symbol=symbol)
                halted = "HALTED" in (state.name, node.kernel.gate.state().name)
                hold("I2", halted, f"{symbol} was traded elsewhere and trades on")

    def _judge_journal(self, node: Node) -> None:
        node.journal.commit()
        again = Journal(self.files)
        same = again.state.encode() == node.journal.state.encode()
        self.checks.hold("I12", same, "read anew, the journal tells something else")


class Node:
    """One life of the node."""

    def __init__(self, world: World, run_id: str, account_id: str) -> None:
        self.world = world
        self.agenda = world.agenda
        self.chances = world.chances
        self.errors: list[str] = []
        self.is_committing = False
        self._halted_at: int | None = None
        symbols = world.broker.symbols
        prefix = f"pyrt-{run_id}-"
        self.journal = Journal(world.files)
        self.journal.on_record = world.watch.on_record
        self.client = world._make_client(
            prefix, Credentials("PK", "secret"), policy=NEVER_LOST, symbols=symbols, seed=world.seed
        )
        self.network = Network(self.agenda, world.broker, world.chances, self.hand, self.turn)
        world.networks.append(self.network)
        self.orders_line = Line(
            "orders", self.client.trade_updates, self.client.receive_trade_update, self.network
        )
        self.data_line = Line(
            "data", self.client.market_data, self.client.receive_market_data, self.network
        )
        plan = Plan(
            run_id=run_id,
            prefix=prefix,
            account_id=account_id,
            default_tif={"": "day"},
            policies=Policies(warmup=0, reconcile_ns=30 * SECOND, order_age_ns=20 * SECOND),
        )
        self.driver = Driver(
            self.client,
            self.journal,
            RiskEngine(LIMITS, strict=True),
            [Instrument(symbol) for symbol in symbols],
            self._strategies(symbols),
            plan,
        )

    def _strategies(self, symbols: Sequence[str]) -> list[Restless]:
        """Raising and flooding are the first strategy's, in the first life."""
        chances, first = self.chances, self.world.runs == 1
        raises = 4 if first and chances.strikes("F35", 4.0) else 0
        floods = 3 if first and chances.strikes("F37", 4.0) else 0
        return [
            Restless(
                symbol=symbol, seed=self.world.seed,
                raises_at=0 if index else raises, floods_at=0 if index else floods,
            )
            for index, symbol in enumerate(symbols)
        ]  # fmt: skip

    @property
    def kernel(self) -> Any:
        assert self.driver.core is not None
        return self.driver.core.kernel

    # -- life ----------------------------------------------------------------------------------

    def begin(self) -> None:
        """Start."""
        self.driver.begin(self.agenda.now)
        self.turn()

    def die(self) -> None:
        """Hear and send nothing any more; what is on its way to the broker arrives."""
        self.network.is_cut = True

    def next_due(self) -> int | None:
        """When the node has something to do."""
        due = [
            self.driver.next_due(self.agenda.now),
            self.orders_line.stream.next_due(),
            self.data_line.stream.next_due(),
        ]
        return min((d for d in due if d is not None), default=None)

    @property
    def halt_is_durable(self) -> bool:
        """Whether the kill switch was pressed and the disk knows of it."""
        return self._halted_at is not None and self.journal.durable >= self._halted_at

    @property
    def is_frozen(self) -> bool:
        return self.agenda.now < self.world.frozen_until

    def hand(self, events_of: Callable[[int], list[Any]]) -> None:
        """Take what has come; a frozen node takes it when it goes on."""
        if self.network.is_cut:
            return
        if self.is_frozen:
            self.agenda.at(self.world.frozen_until, lambda: self.hand(events_of))
            return
        now = self.agenda.now
        events = events_of(now)
        self.driver.take(now, events)
        self.turn()

    def turn(self) -> None:
        """Look at the time, commit, send."""
        if self.network.is_cut or self.is_frozen or self.driver.phase == STOPPED:
            return
        now = self.agenda.now
        self.driver.turn(now)
        self._commit()
        self.orders_line.tend()
        self.data_line.tend()
        for request in self.driver.take_requests(now):
            self._send(request)
            if self.network.is_cut:
                return

    def _commit(self) -> None:
        """Begin a commit; it is through when the disk has synced."""
        if self.is_committing or self.journal.last <= self.journal.durable:
            return
        self.is_committing = True
        seconds = self.chances.between(0.001, 0.008)
        if self.chances.strikes("F13", 0.1):
            seconds = 5.0
        self.agenda.after(seconds, self._committed)

    def _committed(self) -> None:
        self.is_committing = False
        if not self.network.is_cut:
            self.journal.commit()
            self.turn()

    def _send(self, request: Any) -> None:
        world, hold = self.world, self.world.checks.hold
        now = self.agenda.now
        world.note_request(now)
        world.trace.update(f"{now} {request.method} {request.path} ".encode() + request.body)
        if request.method in ("POST", "PATCH"):
            hold("I6", not self.driver.latch.is_set, "the latch is set")
            hold("I6", self.kernel.gate.state().name != "HALTED", request)
            if request.method == "POST":
                self._hold_record(request)
                world.hold_worst_case(request)
            if self.chances.strikes("F7", 0.1):
                world.kill("F7")
                return
        self.network.send(request, self.client.receive_response)
        if request.method == "POST" and self.chances.strikes("F8", 0.1):
            world.kill("F8")

    def _hold_record(self, request: Any) -> None:
        """The order's intent is on the disk: a crash right now would find it."""
        hold = self.world.checks.hold
        sequence = self.driver.scribe.sequence_of(request.order_number)
        hold("I7", 0 < sequence <= self.journal.durable, (sequence, self.journal.durable))
        name = msgspec.json.decode(request.body)["client_order_id"]
        hold("I7", name in self.world.watch.intents, name)

    # -- what happens to it --------------------------------------------------------------------

    def break_disk(self) -> None:
        """From now on writes or syncs fail, or there is no space."""
        faults = self.world.files.faults
        name = self.chances.one_of(("write_error", "sync_error", "space", "short_write"))
        setattr(faults, name, {"space": 50, "short_write": 0.5}.get(name, 1.0))

    def press(self, action: str, reason: str) -> None:
        """Operate the node, if it runs."""
        if self.driver.phase == RUNNING:
            self.driver.operate(action, "operator", reason)
            self._halted_at = self.journal.last
            self.turn()


def mend(faults: DiskFaults) -> None:
    """Let a disk be well again, also for files that are open."""
    faults.write_error = faults.sync_error = faults.short_write = 0.0
    faults.space = None


def read_all(files: MemoryFiles, content: bytes, name: str) -> list[tuple[Any, Any]]:
    """Return the records of the folder with `content` in place of a file."""
    damaged = files.read(name)
    files.put(name, content)
    records = list(read_records(files))
    files.put(name, damaged)
    return records
