"""/v2/events/trades: trade updates as server-sent events, from any point of the past on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from pyrt.adapters.alpaca.simulator.protocol.http import bad
from pyrt.adapters.alpaca.simulator.protocol.wires import instant
from pyrt.adapters.alpaca.simulator.trading.updates import Publisher

FAR = 1 << 62
ULID_LENGTH = 26
LAST_ID = "Z" * ULID_LENGTH
HEARTBEAT_S = 15.0


@dataclass(frozen=True, slots=True)
class Window:
    """Which events are asked for, by time (ns UTC) or by id; the ends are included.

    Attributes
    ----------
    follows : bool
        Whether events that are yet to come are asked for, too.
    """

    since: int
    until: int
    since_id: str
    until_id: str
    follows: bool

    def holds(self, event_id: str, ts: int) -> bool:
        """Tell whether an event is asked for."""
        return (
            self.since <= ts <= self.until
            and self.since_id <= event_id
            and event_id <= self.until_id
        )


def read_window(query: Mapping[str, str]) -> Window:
    """Read a query; Refused if a value cannot be one. By default nothing of the past is told."""
    for name in ("since_id", "until_id"):
        value = query.get(name, LAST_ID)
        if len(value) != ULID_LENGTH or not value.isalnum():
            raise bad(f"invalid {name}: {value}")
    if ("until" in query and "since" not in query) or (
        "until_id" in query and "since_id" not in query
    ):
        raise bad("until needs since, until_id needs since_id")
    past = "since" in query or "since_id" in query
    return Window(
        since=instant(query.get("since"), "since", -1 if past else FAR),
        until=instant(query.get("until"), "until", FAR),
        since_id=query.get("since_id", ""),
        until_id=query.get("until_id", LAST_ID),
        follows="until" not in query and "until_id" not in query,
    )


class EventFeed:
    """Hands a publisher's log on to those who listen.

    Parameters
    ----------
    publisher : Publisher
    """

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Look for events that have come."""
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def listen(self, window: Window) -> AsyncIterator[bytes]:
        """Yield the events of a window, one line each, and heartbeats in between."""
        publisher = self._publisher
        start = publisher.forgotten + len(publisher.log)
        for event_id, ts, body in publisher.log[:]:
            if window.holds(event_id, ts):
                yield _line(body)
        if not window.follows:
            return
        yield b": connected\n\n"
        while True:
            end = publisher.forgotten + len(publisher.log)
            for _, _, body in publisher.log[max(start - publisher.forgotten, 0) :]:
                yield _line(body)
            start = end
            try:
                await asyncio.wait_for(self._news.wait(), HEARTBEAT_S)
            except TimeoutError:
                yield b": heartbeat\n\n"


def _line(body: bytes) -> bytes:
    return b"data: " + body + b"\n\n"
