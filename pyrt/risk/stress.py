"""What a portfolio would lose: shifts, the worst days there were, correlations going to one."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from pyrt.errors import ConfigError
from pyrt.risk.arguments import (
    Floats,
    checked_covariance,
    count_of,
    each,
    held_values,
    level_of,
    mapping,
    nonnegative,
    number,
    share,
    table,
)


def shift_loss(values: npt.ArrayLike, shift: float, betas: npt.ArrayLike | None = None) -> float:
    """Return the profit or loss when the market moves by `shift`.

    Parameters
    ----------
    values : array_like, shape (n_assets,)
        Signed value held.
    shift : float
        Return of the market, such as -0.1.
    betas : array_like, shape (n_assets,), optional
        How far each asset follows; 1 for all by default.

    Examples
    --------
    >>> shift_loss([1_000, -500], -0.1, betas=[1.2, 1.0])
    -70.0
    """
    held = held_values(values)
    followed = np.ones_like(held) if betas is None else each(held, betas, "betas")
    return float(held @ followed * number("shift", shift))


def scenario_losses(
    values: Mapping[str, float], scenarios: Mapping[str, Mapping[str, float]]
) -> dict[str, float]:
    """Return the profit or loss under each named scenario.

    Parameters
    ----------
    values : mapping
        Symbol → signed value held.
    scenarios : mapping
        Name → {symbol: return}; the key ``"*"`` is for every symbol not named.

    Raises
    ------
    ConfigError
        If a scenario says nothing of a symbol that is held.

    Examples
    --------
    >>> scenario_losses({"SPY": 1_000.0, "TLT": 500.0}, {"crash": {"SPY": -0.2, "*": 0.02}})
    {'crash': -190.0}
    """
    found = {}
    held = {s: number(f"the value of {s}", v) for s, v in mapping("values", values).items()}
    for name, moves in mapping("scenarios", scenarios).items():
        mapping(f"scenario {name!r}", moves)
        missing = [s for s in values if s not in moves and "*" not in moves]
        if missing:
            raise ConfigError(
                f"scenario {name!r} has no return for {missing[0]!r}",
                remedy='Add it, or "*" for all others',
            )
        found[name] = float(
            sum(
                value * number(f"the return of {s} in {name!r}", moves.get(s, moves.get("*")))
                for s, value in held.items()
            )
        )
    return found


def worst_periods(
    values: npt.ArrayLike, returns: npt.ArrayLike, count: int = 10
) -> tuple[npt.NDArray[np.int64], Floats]:
    """Return the past periods that would hurt today's holdings most.

    Parameters
    ----------
    values : array_like, shape (n_assets,)
    returns : array_like, shape (n_periods, n_assets)
        NaN counts as no move.
    count : int

    Returns
    -------
    rows : ndarray of int64, shape (count,)
        Of `returns`, worst first.
    results : ndarray of float64, shape (count,)
        Profit or loss in each.
    """
    held = held_values(values)
    moves = table("returns", returns, len(held))
    if np.isinf(moves).any():
        raise ConfigError("returns hold infinity", remedy="Drop or fill these periods")
    results = np.nan_to_num(moves) @ held
    rows = np.argsort(results, kind="stable")[: count_of("count", count)]
    return rows.astype(np.int64), results[rows]


def correlation_to_one(
    values: npt.ArrayLike, deviations: npt.ArrayLike, level: float = 0.95
) -> float:
    """Return value at risk when nothing diversifies: every asset moves against its holding.

    Parameters
    ----------
    values, deviations : array_like, shape (n_assets,)
        Signed value held; standard deviation of the return over the horizon.
    level : float

    Examples
    --------
    >>> round(correlation_to_one([1_000, -1_000], [0.01, 0.02], 0.975), 2)
    58.8
    """
    level, held = level_of(level), held_values(values)
    spread = each(held, deviations, "deviations")
    if (spread < 0.0).any():
        raise ConfigError(f"deviations are {deviations!r:.80}; expected 0 or more")
    losses = np.abs(held) * spread
    return NormalDist().inv_cdf(level) * float(losses.sum())


def stressed_covariance(covariance: npt.ArrayLike, toward_one: float, scale: float = 1.0) -> Floats:
    """Return a covariance with correlations moved toward one and deviations scaled.

    Parameters
    ----------
    covariance : array_like, shape (n_assets, n_assets)
    toward_one : float
        0 leaves correlations as they are, 1 makes them all one.
    scale : float
        Factor of every standard deviation.
    """
    toward_one, scale = share("toward_one", toward_one), nonnegative("scale", scale)
    matrix = checked_covariance(covariance)
    deviation = np.sqrt(np.diag(matrix))
    full = np.outer(deviation, deviation)
    return np.asarray(scale * scale * ((1.0 - toward_one) * matrix + toward_one * full))
