"""One schedule: an exchange, a node that may die and come back, faults, healing, and judgment."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any
from unittest.mock import patch

import msgspec

from pyrt.adapters.alpaca.core import snapshot
from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.errors import JournalError
from pyrt.live.driver.run import STOPPED
from pyrt.live.journal.journal import read_records
from pyrt.testing.files import DiskFaults, MemoryFiles
from tests.simulation import market
from tests.simulation.accepting import Accepting
from tests.simulation.broker import Broker
from tests.simulation.chances import Chances
from tests.simulation.checks import Checks, Watch
from tests.simulation.clock import SECOND, Agenda
from tests.simulation.exchange import START
from tests.simulation.judge import Judge
from tests.simulation.ledger import stem_of
from tests.simulation.network import Network
from tests.simulation.node import Node
from tests.simulation.repeats import Repeats

MINUTES = 12
REPLAY_MAX = 500_000
FORGETFUL_FROM = 100_000
"""Of seeds from here on some have nodes that never play a run again, and go on from its save."""
HEAL_S = 300
CALM_S = 115
STRIKES_S = 2.0
NIGHT_STRIKES_S = 1_800.0
SWITCHES = ("halt", "reduce", "flatten")
SUPERVISED_S = 30.0
JUMPS_S = (-86_400, -3_600, -30, 30, 3_600, 86_400)
BY_THE_CLOCK = {
    "F9": 0.2, "F33": 0.1, "F12": 0.1, "F28": 0.1, "F14": 0.1, "F30": 0.1, "F32": 0.2,
    "F29": 0.1, "F38": 0.1, "F40": 0.1, "F41": 0.1, "F46": 0.2,
}  # fmt: skip
"""Faults that strike at some moment, at the latest seconds apart, and their chance of it."""


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
        self.watch = Watch(self.checks, self._is_cancelable)
        draw = Random(f"{seed}:world")
        symbols = draw.choice((("SPY",), ("SPY", "QQQ")))
        self.replay_max = REPLAY_MAX
        if seed >= FORGETFUL_FROM and draw.random() < 0.4:
            self.replay_max = 0
        self.broker = Broker(seed, symbols=symbols, minutes=MINUTES)
        self.agenda = Agenda(START)
        self.files = MemoryFiles(DiskFaults(random=Random(f"{seed}:disk")))
        self._by_the_clock = {
            fault: scale for fault, scale in BY_THE_CLOCK.items() if self.chances.has(fault)
        }
        self.node: Node | None = None
        self.runs = 0
        self.frozen_until = 0
        self.clock_off = 0
        """By how much the machine's clock is wrong."""
        self.halt_is_kept = False
        self.pressed = ""
        """The state that an operator has asked for."""
        self.foreign: set[str] = set()
        self.spoiled: set[bytes] = set()
        """Frames of prices that no market has made."""
        self.networks: list[Network] = []
        self.trace = hashlib.blake2b(digest_size=16)
        self._make_client = make_client
        self.accepting = Accepting(self)
        self.judge = Judge(self)
        self.repeats = Repeats(self)

    def _is_cancelable(self, client_order_id: str) -> bool:
        """Whether the broker would cancel an order, where reads show what is."""
        if self.chances.has_drawn("F23"):
            return False
        placed = self.broker.ledger.orders.values()
        return any(p.is_working and stem_of(p.client_order_id) == client_order_id for p in placed)

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
        if self._by_the_clock:
            self.agenda.after(STRIKES_S, self._strike)
        self._go_on(self.broker.end)
        self.chances.healed = True
        self._heal()
        healed = self.agenda.now
        # Before the session ends: after that all orders of the day are gone anyway.
        self._go_on(healed + CALM_S * SECOND)
        self.judge.judge_cancels()
        self.repeats.judge()
        self._go_on(healed + HEAL_S * SECOND)
        self.judge.judge()
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
                self.broker.run_to(until)
                self._step()
                return
            agenda.run_to(due)
            self._step()

    def _next(self, until: int) -> int:
        now = self.agenda.now
        due = [self.agenda.next_due, self.broker.next_due()]
        if self.node is not None and now >= self.frozen_until:
            due.append(self.node.next_due())
        elif self.node is not None:
            due.append(self.frozen_until)
        # Something due that does not move is looked at again a moment later.
        return min((max(d, now + 1_000_000) for d in due if d is not None), default=until)

    def _step(self) -> None:
        """Let the exchange and the node look at the time where it concerns them."""
        now = self.agenda.now
        if self.broker.is_due(now):
            self.broker.run_to(now)
            self._push()
        if self.node is not None and self.node.is_due(now):
            self.node.turn()

    def _push(self) -> None:
        updates = self.broker.take_updates()
        data = market.take_frames(self.broker, self.chances, self.spoiled)
        for frame in (*updates, *data):
            self.trace.update(frame)
        if self.node is not None:
            self.node.network.push(self.node.orders_line, updates)
            self.node.network.push(self.node.data_line, data)

    # -- the node's lives ----------------------------------------------------------------------

    def begin_node(self) -> None:
        """Start a node on what the one before has left."""
        self.runs += 1
        # A machine that is started again has asked somebody for the time.
        self.clock_off = 0
        account = ""
        if self.runs > 1 and self.chances.strikes("F50", 0.2):
            account = "SOMEBODY-ELSES"
        self.repeats.begin()
        self.node = Node(self, f"s{self.seed}r{self.runs}", account)
        self.node.begin()

    def kill(self, fault: str) -> None:
        """Let the node die at once, and come back later on what the disk has kept."""
        if self.node is None:
            return
        if fault != "F46":
            self.judge.hold_journal(self.node)
            self.repeats.judge()
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
        if not names:
            return
        name = names[-1]
        content = self.files.read(name)
        if not content:
            return
        random = self.files.faults.random
        at = random.randrange(len(content))
        damaged = bytearray(content)
        damaged[at] ^= 1 << random.randrange(8)
        self.files.put(name, bytes(damaged))
        before = [msgspec.msgpack.encode(r) for _, r in read_all(self.files, content, name)]
        try:
            after = [msgspec.msgpack.encode(r) for _, r in read_records(self.files)]
            # In the last record it looks as a torn tail does, and takes nothing else with it.
            lost = len(before) - len(after)
            same = before[: len(after)] == after and lost <= 1
            self.checks.hold("I12", same, ("a flip goes unnoticed", lost))
        except JournalError:
            self.checks.hold("I12", True)
        self.files.put(name, content)

    def _supervise(self) -> None:
        """Start a node again that has given up, as a supervisor of processes does."""
        node = self.node
        if node is not None and (node.driver.phase == STOPPED or node.journal.failure is not None):
            node.die()
            self.node = None
            self.files = self.files.crash()
            self.watch.reload(self.files, self.broker.accepted)
            self.agenda.after(1.0, self.begin_node)
        self.agenda.after(SUPERVISED_S, self._supervise)

    # -- faults that strike by the clock -------------------------------------------------------

    def _strike(self) -> None:
        """Every few seconds: what happens to the node as a whole, or at the broker."""
        if self.chances.healed:
            return
        is_open = self.broker.is_open(self.agenda.now)
        self.agenda.after(STRIKES_S if is_open else NIGHT_STRIKES_S, self._strike)
        node, chances = self.node, self.chances
        if node is None:
            return
        faults = self._by_the_clock.items()
        struck = next((fault for fault, scale in faults if chances.tries(fault, scale)), "")
        if struck:
            self._do(struck, node)

    def _do(self, fault: str, node: Node) -> None:
        """Do it, and count it if it was done: who trades elsewhere may be refused."""
        chances, now = self.chances, self.agenda.now
        symbol = self.broker.symbols[-1]
        deeds: dict[str, Callable[[], object]] = {
            "F9": lambda: self.kill("F9"),
            "F12": node.break_disk,
            "F14": lambda: self._trade_elsewhere(f"pyrt-other-{now}"),
            "F28": lambda: self._trade_elsewhere(f"someone-{now}"),
            "F29": lambda: market.book(self.broker, chances),
            "F30": lambda: self._trade_elsewhere(""),
            "F32": lambda: node.press(
                chances.one_of(("halt", "reduce", "flatten")), "of this schedule"
            ),
            "F33": lambda: setattr(self, "frozen_until", now + 60 * SECOND),
            "F38": node.give_nonsense,
            "F40": lambda: market.halt(self.broker, symbol, chances.between(20, 200)),
            "F41": lambda: setattr(self, "clock_off", SECOND * chances.one_of(JUMPS_S)),
            "F46": lambda: node.starve(int(chances.between(0, 12))),
        }

        self.broker.run_to(now)

        def deed() -> None:
            # A death counts itself, by whatever it has come; memory may never run out.
            if deeds[fault]() is not False and fault not in ("F9", "F46"):
                chances.note(fault)

        node.guarded(deed)

    def _trade_elsewhere(self, client_order_id: str) -> bool:
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
            self.accepting.begin()
        return answer.status == 200

    def _heal(self) -> None:
        """The faults are over: lines mend, the disk is well, a dead node is started again."""
        self.frozen_until = 0
        mend(self.files.faults)
        self._supervise()
        if self.node is not None:
            for line in (self.node.orders_line, self.node.data_line):
                line.is_half_open = line.is_mute = False


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
