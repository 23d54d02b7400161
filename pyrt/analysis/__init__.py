"""Statistics, results and reports of runs."""

from __future__ import annotations

from pyrt.analysis.record import RunRecord
from pyrt.analysis.result import BacktestResult

__all__ = ["BacktestResult", "RunRecord"]
