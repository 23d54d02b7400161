"""The node's program on recorded data: what `pyrt live` does where NODE.toml names a replay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pyrt.cli.rows import of_order
from pyrt.facade import BacktestEngine
from pyrt.live.config import NodeConfig
from pyrt.risk import gate_for
from pyrt.strategy.strategy import Strategy

Show = Callable[[dict[str, Any]], None]


class Listener(Strategy):
    """Shows what becomes of the other strategies' orders, as a node does.

    Parameters
    ----------
    show : callable
        Takes one row: a dict of plain values.
    """

    def __init__(self, show: Show, **options: Any) -> None:
        super().__init__(**options)
        self._show = show

    def on_start(self) -> None:
        """Listen to orders and fills of all strategies."""
        self.subscribe("order.*", self._order)
        self.subscribe("fill.*", self._fill)

    def _order(self, event: Any) -> None:
        if event.kind != "fill":
            row = of_order("order", event.ts_event, event.order)
            told = {"event": event.kind, "status": event.status, "reason": event.reason}
            self._show({**row, **told})

    def _fill(self, fill: Any) -> None:
        row = of_order("fill", fill.ts_event, fill.order)
        told = {"quantity": fill.quantity, "price": fill.price, "fee": f"{fill.fee_exact:f}"}
        self._show({**row, **told})


def engine_of(config: NodeConfig) -> BacktestEngine:
    """Return an engine with the configured recording, Alpaca's rules and the node's limits."""
    limits = config.make_limits()
    engine = BacktestEngine(
        cash=config.replay_cash,
        seed=config.seed,
        on_error="halt",
        gate=None if limits is None else gate_for(limits),
        speed=config.replay_speed,
    )
    engine.add_venue("alpaca", fees=config.fees or None, account=config.account or None)
    options: dict[str, Any] = {"label": config.replay_label} if config.replay_label else {}
    engine.add_data(config.replay, default_symbol=config.symbols[0], **options)
    return engine


def replay(config: NodeConfig, strategies: Sequence[Strategy], show: Show) -> None:
    """Run strategies over the configured recording, as a node would.

    The last row shown is the account.
    """
    engine = engine_of(config)
    for strategy in strategies:
        engine.add_strategy(strategy)
    engine.add_strategy(Listener(show))
    result = engine.run()
    show({"type": "account", "account": "replay", "equity": result.summary["final_equity"]})
