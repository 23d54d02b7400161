"""One life of the node under test: the real driver, client core, journal and risk engine."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from pyrt.adapters.alpaca.credentials import Credentials
from pyrt.adapters.alpaca.node.assembly import NEVER_LOST
from pyrt.core.instruments import Instrument, equity
from pyrt.errors import PyrtError
from pyrt.kernel.subscriptions import GRACE_NS
from pyrt.live.calendars import sessions_around
from pyrt.live.driver.driver import Driver
from pyrt.live.driver.run import RUNNING, STOPPED
from pyrt.live.journal.journal import Journal
from pyrt.live.plan import Plan, Policies
from pyrt.live.process.wall import WallClock
from pyrt.risk import Limits
from pyrt.risk.engine import RiskEngine
from tests.simulation.chances import SHARING_FROM
from tests.simulation.checks import Violation
from tests.simulation.clock import SECOND
from tests.simulation.exchange import START
from tests.simulation.judge import POSITION_MAX
from tests.simulation.network import Line, Network
from tests.simulation.strategy import Restless, kind_for

if TYPE_CHECKING:
    from tests.simulation.world import World

LIMITS = Limits(
    max_order_quantity=40,
    max_position_quantity=POSITION_MAX,
    max_gross_exposure=100_000,
    max_daily_loss=50_000,
    max_open_orders=15,
    max_messages_per_minute=120,
    price_collar_bps=500,
    max_tick_jump_bps=500,
    stale_data_after="10m",
)
SESSIONS = sessions_around(START)
NAP = 5 * SECOND
"""The longest sleep: what nothing wakes a node for is seen then."""


class Node:
    """One life of the node."""

    def __init__(self, world: World, run_id: str, account_id: str) -> None:
        self.world = world
        self.agenda = world.agenda
        self.chances = world.chances
        self._clock = WallClock(
            wall=lambda: self.agenda.now + world.clock_off, steady=lambda: self.agenda.now
        )
        self._read_at = self._now = 0
        self._due = 0
        self.is_committing = False
        self._waiting: deque[Callable[[int], list[Any]]] = deque()
        """What has come for a frozen node."""
        self.began = self.agenda.now
        self._halted_at: int | None = None
        symbols = world.broker.symbols
        prefix = f"pyrt-{run_id}-"
        self.journal = Journal(world.files)
        self.intents: dict[str, int] = {}
        """Where in the journal each order's own intent is; its replaces have theirs."""
        self.journal.on_record = self._note_record
        self.client = world._make_client(
            prefix, Credentials("PK", "secret"), policy=NEVER_LOST, symbols=symbols, seed=world.seed
        )
        self.network = Network(
            self.agenda, world.broker, world.chances, self.hand, self.turn, self.stir
        )
        world.networks.append(self.network)
        self.orders_line = Line(
            "orders", self.client.trade_updates, self.client.receive_trade_update, self.network
        )
        self.data_line = Line(
            "data", self.client.market_data, self._receive_market_data, self.network
        )
        self.halted: dict[str, int] = {}
        """Symbol → when the node heard that it is halted, since it last subscribed."""
        self.truths: dict[str, deque[bool]] = {}
        """Symbol → whether each of the last three prices that it has heard is true."""
        is_strict = world.chances.is_strict
        plan = Plan(
            run_id=run_id,
            prefix=prefix,
            account_id=account_id,
            default_tif={"": "day"},
            grace_ns=GRACE_NS if is_strict else 0,
            sessions=SESSIONS if is_strict else None,
            checks_clock=is_strict,
            policies=Policies(warmup=0, order_age_ns=20 * SECOND, replay_max=world.replay_max),
        )
        self.driver = Driver(
            self.client,
            self.journal,
            RiskEngine(LIMITS.replace(require_open_session=is_strict), strict=True),
            [equity(symbol) if is_strict else Instrument(symbol) for symbol in symbols],
            self._strategies(symbols),
            plan,
        )

    def _strategies(self, symbols: Sequence[str]) -> list[Restless]:
        """Raising and flooding are the first strategy's, in the first life."""
        chances, first = self.chances, self.world.runs == 1
        raises = 4 if first and chances.strikes("F35", 4.0) else 0
        floods = 3 if first and chances.strikes("F37", 4.0) else 0
        seed = self.world.seed
        traded = [(symbol, seed) for symbol in symbols]
        if seed >= SHARING_FROM:
            traded += [(symbol, -seed) for symbol in symbols]
        return [
            kind_for(seed)(
                symbol=symbol, seed=own,
                raises_at=0 if index else raises, floods_at=0 if index else floods,
            )
            for index, (symbol, own) in enumerate(traded)
        ]  # fmt: skip

    @property
    def kernel(self) -> Any:
        assert self.driver.core is not None
        return self.driver.core.kernel

    @property
    def now(self) -> int:
        """What the node takes for the time."""
        if self._read_at != self.agenda.now:
            self._read_at, self._now = self.agenda.now, self._clock.now()
        return self._now

    def may_price(self, symbol: str) -> bool:
        """Whether it can tell true prices of a symbol from wrong ones: half of the last are."""
        truths = self.truths.get(symbol, ())
        return 2 * sum(truths) >= len(truths) > 0

    # -- life ----------------------------------------------------------------------------------

    def begin(self) -> None:
        """Start."""
        self.guarded(lambda: self.driver.begin(self.now))
        self.turn()

    def die(self) -> None:
        """Hear and send nothing any more; what is on its way to the broker arrives."""
        self.network.is_cut = True

    def next_due(self) -> int | None:
        """When the node has something to do; one that has stopped has nothing any more."""
        return None if self.driver.phase == STOPPED else self._due

    def is_due(self, now: int) -> bool:
        """Whether it has something to do."""
        due = self.next_due()
        return due is not None and due <= now

    def stir(self) -> None:
        """Let it look at the time when it can: something has happened to it."""
        self._due = self.agenda.now

    def _look_ahead(self) -> int:
        """Return when to go round again, by the world's time."""
        due = [
            self.driver.next_due(self.now),
            self.orders_line.stream.next_due(),
            self.data_line.stream.next_due(),
        ]
        ahead = min(d for d in due if d is not None) - self.now
        return self.agenda.now + min(ahead, NAP)

    @property
    def halt_is_durable(self) -> bool:
        """Whether the kill switch was pressed and the disk knows of it."""
        return self._halted_at is not None and self.journal.durable >= self._halted_at

    @property
    def was_pressed(self) -> bool:
        """Whether an operator has stopped or narrowed trading in this life."""
        return self._halted_at is not None

    @property
    def is_frozen(self) -> bool:
        return self.agenda.now < self.world.frozen_until

    def hand(self, events_of: Callable[[int], list[Any]]) -> None:
        """Take what has come; a frozen node takes it when it goes on, in the order it came."""
        self._waiting.append(events_of)
        self._take()

    def _take(self) -> None:
        while self._waiting and not self.network.is_cut:
            if self.is_frozen:
                # It may be frozen anew by then, or go on before.
                self.agenda.at(self.world.frozen_until, self._take)
                return
            self.guarded(self._take_next)
            self.turn()

    def _take_next(self) -> None:
        self.driver.take(self.now, self._waiting.popleft()(self.now))

    def turn(self) -> None:
        """Look at the time, commit, send."""
        self.guarded(self._turn)
        if not self.is_frozen:
            self._due = self._look_ahead()

    def _receive_market_data(self, frame: bytes, now: int) -> list[Any]:
        """Hand on a frame; it is kept what the node was told while it could listen."""
        if self.driver.is_running and b'"T":"b"' in frame:
            truths = self.truths.setdefault(msgspec.json.decode(frame)[0]["S"], deque(maxlen=3))
            truths.append(frame not in self.world.spoiled)
        if b'"subscription"' in frame:
            # The stream is new: that a halt is over may have been told before.
            self.halted.clear()
        if b'"T":"s"' in frame and self.driver.core is not None:
            row = msgspec.json.decode(frame)[0]
            self.halted.pop(row["S"], None)
            if row["sc"] == "2":
                self.halted[row["S"]] = now
        events: list[Any] = self.client.receive_market_data(frame, now)
        return events

    def guarded(self, what: Callable[[], object]) -> None:
        """Do something; without memory the process ends, and nothing else may come out."""
        self.stir()
        try:
            what()
        except MemoryError:
            self.world.kill("F46")
        except Violation:
            raise
        except Exception as error:
            self.world.checks.hold("I25", False, repr(error))

    def _turn(self) -> None:
        if self.network.is_cut or self.is_frozen or self.driver.phase == STOPPED:
            return
        now = self.now
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
        journal = self.journal
        if self.is_committing or journal.last <= journal.durable or journal.failure is not None:
            # A journal that has failed is not written any more.
            return
        self.is_committing = True
        seconds = self.chances.between(0.001, 0.008)
        if self.chances.strikes("F13", 0.1):
            seconds = 5.0
        self.agenda.after(seconds, self._committed)

    def _committed(self) -> None:
        self.is_committing = False
        if not self.network.is_cut:
            self.guarded(self.journal.commit)
            self.turn()

    def _send(self, request: Any) -> None:
        world, hold = self.world, self.world.checks.hold
        now = self.now
        world.judge.note_request(now)
        world.trace.update(f"{now} {request.method} {request.path} ".encode() + request.body)
        if request.method in ("POST", "PATCH"):
            hold("I6", not self.driver.latch.is_set, "the latch is set")
            world.judge.hold_state(self, request)
            world.judge.hold_worst_case(request)
            if request.method == "POST":
                self._hold_record(request)
                world.judge.hold_market(self, request)
            if self.chances.hits("F7", 0.1):
                world.kill("F7")
                return
        if request.method == "DELETE" and self.chances.is_patient and self._dies_asking():
            return
        world.repeats.note(self, request)
        self.network.send(request, self.client.receive_response)
        if request.method == "POST" and self.chances.hits("F8", 0.1):
            world.kill("F8")

    def _dies_asking(self) -> bool:
        """Draw whether a cancel never leaves: it may be on record by the time the node dies."""
        if not self.chances.hits("F7", 3.0):
            return False
        world = self.world
        seconds = self.chances.between(0.0, 1.0)
        world.agenda.after(seconds, lambda: world.kill("F7") if world.node is self else None)
        return True

    def _note_record(self, record: Any) -> None:
        self.world.watch.on_record(record)
        if type(record).__name__ == "Alarmed":
            self.world.judge.hold_alarm(record.code, record.text)
        if type(record).__name__ == "Intent":
            # It is told before it is appended.
            self.intents[record.order.client_order_id] = self.journal.last + 1

    def _hold_record(self, request: Any) -> None:
        """The order's intent is on the disk: a crash right now would find it."""
        name = msgspec.json.decode(request.body)["client_order_id"]
        sequence, durable = self.intents.get(name, 0), self.journal.durable
        self.world.checks.hold("I7", 0 < sequence <= durable, (name, sequence, durable))

    # -- what happens to it --------------------------------------------------------------------

    def break_disk(self) -> None:
        """From now on writes or syncs fail, or there is no space."""
        faults = self.world.files.faults
        name = self.chances.one_of(("write_error", "sync_error", "space", "short_write"))
        setattr(faults, name, {"space": 50, "short_write": 0.5}.get(name, 1.0))

    def starve(self, records: int) -> None:
        """Let memory run out when so many more records have been made, if that is soon enough."""
        journal, record = self.journal, self.journal.record
        left = iter(range(records))

        def failing(made: Any) -> int:
            if not self.chances.healed and next(left, None) is None:
                journal.record = record
                raise MemoryError("memory of this schedule")
            return record(made)

        journal.record = failing

    def give_nonsense(self) -> None:
        """Let an operator try limits that are none."""
        gate, hold = self.driver.gate, self.world.checks.hold
        before = gate.limits.version
        for value in (float("nan"), float("inf"), -1, "many"):
            try:
                gate.set_limits(Limits(max_position_quantity=value), "operator", "a slip")
            except PyrtError:
                hold("I26", gate.limits.version == before, value)
            else:
                hold("I26", False, f"{value} was taken for a limit")

    def press(self, action: str, reason: str) -> bool:
        """Operate the node, if it runs; return whether it does."""
        is_running = self.driver.phase == RUNNING
        if is_running:
            if action == "halt" and self.chances.is_patient:
                # As the programs do: at once, and before the kernel hears of it.
                self.driver.latch.set(reason)
                self._flatten_later(reason)
            self.driver.operate(action, "operator", reason)
            self.world.pressed = "HALTED" if action == "halt" else "REDUCING"
            self._halted_at = self.journal.last
            self.turn()
        return is_running

    def _flatten_later(self, reason: str) -> None:
        """As often as not, let the operator who has killed everything want out of it."""
        if self.chances.between(0, 1) < 0.5:
            self.agenda.after(self.chances.between(0.0, 20), lambda: self._flatten(reason))

    def _flatten(self, reason: str) -> None:
        if self.world.node is self:
            self.guarded(lambda: self.press("flatten", reason))
