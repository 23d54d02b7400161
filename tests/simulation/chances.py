"""Which faults a schedule has, and how often: drawn from its seed, counted where they strike."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TypeVar

Item = TypeVar("Item")

FAULTS: dict[str, str] = {
    "F1": "a POST is carried out and its answer lost",
    "F2": "a POST is lost before the broker",
    "F3": "a POST arrives up to half a minute late, after it was given up",
    "F4": "a POST is answered 408, 429, 500, 502, 503 or 504 and not carried out",
    "F5": "a POST is carried out and its answer cut short or no JSON",
    "F6": "an order is refused with 403 or 422",
    "F7": "the node dies between record and request",
    "F8": "the node dies between request and answer",
    "F9": "the node dies at any moment",
    "F10": "the journal's unsynced tail is cut at any byte, pages of it torn",
    "F11": "a byte of the journal is flipped while the node is down",
    "F12": "a write or a sync of the journal fails, or the disk is full",
    "F13": "a sync takes five seconds",
    "F14": "a second node trades on the account under our prefix",
    "F15": "a trade update is lost",
    "F16": "trade updates come two or three times",
    "F17": "trade updates change places",
    "F18": "a connection is half open: nothing comes, not even pongs",
    "F19": "the data socket is mute while pings are answered",
    "F20": "the stream breaks, with fills in the gap",
    "F21": "reconnects are refused",
    "F22": "authorization is refused on reconnect",
    "F23": "reads are answered as they were seconds ago",
    "F24": "lists come in pages while orders go on",
    "F25": "lists leave out closed orders and old fills",
    "F26": "a cancel races a fill",
    "F27": "a replace races a fill",
    "F28": "somebody trades our symbol elsewhere",
    "F30": "the broker's position changes without an order",
    "F32": "the kill switch is pressed while orders are on their way",
    "F33": "the node stands still for a minute",
    "F35": "a strategy raises",
    "F37": "a strategy floods",
    "F43": "data come in a burst",
    "F44": "the broker closes the stream of a slow client",
    "F45": "frames are garbage or of unknown kind",
    "F47": "connections break again and again",
    "F50": "the keys are of another account after a restart",
    "F53": "the node is away while orders fill",
    "F29": "the broker books a fee, a dividend, a deposit or a withdrawal",
    "F31": "a request for an exit of a bracket is lost or not carried out",
    "F38": "an operator sets limits that make no sense",
    "F39": "prices come that no market has made",
    "F40": "a symbol is halted and resumes",
    "F41": "somebody sets the machine's clock",
    "F46": "memory runs out while something is written down",
    "F48": "a portal answers with a page of its own, or sends elsewhere",
}
"""Fault → what happens, for those that this simulation injects."""

ELSEWHERE: dict[str, str] = {
    "F34": "tests/live/test_programs.py -k watchdog",
    "F36": "tests/live/test_programs.py -k never_comes_back",
    "F42": "tests/venues/test_sessions.py",
    "F49": "tests/adapters/client/test_certificates.py",
    "F51": "tests/live/dashboard/test_app.py",
    "F52": "tests/live/journal/test_log.py -k newer_format",
}
"""Fault → the tests that inject it, for those that need real processes, sockets or other worlds."""

RATES = (0.02, 0.08, 0.25)
PATIENT_FROM = 130_000
"""Seeds from here on have orders that nothing but a cancel ends, and lose cancels on their way."""
ONCE = frozenset({"F11", "F14", "F22", "F28", "F30", "F32", "F35", "F37", "F46", "F50"})
"""Faults that strike at most once a schedule: after them the node may have stopped for good."""
SPENDING_FROM = 400_000
"""Seeds from here on trade by notional too: what is bought is no whole number any more."""

STRICT_FROM = 500_000
"""At seeds from here on the broker keeps to Alpaca's rules and to sessions."""
REPLACING_FROM = 600_000
"""At seeds from here on replacements may take seconds, and every second broker is not strict."""
SHARING_FROM = 700_000
"""At seeds from here on two strategies trade each symbol, and turn their positions around."""
ACCEPTING_FROM = 800_000
"""At seeds from here on somebody trades elsewhere, and a person takes that over."""


def is_strict(seed: int) -> bool:
    """Return whether a schedule's broker keeps to Alpaca's rules and to sessions."""
    return seed >= STRICT_FROM and (seed < REPLACING_FROM or seed % 2 == 0)


class Chances:
    """The faults of one schedule.

    Few kinds at high rates reach other states than all kinds at low ones, so each schedule draws
    which of them it has.

    Parameters
    ----------
    seed : int
    counts : Counter
        Fault → how often it struck.
    """

    def __init__(self, seed: int, counts: Counter[str]) -> None:
        draw = Random(f"{seed}:chances")
        share = draw.choice((0.1, 0.25, 0.5))
        self._rates = {name: draw.choice(RATES) for name in FAULTS if draw.random() < share}
        self.is_patient = seed >= PATIENT_FROM
        self.is_spending = seed >= SPENDING_FROM
        self.is_strict = is_strict(seed)
        if self.is_patient and draw.random() < 0.5:
            self._rates.setdefault("F7", draw.choice(RATES))
        self.is_accepting = seed >= ACCEPTING_FROM
        if self.is_accepting:
            self._rates.setdefault(draw.choice(("F28", "F30")), max(RATES))
        self._random = Random(f"{seed}:faults")
        self.counts = counts
        self._struck: set[str] = set()
        self.healed = False

    def has_drawn(self, name: str) -> bool:
        """Return whether the schedule has a fault at all, or has had it."""
        return name in self._rates

    def has(self, name: str) -> bool:
        """Return whether a fault may still strike."""
        return self.has_drawn(name) and not self.healed

    def strikes(self, name: str, scale: float = 1.0) -> bool:
        """Draw whether a fault strikes now, and count it."""
        if not self.tries(name, scale):
            return False
        self.note(name)
        return True

    def tries(self, name: str, scale: float = 1.0) -> bool:
        """Draw whether a fault is to strike; whoever sees that it has bitten counts it."""
        if (name in ONCE and name in self._struck) or not self.hits(name, scale):
            return False
        self._struck.add(name)
        return True

    def hits(self, name: str, scale: float = 1.0) -> bool:
        """Draw whether a fault is to strike; whoever lets it do so counts it."""
        return self.has(name) and self._random.random() < self._rates[name] * scale

    def note(self, name: str) -> None:
        """Count a fault that has struck."""
        self._struck.add(name)
        self.counts[name] += 1

    def between(self, low: float, high: float) -> float:
        """Draw a number."""
        return self._random.uniform(low, high)

    def one_of(self, items: tuple[Item, ...]) -> Item:
        """Draw one of several."""
        return self._random.choice(items)

    def shuffle(self, items: list[Item]) -> None:
        """Put items into another order."""
        self._random.shuffle(items)

    def bytes_of(self, data: bytes) -> bytes:
        """Return data that a line has garbled."""
        choice = self._random.randrange(4)
        if choice == 0:
            return data[: self._random.randrange(len(data) + 1)]
        if choice == 1:
            return b"\xff\xfe" + data
        if choice == 2:
            return data.replace(b'"event":"', b'"event":"un', 1)
        return b'{"stream":"trade_updates","data":{"event":"fill","order":{"id":7}}}'
