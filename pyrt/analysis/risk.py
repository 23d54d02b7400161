"""What risk control did in a run: denials, trips, exposures, and what each rule cost or saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from pyrt.analysis.record import RunRecord
from pyrt.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd

    from pyrt.analysis.result import BacktestResult

Rerun = Callable[[Any], "BacktestResult"]
CONTROL_COLUMNS = ("control", "denials", "value", "foregone", "cost", "saved")


class RiskReport:
    """The record of a run's risk engine as tables; printed, it is a short account.

    Parameters
    ----------
    record : RunRecord
    rerun : callable, optional
        Limits → the result of the same run under them.
    """

    def __init__(self, record: RunRecord, rerun: Rerun | None = None) -> None:
        self._record = record
        self._risk: Mapping[str, Any] = record.risk
        self._rerun = rerun

    @cached_property
    def verdicts(self) -> pd.DataFrame:
        """Every verdict of an engine with limits: one row an order or change."""
        return self._table("verdicts")

    @cached_property
    def denials(self) -> pd.DataFrame:
        """Denied orders and changes, with ``reason`` and ``foregone``.

        ``foregone`` is what the order would have made from its denial to the end at the last
        price, fees left out: negative is what the control saved.
        """
        return self._table("denials")

    @cached_property
    def controls(self) -> pd.DataFrame:
        """Denials by control: how many, their value, what they cost and what they saved."""
        import pandas as pd

        rows = [
            {"control": code, **sums} for code, sums in dict(self._risk.get("controls", {})).items()
        ]
        return pd.DataFrame(rows, columns=list(CONTROL_COLUMNS))

    @cached_property
    def trips(self) -> pd.DataFrame:
        """Openings of the circuit breaker: ``ts_event``, ``reason``."""
        return self._rows("trips", ("ts_event", "reason"))

    @cached_property
    def changes(self) -> pd.DataFrame:
        """Changes of states, limits and breaker: who, what, why."""
        names = ("ts_event", "scope", "before", "after", "actor", "reason")
        return self._rows("changes", names)

    @cached_property
    def exposures(self) -> pd.DataFrame:
        """Over time: ``equity``, ``gross_exposure``, ``leverage`` and ``drawdown``; UTC index."""
        import pandas as pd

        record = self._record
        equity = np.asarray(record.equity, float)
        peak = np.maximum.accumulate(np.concatenate(([record.initial_cash], equity)))[1:]
        with np.errstate(divide="ignore", invalid="ignore"):
            leverage = record.gross_exposure / equity
            drawdown = 1.0 - equity / peak
        index = pd.DatetimeIndex(record.equity_ts, tz="UTC", name="ts_event")
        return pd.DataFrame(
            {
                "equity": equity,
                "gross_exposure": record.gross_exposure,
                "leverage": leverage,
                "drawdown": drawdown,
            },
            index=index,
        )

    def what_if(self, limits: Any = None) -> BacktestResult:
        """Return the result of the same run under other limits; None for none.

        Raises
        ------
        ConfigError
            If the data are not at hand any more: the result was read from a file, came from
            another process, or the data were streamed.
        """
        if self._rerun is None:
            raise ConfigError(
                "this result cannot be run again: its data are not at hand",
                remedy="Call backtest(...) with the other limits",
            )
        return self._rerun(limits)

    def _table(self, name: str) -> pd.DataFrame:
        import pandas as pd

        table = pd.DataFrame(dict(self._risk.get(name, {})))
        if "ts_event" in table:
            table["ts_event"] = pd.to_datetime(table["ts_event"], utc=True)
        return table

    def _rows(self, name: str, columns: tuple[str, ...]) -> pd.DataFrame:
        import pandas as pd

        table = pd.DataFrame(list(self._risk.get(name, ())), columns=list(columns))
        table["ts_event"] = pd.to_datetime(table["ts_event"], utc=True)
        return table

    def __str__(self) -> str:
        denials = dict(self._risk.get("controls", {}))
        exposures = self.exposures
        most = exposures.max() if len(exposures) else {"leverage": 0.0, "drawdown": 0.0}
        lines = [
            f"Risk: {sum(d['denials'] for d in denials.values())} denials, "
            f"{len(self.trips)} trips, leverage up to {most['leverage']:.2f}, "
            f"drawdown up to {most['drawdown']:.2%}"
        ]
        lines += [
            f"  {code}: {sums['denials']} denied, worth {sums['value']:,.2f}; "
            f"saved {sums['saved']:,.2f}, cost {sums['cost']:,.2f}"
            for code, sums in denials.items()
        ]
        lines += [f"  {row.ts_event} {row.reason}" for row in self.trips.itertuples()]
        return "\n".join(lines)
