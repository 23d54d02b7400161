"""One id from the frame that came in to the fill that went out: journal, logs and links have it."""

from __future__ import annotations

from pyrt.adapters.alpaca.node.inbox import Inbox
from pyrt.live.journal import records as r
from pyrt.live.journal.journal import read_records
from pyrt.live.observe.traces import TraceIds, current_trace
from pyrt.testing.files import MemoryFiles
from tests.live.strategies import walk
from tests.live.test_replay import SmaCross
from tests.live.whole import Node, World


class Traced(Node):
    """Takes each frame as the live node's inbox hands it over."""

    def __init__(self, *given, **more):
        super().__init__(*given, **more)
        self.inbox = Inbox(TraceIds("one"))
        self.frames = {}

    def settle(self, ts):
        while True:
            market = self.world.simulator.take_market_data()
            frames = [(f, self.client.receive_trade_update) for f in self._updates()]
            frames += [(f, self.client.receive_market_data) for f in market]
            for frame, take in frames:
                self.inbox.put(self._noted(frame, take), 0)
            self.inbox.hand_over(self.driver, ts, lambda: None)
            self.driver.turn(ts, timers=False)
            self.journal.commit()
            requests = self.driver.take_requests(ts)
            for request in requests:
                self.answer(request, ts)
            if not frames and not requests:
                return

    def _updates(self):
        return self.world.simulator.take_trade_updates()

    def _noted(self, frame, take):
        def noted(now):
            self.frames[current_trace()] = frame
            return take(frame, now)

        return noted


def test_an_orders_intent_outcomes_and_fills_carry_the_id_of_the_frame_that_led_to_it():
    files = MemoryFiles()
    one = Traced(World([walk(3, "SPY", 80)]), files, [SmaCross()], run_id="one")
    one.start()
    one.run()
    one.stop()
    intents, seen = {}, {}
    for _, record in read_records(files):
        if isinstance(record, r.Intent):
            intents[record.order.client_order_id] = record.trace
        elif isinstance(record, (r.Outcome, r.Execution)):
            seen.setdefault(record.order.client_order_id, set()).add(record.trace)
    assert len(intents) > 3
    assert len(set(intents.values())) == len(intents)
    for name, trace in intents.items():
        assert seen[name] == {trace}
        # It was a bar: the frame of market data with that id is there.
        assert b'"T":"b"' in one.frames[trace]
    assert current_trace() == ""


def test_links_send_the_id_with_what_happens_to_orders():
    from types import SimpleNamespace

    from pyrt.links.publisher import Publisher

    sent = []
    publisher = Publisher.__new__(Publisher)
    publisher._names = str
    publisher._trace_of = lambda message: message.trace
    publisher.publish = lambda topic, payload: sent.append((topic, payload))
    import pyrt.links.publisher as module

    wired = module.wired
    module.wired = lambda message, names: [("order.filled", {"a": 1})]
    try:
        publisher._on_message(SimpleNamespace(trace="one-7"))
        publisher._on_message(SimpleNamespace(trace=""))
    finally:
        module.wired = wired
    assert sent == [("order.filled", {"a": 1, "trace": "one-7"}), ("order.filled", {"a": 1})]
