"""Turns: time waits until each client has received and answered what was sent."""

from __future__ import annotations

import asyncio

import pytest

from pyrt.adapters.alpaca.simulator.lockstep import Lockstep, Report
from pyrt.adapters.alpaca.simulator.session import make_core
from tests.adapters.simulator.exchange import CLOSES
from tests.minutes import MINUTE, START, minute_bars


class Bench:
    """A lockstep whose connection is a counter."""

    def __init__(self) -> None:
        self.core = make_core([minute_bars("SPY", CLOSES)])
        self.sent = {"/v2/iex": 0}
        self.lockstep = Lockstep(self.core, self.core.instants(), self.flush, lambda: {**self.sent})

    async def flush(self) -> None:
        self.sent["/v2/iex"] += len(self.core.take_market_data())

    def quiet(self, **report: object) -> None:
        self.lockstep.quiet("node", Report(**report))


async def answer_all(bench: Bench, turns: list, next_timer: int) -> None:
    """Answer every turn as it comes, and note its phase and time."""
    while True:
        state = bench.lockstep.state
        terms = {"ts": state["ts"], "turn": state["turn"], "received": state["sent"]}
        report = Report(**terms, next_timer=next_timer if bench.core.now < next_timer else None)
        bench.lockstep.quiet("node", report)
        await bench.lockstep.wait(report)
        turns.append((bench.lockstep.state["phase"], bench.core.now))


def test_time_waits_for_a_client_that_has_not_answered():
    async def run():
        bench = Bench()
        bench.quiet(ts=bench.core.now)
        with pytest.raises(TimeoutError):
            await bench.lockstep.advance(0.05)
        bench.lockstep.forget("node")
        assert await bench.lockstep.advance(0.05)

    asyncio.run(run())


def test_a_frame_on_its_way_is_not_quiet():
    async def run():
        bench = Bench()
        bench.quiet(ts=1 << 62, received={"/v2/iex": 0})
        with pytest.raises(TimeoutError):
            await bench.lockstep.advance(0.05)
        bench.quiet(ts=1 << 62, received={"/v2/iex": 1})
        assert bench.lockstep.state["sent"] == {"/v2/iex": 1}

    asyncio.run(run())


def test_a_client_is_told_of_frames_with_the_turn_that_they_belong_to():
    """Though sending takes its time, as it does while clients have much to read."""

    async def run():
        bench = Bench()
        report = Report(ts=bench.core.now, turn=0, received={"/v2/iex": 0})
        bench.lockstep.quiet("node", report)
        told = []

        async def flush():
            await Bench.flush(bench)
            bench.lockstep.wake()
            for _ in range(5):
                await asyncio.sleep(0)

        async def client():
            await bench.lockstep.wait(report)
            told.append((bench.lockstep.state["turn"], bench.lockstep.state["sent"]))
            bench.lockstep.forget("node")

        bench.lockstep._flush = flush
        waiting = asyncio.create_task(client())
        await asyncio.sleep(0)
        await bench.lockstep.advance(1)
        await waiting
        assert told == [(1, {"/v2/iex": 1})]

    asyncio.run(run())


def test_an_instant_has_a_turn_for_its_bars_and_one_for_a_timer():
    async def run():
        bench, turns = Bench(), []
        timer = START + 90_000_000_000
        client = asyncio.create_task(answer_all(bench, turns, timer))
        await asyncio.sleep(0)
        for _ in range(3):
            await bench.lockstep.advance(1)
        client.cancel()
        assert turns == [
            ("ends", START + MINUTE),
            ("timers", timer),
            ("ends", START + 2 * MINUTE),
        ]

    asyncio.run(run())


def test_at_the_end_of_the_data_waiting_clients_are_told():
    async def run():
        bench = Bench()
        while await bench.lockstep.advance(1):
            pass
        report = Report(ts=bench.core.now, turn=1 << 30)
        await asyncio.wait_for(bench.lockstep.wait(report), 1)
        assert bench.lockstep.state["done"]

    asyncio.run(run())
