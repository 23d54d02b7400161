"""A run's figures as JSON that any reader accepts: stable order, no NaN, no surprises."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from pyrt.analysis.record import RunRecord, rows


def document(record: RunRecord, summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON document of a run as plain Python objects, keys in a fixed order."""
    return {
        "events_processed": int(record.events_processed),
        "elapsed_s": plain(record.elapsed_s),
        "load_s": plain(record.load_s),
        "run_hash": record.run_hash,
        "fills": rows(record.fills),
        "orders": rows(record.orders),
        "final_equity": plain(summary["final_equity"]),
        "summary": plain(summary),
        "parameters": [plain(entry) for entry in record.parameters],
        "provenance": plain(dict(sorted(record.provenance.items()))),
        "messages": [str(message) for message in record.messages],
    }


def to_json(record: RunRecord, summary: Mapping[str, Any]) -> str:
    """Return `document` as text; NaN and infinities become null."""
    return json.dumps(document(record, summary), indent=2, allow_nan=False, ensure_ascii=False)


def plain(value: Any) -> Any:
    """Return a value as JSON types; what JSON cannot say becomes null (numbers) or text."""
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(str(item) for item in value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Path):
        return value.as_posix()
    return str(value)
