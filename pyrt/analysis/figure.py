"""The equity chart as a plotly figure, for notebooks and for users' own pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from plotly.graph_objects import Figure, Scatter  # type: ignore[import-untyped]
from plotly.subplots import make_subplots  # type: ignore[import-untyped]

from pyrt.analysis import text
from pyrt.analysis.curves import buy_and_hold, extremes
from pyrt.analysis.frames import utc_index
from pyrt.analysis.record import RunRecord
from pyrt.analysis.statistics import drawdowns

MAX_POINTS = 4_000


def equity_figure(record: RunRecord, summary: Mapping[str, Any]) -> Figure:
    """Return equity against buy-and-hold above the drawdown.

    Long curves keep the extremes of each of `MAX_POINTS` / 2 stretches, so that no peak and no
    trough is lost.

    Parameters
    ----------
    record : RunRecord
    summary : mapping
        For the title's figures.
    """
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.72, 0.28])
    equity = np.asarray(record.equity, dtype=np.float64)
    below = -drawdowns(np.concatenate(([record.initial_cash], equity)))[1:]
    _add(figure, record, equity, 1, name="Equity", line={"color": "#2457d6"})
    held = buy_and_hold(record, record.equity_ts)
    if len(held):
        line = {"color": "#8d97a5", "width": 1}
        _add(figure, record, held, 1, name="Buy and hold", line=line)
    faint = {"color": "#c8372d", "width": 1}
    _add(figure, record, below, 2, name="Drawdown", fill="tozeroy", line=faint)
    figure.update_yaxes(tickformat=".1%", row=2, col=1)
    figure.update_layout(
        title=f"{text.title(record)}: {100.0 * summary['total_return']:,.2f} %",
        hovermode="x unified",
        template="plotly_white",
        legend={"orientation": "h"},
    )
    return figure


def _add(
    figure: Figure, record: RunRecord, values: NDArray[np.float64], row: int, **style: Any
) -> None:
    kept = extremes(values, MAX_POINTS)
    index = utc_index(record.equity_ts[kept])
    trace = Scatter(x=index, y=values[kept], mode="lines", **style)
    figure.add_trace(trace, row=row, col=1)
