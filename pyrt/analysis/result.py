"""The result of a backtest: everything a user reads, computed when it is first asked for."""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyrt.analysis import export, sketch, text
from pyrt.analysis.curves import DailyCurve, daily_curve
from pyrt.analysis.explain import EXPLAIN_COLUMNS, untraded
from pyrt.analysis.pnl import profit_by
from pyrt.analysis.record import (
    FILL_COLUMNS,
    ORDER_COLUMNS,
    POSITION_COLUMNS,
    TRADE_COLUMNS,
    RunRecord,
    Table,
)
from pyrt.analysis.risk import Rerun, RiskReport
from pyrt.analysis.summary import summarize
from pyrt.errors import MissingExtra

if TYPE_CHECKING:
    import pandas as pd

LEDGER_COLUMNS = ("ts_event", "kind", "symbol", "currency", "amount")


class BacktestResult:
    """What a run came to.

    Making one costs a microsecond: every attribute is computed on first use and kept. DataFrames
    are views for the reader; changing one changes nothing else.

    Parameters
    ----------
    record : RunRecord
        The columns the engine recorded; available as `record`.
    risk_free : float
        Annual risk-free rate of the Sharpe and Sortino ratios and of alpha.
    periods_per_year : float, optional
        Overrides the number inferred from the dates (see `pyrt.analysis.sessions`).
    """

    # How to run again under other limits; travels nowhere.
    _rerun: Rerun | None = None

    def __init__(
        self, record: RunRecord, *, risk_free: float = 0.0, periods_per_year: float | None = None
    ) -> None:
        self.record = record
        self._risk_free = risk_free
        self._periods_per_year = periods_per_year

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Every statistic by machine name; fractions, seconds, ISO times, account currency."""
        return summarize(
            self.record,
            self._daily,
            risk_free=self._risk_free,
            periods_per_year=self._periods_per_year,
        )

    @cached_property
    def stats(self) -> pd.Series[Any]:
        """The summary under human labels, units in brackets."""
        series: pd.Series[Any] = _frames().stats_series(self.summary)
        return series

    @cached_property
    def fills(self) -> pd.DataFrame:
        """Executions in order of time, one row each."""
        return _frame(self.record.fills, FILL_COLUMNS)

    @cached_property
    def orders(self) -> pd.DataFrame:
        """Every order issued, with its final status and the reason where there is one."""
        return _frame(self.record.orders, ORDER_COLUMNS)

    @cached_property
    def trades(self) -> pd.DataFrame:
        """Round trips, entry to flat; ``pnl`` is net of ``fees``, ``return_pct`` in percent."""
        return _frame(self.record.trades, TRADE_COLUMNS)

    @cached_property
    def positions(self) -> pd.DataFrame:
        """Positions still open at the last event."""
        return _frame(self.record.positions, POSITION_COLUMNS)

    @cached_property
    def equity(self) -> pd.Series[float]:
        """Marked-to-market equity, one point an instant; UTC index named ``ts_event``."""
        series: pd.Series[float] = _frames().equity_series(self.record)
        return series

    @cached_property
    def equity_curve(self) -> pd.DataFrame:
        """Columns ``equity``, ``cash``, ``gross_exposure``; UTC index named ``ts_event``."""
        frame: pd.DataFrame = _frames().curve_frame(self.record)
        return frame

    @cached_property
    def returns(self) -> pd.Series[float]:
        """Daily returns with naive dates, as pyfolio, quantstats and ffn take them.

        The first is on the initial cash. The series ends on the day equity first is not positive.
        """
        series: pd.Series[float] = _frames().returns_series(self._daily)
        return series

    @property
    def events_processed(self) -> int:
        """Rows of market data given to the kernel."""
        return self.record.events_processed

    @property
    def elapsed_s(self) -> float:
        """Seconds from the first event to the last."""
        return self.record.elapsed_s

    @property
    def load_s(self) -> float:
        """Seconds from the call to the first event."""
        return self.record.load_s

    @property
    def run_hash(self) -> str:
        """Hash of inputs, parameters, seed and outcome; equal in any process."""
        return self.record.run_hash

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the result comes from: data hash, versions, seed, fill rule and the like."""
        return dict(self.record.provenance)

    @property
    def messages(self) -> list[str]:
        """Notes of the engine and the strategies, in order."""
        return list(self.record.messages)

    @cached_property
    def ledger(self) -> pd.DataFrame:
        """Movements of cash that are no trade: dividends, interest, borrow fees."""
        return _frame(self.record.ledger, LEDGER_COLUMNS)

    def pnl(self, by: str = "symbol") -> pd.DataFrame:
        """Return profit and loss net of fees by ``"trade"``, ``"day"``, ``"symbol"`` or
        ``"strategy"``; the rows of each sum to what the run made, but for charges that belong to
        no trade (see `ledger`).

        Amounts are in base currency, converted at the last rate, as in the account's equity; those
        of round trips are in the quote currency of their instrument.
        """
        table = profit_by(by, self.record, lambda: self._daily)
        return _frame(table, tuple(table))

    def risk(self) -> RiskReport:
        """Return what risk control did: denials, trips, exposures, cost and savings by rule.

        Its `what_if(limits)` runs the same session again under other limits.
        """
        return RiskReport(self.record, self._rerun)

    def explain(self) -> pd.DataFrame:
        """Return every order that did not trade in full, and why.

        Returns
        -------
        DataFrame
            One row an order: its terms, ``status``, the engine's ``reason`` and an
            ``explanation`` with the numbers (what was filled, how far the market stayed away).
        """
        return _frame(untraded(self.record), EXPLAIN_COLUMNS)

    def to_pyfolio(self) -> tuple[pd.Series[float], pd.DataFrame, pd.DataFrame]:
        """Return (returns, positions with cash, transactions) for pyfolio, UTC indices."""
        frames: tuple[pd.Series[float], pd.DataFrame, pd.DataFrame]
        frames = _frames().pyfolio_frames(self.record, self._daily)
        return frames

    def to_json(self, path: str | Path | None = None) -> str:
        """Return summary, parameters and provenance as JSON, and write it where a path is given.

        Keys come in a fixed order; NaN and infinities are null.
        """
        document = export.to_json(self.record, self.summary)
        if path is not None:
            Path(path).write_text(document + "\n", encoding="utf-8")
        return document

    def report(self, path: str | Path, *, timezone: str = "UTC") -> Path:
        """Write a self-contained, offline HTML report.

        Parameters
        ----------
        path : str or Path
            File to write; replaced if it exists.
        timezone : str
            IANA name of the zone in which times are shown.

        Returns
        -------
        Path
            The file written.

        Raises
        ------
        MissingExtra
            If plotly is not installed; nothing is written.
        """
        document: str = _plotly_module("report").render(
            self.record, self.summary, self._daily, timezone=timezone
        )
        target = Path(path)
        target.write_text(document, encoding="utf-8")
        return target

    def plot(self) -> Any:
        """Return equity, buy-and-hold and drawdown as a plotly Figure; opens nothing.

        Raises
        ------
        MissingExtra
            If plotly is not installed.
        """
        return _plotly_module("figure").equity_figure(self.record, self.summary)

    def __str__(self) -> str:
        return text.table(self.record, self.summary)

    def __repr__(self) -> str:
        return text.one_line(self.record, self.summary)

    def _repr_html_(self) -> str:
        return sketch.notebook_html(self.record, self.summary)

    def __getstate__(self) -> dict[str, Any]:
        # Only the columns travel between processes; views are made again where they are read.
        kept = ("record", "_risk_free", "_periods_per_year")
        return {name: self.__dict__[name] for name in kept}

    @cached_property
    def _daily(self) -> DailyCurve:
        return daily_curve(self.record)


def _frames() -> Any:
    """Load the pandas views: not before someone asks for one."""
    return import_module("pyrt.analysis.frames")


def _frame(table: Table, names: tuple[str, ...]) -> pd.DataFrame:
    frame: pd.DataFrame = _frames().table_frame(table, names)
    return frame


def _plotly_module(name: str) -> Any:
    """Load a module that needs plotly."""
    try:
        import_module("plotly")
    except ImportError as error:
        raise MissingExtra(
            "Charts need plotly, which is not installed",
            remedy="Run: pip install pyrt[analysis]",
            package="plotly",
        ) from error
    return import_module(f"pyrt.analysis.{name}")
