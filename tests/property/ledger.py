"""A run checked against fractions: its raw fills and corporate actions, and nothing else of it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from pyrt.backtest.collect import array
from pyrt.core import records as layouts
from pyrt.core.ledger import POSTING_DTYPE
from tests.reference.account import SlowAccount
from tests.reference.position import SlowPosition

PRICE = Fraction(1, 10**9)
MONEY = Fraction(1, 10**18)
Action = tuple[int, str, int, Fraction]
"""(ts, kind, instrument, ratio or amount)."""


def wide(row: Any, name: str) -> int:
    return (int(row[f"{name}_high"]) << 64) | int(row[f"{name}_low"])


def replay(
    kernel: Any, tables: Any, opening: Fraction, actions: list[Action], cost: str = "average"
) -> SlowAccount:
    """Book fills and actions again, in fractions.

    Parameters
    ----------
    tables : list of BarColumns
        The data, by instrument: a split pays out at the last close, and a fill on the path of a
        bar that ends at midnight comes before the actions of the new day.
    """
    account = SlowAccount(opening, cost)
    instruments = kernel.cache.instruments
    waiting = sorted(actions)
    for row in array(kernel.records.fills, layouts.FILL_DTYPE):
        index = int(row["instrument"])
        while waiting and waiting[0][0] <= tables[index].ts_open[row["bar"]]:
            _act(account, waiting.pop(0), tables)
        instrument = instruments[index]
        unit = Fraction(1, 10**instrument.decimals)
        position = account.position(
            int(row["strategy"]), index, Fraction(str(instrument.to_dict()["step_size"]))
        )
        account.fill(
            position,
            int(row["side"]),
            int(row["quantity"]) * unit,
            int(row["price"]) * PRICE,
            wide(row, "fee") * MONEY,
        )
        assert int(row["position"]) * unit == position.quantity
    for action in waiting:
        _act(account, action, tables)
    return account


def _act(account: SlowAccount, action: Action, tables: Any) -> None:
    ts, kind, instrument, amount = action
    row = int(np.searchsorted(tables[instrument].ts_close, ts, side="right")) - 1
    account.mark(instrument, Fraction(str(float(tables[instrument].close[row]))))
    if kind == "split":
        account.split(instrument, amount)
    else:
        account.dividend(instrument, amount)


def check(kernel: Any, sim: Any, account: SlowAccount) -> None:
    """Compare every balance and position, exactly; cash + positions + fees balance."""
    assert Fraction(kernel.account.cash_exact) == account.cash
    assert Fraction(sim.account.cash_exact) == account.cash
    earned = Fraction(0)
    for (strategy, index), twin in account.positions.items():
        position = kernel.cache.positions(strategy, kernel.cache.instruments[index].id)
        if not position:
            assert twin.quantity == 0
            continue
        (held,) = position
        compare(held, twin)
        twin.mark = (
            Fraction(str(held.last_price)) if held.last_price == held.last_price else twin.mark
        )
    for twin in account.positions.values():
        earned += twin.realized + twin.value - twin.open_cost
    assert account.equity == account.opening + earned
    assert Fraction(kernel.account.equity_exact) == account.equity
    check_ledger(kernel, account)


def check_ledger(kernel: Any, account: SlowAccount) -> None:
    """Every entry balances by itself, and all of them make what the fractions make."""
    ledger = kernel.booking.ledger
    assert ledger.differences(kernel.account, kernel.cache.all_positions()) == {}
    balances = {name: Fraction(value) for (name, _), value in ledger.balances(["USD"]).items()}
    twins = account.positions.values()
    assert sum(balances.values()) == 0
    assert balances["cash"] == account.cash
    assert -balances["capital"] == account.opening
    assert balances.get("fees", 0) == sum(twin.fees for twin in twins)
    assert balances.get("holdings", 0) == sum(twin.open_cost for twin in twins)
    entries = array(ledger.rows, POSTING_DTYPE)
    for number in np.unique(entries["entry"])[:: max(1, len(ledger) // 500)]:
        lines = entries[entries["entry"] == number]
        assert sum(wide(line, "amount") for line in lines) == 0


def compare(held: Any, twin: SlowPosition) -> None:
    assert Fraction(held.quantity_exact) == twin.quantity
    assert Fraction(held.cost_basis_exact) == twin.open_cost
    assert Fraction(held.realized_pnl_exact) == twin.realized


def random_bars(seed: int, n: int, start: float) -> np.ndarray[Any, Any]:
    """A walk on a cent grid with ranges and volumes, shape (n, 5)."""
    rng = np.random.default_rng(seed)
    close = np.maximum(start + np.cumsum(rng.normal(0, 0.4, n)), start / 4)
    opens = np.concatenate(([start], close[:-1])) + rng.normal(0, 0.2, n)
    high = np.maximum(opens, close) + rng.exponential(0.5, n)
    low = np.minimum(opens, close) - rng.exponential(0.5, n)
    table = np.column_stack((opens, high, np.maximum(low, 0.5), close))
    return np.column_stack((np.maximum(np.round(table, 2), 0.5), np.round(rng.random(n) * 5000)))
