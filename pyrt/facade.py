"""The pieces joined: `backtest` in one call, `BacktestEngine` in several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyrt.analysis.record import RunRecord
from pyrt.analysis.result import BacktestResult
from pyrt.backtest.engine import Engine
from pyrt.backtest.outcome import Outcome
from pyrt.core.suggest import did_you_mean
from pyrt.data.slicing import moment
from pyrt.errors import ConfigError
from pyrt.kernel.subscriptions import UNNAMED
from pyrt.strategy.strategy import Strategy


class BacktestEngine(Engine):
    __doc__ = Engine.__doc__

    def run(self, *, progress: bool = False) -> BacktestResult:
        """Run to the end of the data and return the result."""
        result = result_of(self.execute(progress=progress))
        if self.can_repeat:
            result._rerun = self._under
        return result

    def _under(self, limits: Any) -> BacktestResult:
        """Run again, with fresh strategies, under other limits."""
        from pyrt.risk import gate_for

        self.reset()
        self._gate = gate_for(limits)
        return self.run()


def result_of(outcome: Outcome) -> BacktestResult:
    """Return the result that analyzes an outcome."""
    return BacktestResult(
        RunRecord(
            initial_cash=outcome.initial_cash,
            currency=outcome.currency,
            prices=outcome.prices,
            events_processed=outcome.events_processed,
            elapsed_s=outcome.elapsed_s,
            load_s=outcome.load_s,
            run_hash=outcome.run_hash,
            parameters=outcome.parameters,
            provenance=outcome.provenance,
            messages=outcome.messages,
            **outcome.kernel_columns,
        )
    )


def backtest(
    strategy: Strategy | Sequence[Strategy],
    data: Any,
    *,
    cash: Any = 100_000,
    venue: str = "sim",
    timeframe: str | None = None,
    label: str | None = None,
    fill: str = "next_open",
    path: str = "adverse_first",
    fees: Any = None,
    slippage: Any = None,
    latency: Any = None,
    participation: float | None = None,
    limits: Any = None,
    warmup: int | None = None,
    seed: int = 0,
    start: Any = None,
    end: Any = None,
    progress: bool = True,
    on_error: str = "raise",
    **options: Any,
) -> BacktestResult:
    """Run strategies over recorded data and return what came of it.

    Parameters
    ----------
    strategy : Strategy or sequence of Strategy
        The very objects that run; one that has run is refused (use ``.fresh()``).
    data : DataFrame, dict, path, catalog, pyarrow.Table or list of these
        Bars, quotes or trades, recognized by their columns.
    cash : number
        Opening balance.
    venue : {"sim", "alpaca"}
        Whose rules, fees, sessions and default time in force apply; Alpaca's rules reject what
        Alpaca would refuse, with its code and message.
    timeframe : str, optional
        Of the data, such as ``"1m"``; else its most frequent step.
    label : {"open", "close"}, optional
        Which end of its bar a stamp marks; inferred only where that is certain.
    fill : {"next_open", "same_close", "next_close"}
        When market orders meet the market.
    path : {"adverse_first", "open_high_low_close", "open_low_high_close", "nearest_first"}
        The way the price is taken to have gone inside a bar.
    fees, slippage : model, text or callable, optional
        Such as ``"bps:2"``, ``"per_share:0.005/1"``; ``"ticks:1/0.01"``, ``"range:0.1"``. Without
        `fees`, those of the venue: none, or Alpaca's.
    latency : int, str, timedelta, dict, table or LatencyModel, optional
        From command to effect, such as ``"50ms"``; see `pyrt.backtest.latency.latency_model`.
    participation : float, optional
        Largest share of a bar's volume, of a shown size or of a print that may fill.
    limits : Limits, optional
        Risk limits; without them only grids and permissions are checked.
    warmup : int, optional
        Bars before `start` that feed indicators; default 4 × the largest lookback, at least 250.
    seed : int
        For random models; part of the run hash.
    start, end : str, date, datetime or int, optional
        The span handlers see. Where no offset is written they are of the zone `tz`, else UTC; an
        `end` without a time is the end of that day.
    progress : bool
        Show a progress bar where standard error is a terminal.
    on_error : {"raise", "halt", "log"}
        What an exception in a handler does.
    **options
        Further options of the venue (`touch_fills`, `children`, `calendar`, `rules`, `emulate`,
        `account`: ``"cash"``, ``"margin"``, ``"margin:4"``, ``"alpaca"`` or `AccountRules`,
        `fills_from`, `queue`, `arrival`, `consume`, `halts`, `auctions`, `luld`,
        `short_available`, `borrow`; see `VenueSettings`), of its books (`currency`, `cost`,
        `ledger`), of the clock (`speed`:
        ``"10x"`` replays at that pace), of loading (`symbol`, `tz`, `repair`, `kind`, `price`,
        `dialect`), and `corporate_actions`, a table of splits and dividends.

    Returns
    -------
    BacktestResult

    Raises
    ------
    DataError, ConfigError, UnknownName
        If something given makes no sense; the message says what to write instead.
    StrategyError
        If a handler raises; names the strategy, the event and the time.

    Examples
    --------
    >>> from pyrt import backtest
    """
    strategies = [strategy] if isinstance(strategy, Strategy) else _listed(strategy)
    chosen = _sort_options(options)
    zone = chosen["load"].get("tz")
    engine = BacktestEngine(
        cash=cash,
        seed=seed,
        start=None if start is None else moment(start, zone),
        end=None if end is None else moment(end, zone, is_end=True),
        warmup=warmup,
        on_error=on_error,
        gate=None if limits is None else _gate(limits),
        **chosen["engine"],
    )
    engine.add_venue(
        venue,
        fill=fill,
        path=path,
        fees=fees,
        slippage=slippage,
        latency=latency,
        participation=participation,
        **chosen["venue"],
    )
    loading = dict(chosen["load"])
    if "symbol" not in loading:
        loading["default_symbol"] = _default_symbol(strategies)
    engine.add_data(data, timeframe=timeframe, label=label, **loading)
    if chosen["actions"] is not None:
        engine.add_corporate_actions(chosen["actions"])
    for one in strategies:
        engine.add_strategy(one)
    return engine.run(progress=progress and _on_terminal())


ENGINE_OPTIONS = ("currency", "cost", "ledger", "speed")
VENUE_OPTIONS = (
    "touch_fills",
    "children",
    "calendar",
    "fills_from",
    "queue",
    "arrival",
    "consume",
    "halts",
    "auctions",
    "luld",
    "short_available",
    "borrow",
    "rules",
    "emulate",
    "account",
)
ELSEWHERE = {
    "commission": 'Write fees="bps:20" for 0.002',
    "spread": 'Write slippage="bps:1"',
    "margin": 'Write account="margin"',
    "trade_on_close": 'Write fill="same_close"',
    "finalize_trades": "What is open at the end is in result.positions",
    "exclusive_orders": "Call self.close(...) before the new order",
}
"""What others call what we have; see docs/backtesting-py.md."""
LOAD_OPTIONS = ("symbol", "tz", "repair", "kind", "price", "adjusted", "dialect")


def _sort_options(options: dict[str, Any]) -> dict[str, Any]:
    """Give each further option to the piece it belongs to."""
    known = (*ENGINE_OPTIONS, *VENUE_OPTIONS, *LOAD_OPTIONS, "corporate_actions")
    for name in options:
        if name not in known:
            named = (backtest.__kwdefaults__ or {}).keys()
            hint = ELSEWHERE.get(name) or did_you_mean(name, [*named, *known])
            raise ConfigError(f"backtest() has no option {name!r}", remedy=hint)
    load = {k: v for k, v in options.items() if k in LOAD_OPTIONS}
    if options.get("calendar"):
        load["calendar"] = options["calendar"]
    return {
        "engine": {k: v for k, v in options.items() if k in ENGINE_OPTIONS},
        "venue": {k: v for k, v in options.items() if k in VENUE_OPTIONS},
        "load": load,
        "actions": options.get("corporate_actions"),
    }


def _listed(strategies: Any) -> list[Strategy]:
    if isinstance(strategies, (list, tuple)) and strategies:
        return list(strategies)
    raise ConfigError(
        f"expected a Strategy or a list of them, got {strategies!r}",
        remedy="Give an object, such as SmaCross()",
    )


def _default_symbol(strategies: list[Strategy]) -> str:
    """The symbol of a table that names none: the strategies' own parameter, if they have one."""
    named = {s.params["symbol"] for s in strategies if "symbol" in s.params}
    return named.pop() if len(named) == 1 else UNNAMED


def _gate(limits: Any) -> Any:
    from pyrt.risk import gate_for

    return gate_for(limits)


def _on_terminal() -> bool:
    import sys

    return sys.stderr.isatty() or "ipykernel" in sys.modules
