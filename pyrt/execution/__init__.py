"""Execution: orders on their way, what venues lack, and algorithms that work an order."""

from __future__ import annotations

from pyrt.execution.algorithms import ExecutionAlgorithm
from pyrt.execution.profiles import VolumeProfile
from pyrt.execution.reactive import POV, Iceberg
from pyrt.execution.schedules import TWAP, VWAP

__all__ = ["POV", "TWAP", "VWAP", "ExecutionAlgorithm", "Iceberg", "VolumeProfile"]
