"""A model in a process of its own: it reads bars that a node publishes and sends signals back.

    python examples/remote_model.py --feed ipc:///tmp/feed --signals ipc:///tmp/signals

The node runs `SignalTrader` beside it and keeps the orders, the limits and the account. A model
that hangs, dies or floods costs signals, never the node.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections import deque

from pyrt import Signal, Strategy
from pyrt.core.data import Bar
from pyrt.links import SignalSender, Subscriber


class SignalTrader(Strategy):
    """Holds what the latest signal of its symbol asks for, if it is sure enough."""

    symbol: str = "SPY"
    confidence: float = 0.5

    def on_start(self) -> None:
        self.subscribe_bars(self.symbol, "1m")
        self.subscribe(f"signal.{self.symbol}", self.on_signal)

    def on_signal(self, signal: Signal) -> None:
        if signal.confidence < self.confidence:
            return
        sign = {"buy": 1, "sell": -1, "flat": 0}[signal.side]
        self.target_position(self.symbol, sign * signal.quantity)


class Momentum:
    """Any model: here, whether the last close is above the mean of the window before it."""

    def __init__(self, window: int = 20, quantity: float = 10) -> None:
        self.closes: deque[float] = deque(maxlen=window)
        self.quantity = quantity
        self.side = "flat"

    def judge(self, bar: Bar) -> Signal | None:
        """Return a signal when the mind changes."""
        known = len(self.closes) == self.closes.maxlen
        mean = sum(self.closes) / max(len(self.closes), 1)
        self.closes.append(bar.close)
        side = "flat" if not known or bar.close <= mean else "buy"
        if side == self.side:
            return None
        self.side = side
        return Signal(bar.symbol, side, self.quantity, 1.0, bar.ts_event)


def run(feed: str, signals: str, bars: int | None = None) -> int:
    """Judge bars as they come, so many or without end; return the number of signals sent."""
    model = Momentum()
    with Subscriber(feed, topics=["data.bars.*"]) as source, SignalSender(signals) as sink:
        for seen, message in enumerate(source, start=1):
            signal = model.judge(message.value)
            if signal is not None:
                sink.send(signal)
            if seen == bars:
                break
        return sink.sent


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--feed", required=True, help="where a node publishes")
    parser.add_argument("--signals", required=True, help="where it takes signals")
    parser.add_argument("--bars", type=int, help="stop after so many")
    print(f"{run(**vars(parser.parse_args()))} signals sent")
