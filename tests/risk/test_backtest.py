"""Limits in a backtest, from the call to the result's tables."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from pyrt import BacktestEngine, Strategy, backtest
from pyrt.analysis.result import BacktestResult
from pyrt.errors import ConfigError
from pyrt.risk import Limits, RiskEngine
from pyrt.venues.capabilities import Capabilities

BARS = 12


def bars(prices: list[float] | None = None) -> pd.DataFrame:
    close = [100.0] * BARS if prices is None else prices
    index = pd.date_range("2024-01-01", periods=len(close), freq="1min", tz="UTC")
    columns = dict.fromkeys(("open", "high", "low", "close"), close)
    return pd.DataFrame({**columns, "volume": 1e6}, index=index)


class Script(Strategy):
    """Buys 100, then 1,000, then leaves."""

    def on_start(self) -> None:
        self.subscribe_bars("X", "1m")
        self.count = 0

    def on_bar(self, bar: Any) -> None:
        self.count += 1
        if self.count == 2:
            self.buy("X", 100)
        elif self.count == 4:
            self.buy("X", 1_000)
        elif self.count == 6:
            self.close("X")


def run(limits: Limits | None, prices: list[float] | None = None) -> Any:
    return backtest(Script(), bars(prices), symbol="X", label="open", limits=limits, progress=False)


def test_an_order_past_its_limit_is_denied_with_the_control_and_the_numbers() -> None:
    orders = run(Limits(max_order_notional=50_000)).orders
    assert orders["status"].tolist() == ["FILLED", "DENIED", "FILLED"]
    assert orders["reason"].iloc[1] == (
        "max_order_notional: order value 100000 is over the limit of 50000"
    )


def test_wide_limits_change_nothing() -> None:
    free, limited = run(None), run(Limits(max_order_notional=1e9, max_drawdown=1))
    assert free.fills.equals(limited.fills)
    assert free.equity.equals(limited.equity)


def test_a_run_under_limits_is_the_same_each_time() -> None:
    limits = Limits(max_order_notional=50_000, max_drawdown=0.01)
    assert run(limits).run_hash == run(limits).run_hash


def test_a_protective_stop_leaves_the_position() -> None:
    prices = [100.0] * 5 + [97.0] * 7
    result = run(Limits(max_position_loss=250, max_order_quantity=100), prices)
    assert result.fills["side"].tolist() == ["buy", "sell"]
    assert result.orders["status"].tolist()[0] == "FILLED"
    assert result.trades["pnl"].tolist() == [pytest.approx(-300.0)]


class Bracketed(Strategy):
    """Enters with exits at the fourth bar and closes at the eighth."""

    def on_start(self) -> None:
        self.subscribe_bars("X", "1m")
        self.count = 0

    def on_bar(self, bar: Any) -> None:
        self.count += 1
        if self.count == 4:
            self.buy("X", 10, take_profit=150, stop_loss=50)
        elif self.count == 8:
            self.close("X")


def test_the_engine_reports_verdicts_denials_and_what_they_kept_out() -> None:
    gate = RiskEngine(Limits(max_order_notional=50_000))
    engine = BacktestEngine(gate=gate)
    engine.add_data(bars([100.0] * 6 + [90.0] * 6), symbol="X", label="open")
    engine.add_strategy(Script())
    engine.run()
    report = gate.report()
    assert report["verdicts"]["control"].tolist() == ["approved", "max_order_notional", "approved"]
    assert report["controls"] == {
        "max_order_notional": {
            "denials": 1,
            "value": 100_000.0,
            "foregone": -10_000.0,
            "cost": 0,
            "saved": 10_000,
        }
    }
    assert report["denials"]["symbol"].tolist() == ["X"]
    assert set(report["verdicts"]["limits_version"]) == {gate.limits.version}


def test_claims_end_with_the_orders_they_stand_for() -> None:
    gate = RiskEngine(Limits(max_gross_exposure=1e9, max_position_quantity=10))
    engine = BacktestEngine(gate=gate)
    engine.add_data(bars(), symbol="X", label="open")
    engine.add_strategy(Bracketed())
    result = engine.run()
    assert result.orders["status"].tolist() == ["FILLED", "CANCELED", "CANCELED", "FILLED"]
    assert gate.claims is not None
    assert len(gate.claims) == 0
    assert gate.claims.totals() == (0.0, 0.0, 0.0)
    assert gate.claims.worst_case(0) == (0, 0, 0)


def test_a_breaker_ends_entries_for_the_day() -> None:
    class Eager(Script):
        def on_bar(self, bar: Any) -> None:
            self.buy("X", 10)

    prices = [100.0] * 4 + [50.0] * 8
    orders = backtest(
        Eager(), bars(prices), symbol="X", label="open", progress=False,
        limits=Limits(max_daily_loss=500),
    ).orders  # fmt: skip
    denied = orders[orders["status"] == "DENIED"]
    assert len(denied) >= 6
    assert denied["reason"].str.startswith("max_daily_loss: circuit breaker open").all()


def test_the_report_says_what_was_denied_and_what_it_cost_or_saved() -> None:
    prices = [100.0, 100, 100, 100, 100, 90, 80, 80, 80, 80, 80, 80]
    result = run(Limits(max_order_notional=50_000, max_daily_loss=1_500), prices)
    report = result.risk()
    assert report.denials["control"].tolist() == ["max_order_notional"]
    assert report.denials["reason"].iloc[0].startswith("max_order_notional: ")
    assert (report.verdicts["reason"] != "").sum() == 1
    row = report.controls.iloc[0]
    # 1,000 shares not bought at 100 would have lost 20 each.
    assert (row["control"], row["denials"], row["value"]) == ("max_order_notional", 1, 100_000)
    assert (row["foregone"], row["saved"], row["cost"]) == (-20_000, 20_000, 0)
    assert len(report.verdicts) == 3
    assert report.trips["reason"].str.startswith("max_daily_loss").all()
    assert len(report.exposures) == BARS
    assert report.exposures["leverage"].max() == pytest.approx(0.1)
    assert report.exposures["drawdown"].iloc[-1] == pytest.approx(0.02)
    assert "1 denials, 1 trips" in str(report)
    assert "saved 20,000.00, cost 0.00" in str(report)


def test_a_run_without_limits_has_a_report_too() -> None:
    report = run(None).risk()
    assert len(report.denials) == len(report.trips) == len(report.controls) == 0
    assert str(report).startswith("Risk: 0 denials")


def test_what_if_runs_the_same_session_under_other_limits() -> None:
    result = run(Limits(max_order_notional=50_000))
    free = result.risk().what_if(None)
    assert free.orders["status"].tolist() == ["FILLED", "REJECTED", "FILLED"]
    again = free.risk().what_if(Limits(max_order_notional=50_000))
    assert again.run_hash == result.run_hash
    tighter = result.risk().what_if({"max_order_quantity": 50})
    assert tighter.orders["status"].tolist() == ["DENIED", "DENIED"]


def test_a_result_from_elsewhere_cannot_be_run_again() -> None:
    moved = BacktestResult(run(None).record)
    with pytest.raises(ConfigError, match="cannot be run again"):
        moved.risk().what_if(None)


class TwoLegs(Strategy):
    """Trades two symbols and keeps one of them."""

    def on_start(self) -> None:
        self.subscribe_bars("X", "1h")
        self.count = 0

    def on_bar(self, bar: Any) -> None:
        self.count += 1
        if self.count in (1, 20, 50):
            self.buy("X", 10)
            self.sell("Y", 5)
        elif self.count == 30:
            self.close("X")
            self.close("Y")


def test_profit_and_loss_add_up_whichever_way_they_are_cut() -> None:
    def hourly(step: float) -> pd.DataFrame:
        close = [100 + step * (i % 17) for i in range(72)]
        index = pd.date_range("2024-01-01", periods=72, freq="1h", tz="UTC")
        columns = dict.fromkeys(("open", "high", "low", "close"), close)
        return pd.DataFrame({**columns, "volume": 1e6}, index=index)

    result = backtest(
        [TwoLegs(), TwoLegs()], {"X": hourly(1.5), "Y": hourly(0.5)}, label="open",
        fees="bps:5", cash=100_000, progress=False,
    )  # fmt: skip
    made = result.equity.iloc[-1] - 100_000
    assert len(result.trades) == 4
    for by, rows in (("day", 3), ("symbol", 2), ("strategy", 2)):
        table = result.pnl(by)
        assert len(table) == rows
        assert table["pnl"].sum() == pytest.approx(made)
    assert result.pnl("trade")["pnl"].sum() == pytest.approx(result.trades["pnl"].sum())
    symbols = result.pnl().set_index("symbol")
    assert symbols.loc["X", "unrealized"] == pytest.approx(2 * 10 * (1.5 * (71 % 17 - 50 % 17)))
    assert result.pnl("day")["day"].tolist() == ["2024-01-01", "2024-01-02", "2024-01-03"]
    with pytest.raises(ConfigError, match="pnl by 'hour'"):
        result.pnl("hour")


class Mixed(Strategy):
    """A fill, then orders that are denied before any limit of size is looked at."""

    def on_start(self) -> None:
        self.subscribe_bars("X", "1m")
        self.count = 0

    def on_bar(self, bar: Any) -> None:
        self.count += 1
        if self.count == 2:
            self.buy("X", 30)
        elif self.count == 4:
            self.buy("X", 11, reduce_only=True)
        elif self.count == 6:
            self.gate.set_state("reducing", "Ann", "odd prices")
            self.sell("X", 50)


def test_what_is_denied_early_is_recorded_with_its_own_figures() -> None:
    gate = RiskEngine(Limits(max_gross_exposure=1e6))
    strategy = Mixed()
    strategy.gate = gate
    engine = BacktestEngine(cash=1e6, gate=gate)
    engine.add_data(bars([100.0] * 8 + [90.0] * 4), symbol="X", label="open")
    engine.add_strategy(strategy)
    denials = engine.run().risk().denials
    assert denials["control"].tolist() == ["reduce_only", "trading_state"]
    assert denials["quantity"].tolist() == [11, 50]
    assert denials["value"].tolist() == [1_100, 5_000]
    # 30 are held: with 11 more 41, with 50 sold the worst is what is held.
    assert denials["exposure"].tolist() == [4_100, 3_000]
    assert denials["foregone"].tolist() == [-110, 500]


class Straddles(Strategy):
    """Keeps a pair of bids below the market."""

    def on_start(self) -> None:
        self.subscribe_bars("X", "1m")

    def on_bar(self, bar: Any) -> None:
        if not self.orders("X"):
            dip = {"side": "buy", "symbol": "X", "quantity": 10, "limit_price": 98}
            self.pair(dip, {**dip, "limit_price": 97})


@pytest.mark.parametrize(("limit", "statuses"), [(19, ["DENIED"] * 2), (20, ["ACCEPTED"] * 2)])
def test_both_halves_of_a_kept_pair_count(limit: int, statuses: list[str]) -> None:
    """One is canceled before the other leaves; until then either may be on its way."""
    kept = Capabilities(groups=())
    result = backtest(
        Straddles(), bars([100.0] * 3), symbol="X", label="open", progress=False, emulate=kept,
        limits=Limits(max_position_quantity=limit),
    )  # fmt: skip
    assert [s.replace("EMULATED", "ACCEPTED") for s in result.orders["status"][:2]] == statuses


@pytest.mark.parametrize(("quantity", "leaves"), [(5, True), (6, False)])
def test_beside_a_kept_pair_there_is_room_for_what_both_halves_leave(
    quantity: int, leaves: bool
) -> None:
    class Adds(Straddles):
        def on_bar(self, bar: Any) -> None:
            if len(self.orders("X")) == 2:
                self.buy("X", quantity, limit_price=96)
            super().on_bar(bar)

    result = backtest(
        Adds(), bars([100.0] * 3), symbol="X", label="open", progress=False,
        emulate=Capabilities(groups=()), limits=Limits(max_position_quantity=25),
    )  # fmt: skip
    assert (result.orders["status"][2] != "DENIED") == leaves
