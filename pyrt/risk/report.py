"""The record of a run's risk control as plain columns, with what each control kept out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from pyrt.core.instruments import Instrument
    from pyrt.risk.states import Change
    from pyrt.risk.verdicts import Verdicts

Columns = dict[str, npt.NDArray[Any]]


def report_of(
    verdicts: Verdicts,
    changes: Sequence[Change],
    trips: Sequence[tuple[int, str]],
    instruments: Sequence[Instrument],
    marks: Sequence[float],
    strategies: Sequence[str],
) -> dict[str, Any]:
    """Return what a risk engine did.

    Parameters
    ----------
    verdicts : Verdicts
    changes : sequence of Change
    trips : sequence of (ts, reason)
        Openings of the circuit breaker.
    instruments, marks : sequence, shape (n_instruments,)
        By index, with their last prices; 0.0 where there was none.
    strategies : sequence of str
        Names by number.

    Returns
    -------
    dict
        ``verdicts``: columns, one row an order or change. ``denials``: those denied, with
        ``foregone``: what the order would have made from its denial to the end at the last price,
        in quote currency, fees left out; negative is what the control saved. ``controls``: code →
        denials, value denied and foregone, of which ``cost`` and ``saved``.
        ``changes``, ``trips``: lists of dicts.
    """
    columns = _columns(verdicts, instruments, strategies)
    denied = columns["control"] != "approved"
    denials = {name: values[denied] for name, values in columns.items()}
    last = np.asarray([*marks, 0.0])[verdicts.table()["instrument"][denied]]
    denials["foregone"] = _foregone(denials, last)
    return {
        "verdicts": columns,
        "denials": denials,
        "controls": _by_control(denials),
        "changes": [asdict(change) for change in changes],
        "trips": [{"ts_event": ts, "reason": reason} for ts, reason in trips],
    }


def _columns(
    verdicts: Verdicts, instruments: Sequence[Instrument], strategies: Sequence[str]
) -> Columns:
    table = verdicts.table()
    scale = np.asarray([10.0**i.decimals for i in instruments] or [1.0])
    point = np.asarray([float(i.multiplier) for i in instruments] or [1.0])
    return {
        "ts_event": table["ts_event"].copy(),
        "order": table["order"].copy(),
        "strategy": _named(strategies, table["strategy"]),
        "symbol": _named([i.symbol for i in instruments], table["instrument"]),
        "side": np.where(table["side"] > 0, "buy", "sell"),
        "is_change": table["is_change"].astype(bool),
        "quantity": table["quantity"] / scale[table["instrument"]],
        "multiplier": point[table["instrument"]],
        "price": table["price"] / 1e9,
        "value": table["value"].copy(),
        "exposure": table["exposure"].copy(),
        "control": _named(verdicts.control_names(), table["control"]),
        "reason": _named(verdicts.reasons, table["text"]),
        "limits_version": _named(verdicts.versions, table["version"]),
    }


def _named(names: Sequence[str], numbers: npt.NDArray[Any]) -> npt.NDArray[Any]:
    chosen: npt.NDArray[Any] = np.asarray([*names, ""], dtype=object)[numbers]
    return chosen


def _foregone(denials: Columns, last: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """What denied orders would have made from then to the end; NaN without both prices."""
    side = np.where(denials["side"] == "buy", 1.0, -1.0)
    known = (denials["price"] > 0.0) & (last > 0.0)
    change = np.where(known, last - denials["price"], np.nan)
    made: npt.NDArray[np.float64] = side * denials["quantity"] * denials["multiplier"] * change
    return made


def _by_control(denials: Columns) -> dict[str, dict[str, float]]:
    """Sum up the denials of each control, most frequent first."""
    found = {}
    for code in sorted(set(denials["control"])):
        mine = denials["control"] == code
        foregone = np.nan_to_num(denials["foregone"][mine])
        found[code] = {
            "denials": int(mine.sum()),
            "value": float(denials["value"][mine].sum()),
            "foregone": float(foregone.sum()),
            "cost": float(foregone[foregone > 0].sum()),
            "saved": float(-foregone[foregone < 0].sum()),
        }
    return dict(sorted(found.items(), key=lambda item: (-item[1]["denials"], item[0])))
