"""Accounts in backtests: margin by name, waiting orders, nights, currencies, and the ledger."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pyrt.analysis.record import RunRecord
from pyrt.analysis.result import BacktestResult
from pyrt.core.account_rules import account_rules
from pyrt.core.instruments import Instrument, equity
from pyrt.core.ledger import Ledger
from pyrt.errors import ConfigError, DataError, LedgerError, StrategyError
from pyrt.facade import result_of
from pyrt.strategy.strategy import Strategy
from tests.backtest.harness import START, SYMBOL, Script, frame, play

D = Decimal
DAY = 86_400_000_000_000


class Once(Strategy):
    """Sends given orders at its first bar."""

    timeframe: str = "1h"

    def __init__(self, orders: dict[str, int], **options: Any) -> None:
        super().__init__(**options)
        self._orders = orders

    def on_start(self) -> None:
        for symbol in self._orders:
            self.subscribe_bars(symbol, self.timeframe)

    def on_bar(self, bar: Any) -> None:
        quantity = self._orders.pop(bar.symbol, 0)
        if quantity:
            (self.buy if quantity > 0 else self.sell)(bar.symbol, abs(quantity))


def flat(*prices: float) -> list[tuple[float, float, float, float]]:
    return [(p, p, p, p) for p in prices]


@pytest.mark.parametrize(
    ("account", "quantity", "status"),
    [
        ("cash", 1000, "FILLED"),
        ("cash", 1001, "REJECTED"),
        ("margin", 2000, "FILLED"),
        ("margin", 2001, "REJECTED"),
        ("margin:4", 4000, "FILLED"),
        ("margin:4", 4001, "REJECTED"),
        # Alpaca reserves 2.5 % more for an order at the market: 400,000 / 102.50 are 3902.4.
        ("alpaca", 3902, "FILLED"),
        ("alpaca", 3903, "REJECTED"),
        ("alpaca:1", 975, "FILLED"),
        ("alpaca:1", 976, "REJECTED"),
    ],
)
def test_an_account_is_chosen_by_name(account: str, quantity: int, status: str) -> None:
    run = play(flat(100, 100, 100), {0: lambda s: s.buy(SYMBOL, quantity)}, account=account)
    assert run.statuses == [status]


# Quantity, what becomes of it: Alpaca values a market buy 2.5 % higher, a short 3 %.
ON_ALPACA = [
    ("alpaca", 3902, "FILLED", ""),
    ("alpaca", 3903, "REJECTED", "40310000: insufficient buying power"),
    ("alpaca:2", 1951, "FILLED", ""),
    ("alpaca:2", 1952, "REJECTED", "40310000: insufficient buying power"),
    ("alpaca", -3883, "FILLED", ""),
    ("alpaca", -3884, "REJECTED", "40310000: insufficient buying power"),
    ("alpaca:1", -1, "REJECTED", "account is not allowed to short"),
    ("cash", 976, "REJECTED", "40310000: insufficient buying power"),
]


@pytest.mark.parametrize(("account", "quantity", "status", "reason"), ON_ALPACA)
def test_alpacas_rules_read_the_accounts_buying_power(
    account: str, quantity: int, status: str, reason: str
) -> None:
    # 2024-01-02 15:00 UTC is 10 o'clock in New York.
    bars = frame(flat(100, 100, 100), start=START + DAY + 15 * 3_600_000_000_000)
    run = play(
        {"SPY": bars}, Once({"SPY": quantity}, timeframe="1m"), name="alpaca", account=account
    )
    assert run.statuses == [status]
    assert reason in run.reasons[0]


def test_waiting_orders_take_buying_power_and_give_it_back() -> None:
    seen: list[float] = []

    def look(s: Any) -> None:
        seen.append(s.account.buying_power)

    run = play(
        flat(100, 100, 100, 100, 100),
        {
            0: lambda s: [
                look(s),
                s.buy(SYMBOL, 1500, limit_price=90),
                s.buy(SYMBOL, 800, limit_price=90),
                s.buy(SYMBOL, 700, limit_price=90),
            ],
            1: lambda s: [look(s), s.cancel(s.orders(SYMBOL)[0])],
            2: lambda s: [look(s), s.buy(SYMBOL, 1000, limit_price=100)],
            3: look,
        },
        account="margin",
    )
    assert run.statuses == ["CANCELED", "REJECTED", "ACCEPTED", "ACCEPTED"]
    assert run.reasons[1] == (
        "insufficient_buying_power: buying 800 AAA reserves 72,000.00 USD, and the buying power "
        "is 65,000.00"
    )
    assert seen == [200_000, 2_000, 137_000, 37_000]


def test_orders_by_value_take_buying_power_while_they_wait() -> None:
    run = play(
        flat(100, 100, 100),
        {0: lambda s: [s.buy(SYMBOL, notional=120_000), s.buy(SYMBOL, notional=90_000)]},
        account="margin",
    )
    assert run.statuses == ["FILLED", "REJECTED"]
    assert "reserves 90,000.00 USD, and the buying power is 80,000.00" in run.reasons[1]


def test_the_venue_and_the_strategy_see_one_buying_power() -> None:
    powers: list[Any] = []
    run = play(
        flat(100, 100, 104, 97, 97),
        {
            0: lambda s: [s.buy(SYMBOL, 300), s.buy(SYMBOL, 10, limit_price=50)],
            2: lambda s: s.sell(SYMBOL, 100, limit_price=200),
            3: lambda s: powers.append(s.account.margin_state()),
        },
        account="alpaca",
    )
    assert powers == [run.sim.account.margin_state()]
    assert powers[0]["reserved"] == 500
    assert powers[0]["buying_power"] == 400_000 - 300 * 97 - 500


def test_a_cash_account_that_may_not_borrow_is_not_let_short() -> None:
    run = play(flat(100, 100, 100), {0: lambda s: s.sell(SYMBOL, 1)}, account="alpaca:1")
    assert run.statuses == ["REJECTED"]
    assert run.reasons[0].startswith("not_shortable: this account")


def test_what_is_held_can_be_sold_whatever_the_account_has_left() -> None:
    """At 40, 2,000 shares on 100,000 of one's own are worth less than what was borrowed."""
    run = play(
        flat(100, 100, 40, 40),
        {
            0: lambda s: s.buy(SYMBOL, 2000),
            2: lambda s: s.sell(SYMBOL, 1500),
        },
        account="margin",
    )
    assert run.statuses == ["FILLED", "FILLED"]
    assert run.sim.account.margin_state()["buying_power"] <= 0


def test_nights_are_charged_and_both_books_agree() -> None:
    rules = account_rules("margin").replace(
        debit_rate="0.072", borrow_rate="0.036", settlement_days=0
    )
    run = play(
        {
            "AAA": frame(flat(*[100] * 6), minutes=1440),
            "BBB": frame(flat(*[100] * 6), minutes=1440),
        },
        Once({"AAA": 1500, "BBB": -200}, timeframe="1d"),
        account=rules,
        timeframe="1d",
        engine={"ledger": True},
    )
    # Debit 100,000 - 150,000 + 20,000; the second midnight is the first with something held.
    first = -30_000 * D("0.072") / 360
    borrow = -20_000 * D("0.036") / 360
    ledger = run.kernel.booking.ledger
    assert ledger.balances(["USD"])["borrow", "USD"] == -5 * borrow
    kinds = [row["kind"] for row in run.table("ledger")]
    assert kinds == ["interest", "borrow_fee"] * 5
    amounts = [row["amount"] for row in run.table("ledger")]
    assert amounts[:2] == [float(first), float(borrow)]
    assert ledger.differences(run.kernel.account, run.kernel.cache.all_positions()) == {}
    assert run.kernel.account.balances == run.sim.account.balances


def shorts(**options: Any) -> Any:
    """Hold 100 AAA long and 200 BBB short at 100 over five midnights."""
    bars = frame(flat(*[100] * 6), minutes=1440)
    return play(
        {"AAA": bars, "BBB": bars},
        Once({"AAA": 100, "BBB": -200}, timeframe="1d"),
        timeframe="1d",
        engine={"ledger": True},
        **options,
    )


def a_year_of_360(instrument: Any, quantity: float, price: float, nights: int) -> float:
    return quantity * price * 0.036 / 360 * nights


def test_a_borrow_model_of_ones_own_charges_what_the_rate_of_the_same_formula_does() -> None:
    rules = account_rules("margin").replace(settlement_days=0)
    named = shorts(account=rules.replace(borrow_rate="0.036"))
    own = shorts(account=rules, borrow=a_year_of_360)
    assert own.table("ledger") == named.table("ledger")
    assert [row["amount"] for row in own.table("ledger")] == [-2.0] * 5
    assert own.kernel.account.balances == named.kernel.account.balances
    assert own.kernel.account.balances == own.sim.account.balances


def test_a_borrow_model_is_asked_for_shorts_only_and_for_all_nights() -> None:
    asked: list[Any] = []

    def model(instrument: Any, quantity: float, price: float, nights: int) -> str:
        asked.append((instrument.symbol, quantity, price, nights))
        return "1.25"

    # A cash account with nothing else to charge has days, too.
    shorts(borrow=model)
    assert asked == [("BBB", 200.0, 100.0, 1)] * 5
    asked.clear()
    bars = frame(flat(*[100] * 120), start=START + 3 * DAY, minutes=60)  # Thursday to Monday
    run = play(
        {"SPY": bars}, Once({"SPY": -10}), timeframe="1h", instrument=equity("SPY"), borrow=model
    )
    assert [nights for *_, nights in asked] == [1, 3, 1]
    assert [row["amount"] for row in run.table("ledger")] == [-1.25] * 3


def test_one_of_two_says_what_shorts_cost() -> None:
    rules = account_rules("margin").replace(borrow_rate="0.036")
    with pytest.raises(ConfigError, match="both borrow= and the account's borrow_rate"):
        shorts(account=rules, borrow=a_year_of_360)
    with pytest.raises(ConfigError, match="borrow is 'free'; expected a function"):
        shorts(borrow="free")


def test_the_day_ends_with_the_session_and_a_weekend_has_three_nights() -> None:
    rules = account_rules("margin").replace(debit_rate="0.072", settlement_days=0)
    # Thursday 2024-01-04 to Tuesday, hourly bars of whole days.
    bars = frame(flat(*[100] * 120), start=START + 3 * DAY, minutes=60)

    run = play(
        {"SPY": bars},
        Once({"SPY": 1500}),
        account=rules,
        timeframe="1h",
        instrument=equity("SPY"),
    )
    charges = [(row["ts_event"] - START - 3 * DAY, row["amount"]) for row in run.table("ledger")]
    close = 21 * 3_600_000_000_000
    # 50,000 at 7.2 % cost 10 a night, and interest on interest.
    assert charges == [
        (close, -10.0),
        (close + DAY, -30.006),
        (close + 4 * DAY, pytest.approx(-10.0080012)),
    ]


def test_rates_are_stated_in_time() -> None:
    euro = Instrument("EEE", currency="EUR")
    run = play(
        {"EEE": flat(100, 100, 100, 100)},
        Script({}, symbol="EEE"),
        instrument=euro,
        account="margin",
        rates=[
            {"ts_event": "2024-01-01", "currency": "EUR", "rate": "1.25"},
            {"ts_event": "2024-01-01T00:03", "currency": "EUR", "rate": "1.5"},
        ],
    )
    account = run.kernel.account
    assert account.lacks(euro, 1333, 100) == 0
    assert account.lacks(euro, 1334, 100) > 0
    assert run.sim.account.lacks(euro, 1334, 100) == account.lacks(euro, 1334, 100)


class Counts(Strategy):
    """Buys ten at its first bar; keeps what it takes for its own equity."""

    def on_start(self):
        self.subscribe_bars("EEE", "1m")
        self.own: list[float] = []

    def on_bar(self, bar):
        self.own.append(self.equity)
        if len(self.own) == 1:
            self.buy("EEE", 10)
        if len(self.own) == 3:
            self.close("EEE")


def test_a_strategys_equity_is_in_base_currency() -> None:
    counts = Counts()
    euro = Instrument("EEE", currency="EUR")
    bars = {"EEE": flat(100, 100, 110, 120, 120)}
    run = play(bars, counts, instrument=euro, account="margin", rates={"EUR": "1.25"})
    # Ten for 100 euros each are worth 110, and are sold at 120: 100 and 200 euros of profit.
    assert counts.own == [100_000, 100_000, 100_125, 100_250, 100_250]
    assert run.kernel.account.equity == 100_250


class Holds(Strategy):
    """Trades ten of its symbol: in at its first bar, half out at its third."""

    symbol: str = "EEE"

    def on_start(self):
        self.subscribe_bars(self.symbol, "1m")
        self.seen = 0

    def on_bar(self, bar):
        self.seen += 1
        if self.seen == 1:
            self.buy(self.symbol, 10)
        if self.seen == 3:
            self.sell(self.symbol, 5)


class Both(Strategy):
    """Trades one of each symbol, in and out."""

    def on_start(self):
        self.bars = dict.fromkeys(("EEE", "USA"), 0)
        for symbol in self.bars:
            self.subscribe_bars(symbol, "1m")

    def on_bar(self, bar):
        self.bars[bar.symbol] += 1
        if self.bars[bar.symbol] == 1:
            self.buy(bar.symbol, 1)
        if self.bars[bar.symbol] == 3:
            self.close(bar.symbol)


def abroad(rates: Any) -> Any:
    instruments = [Instrument("EEE", currency="EUR"), Instrument("USA")]
    bars = {"EEE": flat(100, 100, 110, 120, 130), "USA": flat(50, 50, 50, 60, 60)}
    strategies = [Holds(), Both()]
    return play(
        bars, strategies, instrument=instruments, account="margin", rates=rates, fees="bps:100"
    )


def test_profit_by_strategy_is_in_base_currency_at_the_last_rate() -> None:
    run = abroad(
        [
            {"ts_event": "2024-01-01", "currency": "EUR", "rate": "1.25"},
            {"ts_event": "2024-01-01T00:03", "currency": "EUR", "rate": "1.5"},
        ]
    )
    result = result_of(run.outcome)
    # Ten at 100 euros, of which five are sold at 120: 10 + 6 of fees, half of the first for what
    # is held. Realized 5 × 20 - 16 = 84, held 5 × 30 = 150 euros, each 1.5 dollars.
    # One at 100 sold at 120: 20 - 1 - 1.2 = 17.8 euros. One at 50 sold at 60: 10 - 0.5 - 0.6 = 8.9.
    by_strategy = result.pnl("strategy").set_index("strategy")
    assert by_strategy.loc["Holds"].tolist() == [126.0, 225.0, 351.0]
    assert by_strategy.loc["Both"].tolist() == pytest.approx([17.8 * 1.5 + 8.9, 0.0, 35.6])
    by_symbol = result.pnl("symbol").set_index("symbol")
    assert by_symbol["pnl"].to_dict() == pytest.approx({"EEE": 351 + 26.7, "USA": 8.9})
    made = run.kernel.account.equity - 100_000
    assert made == pytest.approx(351 + 35.6)
    assert result.pnl("day")["pnl"].sum() == pytest.approx(made)
    own = [s.equity - 50_000 for s in run.kernel.strategies]
    assert own == pytest.approx([351.0, 35.6])
    # Round trips are told in their own currency, and summed up in that of the account.
    assert result.pnl("trade")["pnl"].tolist() == pytest.approx(result.trades["pnl"].tolist())
    assert result.summary["best_trade"] == pytest.approx(max(17.8 * 1.5, 8.9))
    # Fees of 16 + 2.2 euros and 1.1 dollars; turnover of 1,600 + 220 euros and 110 dollars.
    assert result.summary["fees"] == pytest.approx(18.2 * 1.5 + 1.1)
    traded = result.summary["turnover"] * run.kernel.account.equity
    assert traded == pytest.approx(1_820 * 1.5 + 110)


def test_profit_in_a_currency_without_a_rate_counts_as_nothing() -> None:
    trades = {"symbol": ["EEE", "USA"], "strategy": ["A", "A"], "pnl": [5.0, 7.0]}
    record = RunRecord(initial_cash=1.0, trades=trades, rates={"EEE": 0.0})
    assert BacktestResult(record).pnl("symbol")["pnl"].tolist() == [0.0, 7.0]


def test_a_rate_that_is_no_price_is_refused() -> None:
    with pytest.raises(DataError, match="row 0: rate is 0"):
        play(flat(100), {}, rates={"EUR": 0})


def test_an_account_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ConfigError, match="account is 'credit'"):
        play(flat(100), {}, account="credit")


def test_an_entry_that_does_not_balance_is_refused_and_not_posted() -> None:
    ledger = Ledger()
    with pytest.raises(LedgerError, match="entry 1 is off by 1E-18"):
        ledger.post(0, [("cash", 0, 5), ("capital", 0, -4)])
    with pytest.raises(LedgerError, match="in currency 1"):
        ledger.post(0, [("cash", 0, 5), ("capital", 0, -5), ("fees", 1, 2)])
    assert len(ledger) == len(ledger.rows) == 0
    ledger.post(7, [("cash", 0, 5), ("capital", 0, -5)], instrument=2, strategy=1)
    assert ledger.balances(["USD"]) == {
        ("cash", "USD"): D("5E-18"),
        ("capital", "USD"): D("-5E-18"),
    }
    assert ledger.table()["entry"].tolist() == [1, 1]
    assert ledger.table()["ts_event"].tolist() == [7, 7]


def test_a_waiting_order_by_value_reserves_it() -> None:
    class Looks(Once):
        def on_bar(self, bar: Any) -> None:
            if not self.orders(SYMBOL) and not hasattr(self, "seen"):
                self.seen: list[D] = []
                self.buy(SYMBOL, notional=1_000)

        def on_order(self, event: Any) -> None:
            if event.kind == "accepted":
                self.seen.append(self.account.buying_power_exact)

    strategy = Looks({SYMBOL: 1}, timeframe="1m")
    play(flat(100, 100, 100), strategy, account="alpaca")
    assert strategy.seen == [D(399_000)]


def test_a_round_trip_has_the_fees_of_both_ways_and_the_bars_between() -> None:
    import pandas as pd

    from pyrt import backtest

    class Turns(Strategy):
        def on_start(self) -> None:
            self.subscribe_bars("SPY", "1m")
            self.count = 0

        def on_bar(self, bar: Any) -> None:
            order = {1: 4, 3: 6, 6: -15}.get(self.count)
            self.count += 1
            if order:
                (self.buy if order > 0 else self.sell)("SPY", abs(order))

    index = pd.date_range("2024-01-02 14:30", periods=12, freq="1min", tz="UTC")
    prices = dict.fromkeys(("open", "high", "low", "close"), [100.0] * 7 + [110.0] * 5)
    data = pd.DataFrame({**prices, "volume": 1e6}, index=index)
    result = backtest(
        Turns(), data, symbol="SPY", label="open", fees="per_share:0.1", cash=1e6, progress=False
    )
    (trip,) = result.trades.to_dict("records")
    # 10 in at 100 for 1.00 of fees; of the 15 out at 110, 10 are its, with 1.00 of 1.50.
    assert (trip["quantity"], trip["entry_price"], trip["exit_price"]) == (10, 100, 110)
    assert trip["fees"] == pytest.approx(2.0)
    assert trip["pnl"] == pytest.approx(100 - 2)
    # Bought at the open after the second bar, left at the open after the seventh.
    assert trip["bars"] == 5


def test_a_round_trip_has_the_dividends_that_were_paid_meanwhile() -> None:
    steps = {0: lambda s: s.buy(SYMBOL, 10), 1450: lambda s: s.close(SYMBOL)}
    actions = [{
        "symbol": SYMBOL, "ex_date": "2024-01-02", "kind": "cash_dividend", "cash_amount": 0.5,
    }]  # fmt: skip
    run = play(flat(*[100.0] * 1500), steps, actions=actions)
    assert run.kernel.strategies[0].position(SYMBOL).realized_pnl == 5
    (trip,) = run.table("trades")
    assert trip["pnl"] == 5


def test_what_a_split_leaves_of_a_share_is_paid_and_on_the_list_of_payments() -> None:
    """One for two of 5 leaves half a share of the new, at 200: 100 in cash."""
    actions = [{"symbol": SYMBOL, "ex_date": "2024-01-02", "kind": "split", "split_ratio": 0.5}]
    run = play(
        flat(*[100.0] * 1500), {0: lambda s: s.buy(SYMBOL, 5)}, actions=actions,
        instrument=Instrument(SYMBOL, step_size=1),
    )  # fmt: skip
    assert run.kernel.strategies[0].position(SYMBOL).quantity == 2
    (paid,) = run.table("ledger")
    assert (paid["kind"], paid["symbol"], paid["currency"]) == ("cash_in_lieu", SYMBOL, "USD")
    assert paid["amount"] == 100


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"kind": "split"}, "row 0: split_ratio is None"),
        ({"kind": "split", "split_ratio": -2}, "row 0: split_ratio is -2"),
        ({"kind": "cash_dividend", "cash_amount": "a lot"}, "row 0: cash_amount is 'a lot'"),
        ({"kind": "cash_dividend", "cash_amount": float("nan")}, "row 0: cash_amount is nan"),
    ],
)
def test_an_action_without_its_number_is_refused(row: dict[str, Any], says: str) -> None:
    actions = [{"symbol": SYMBOL, "ex_date": "2024-01-02", **row}]
    with pytest.raises(DataError, match=says):
        play(flat(100), {}, actions=actions)


def test_a_dividend_goes_to_strategies_by_what_each_holds() -> None:
    ten = Script({0: lambda s: s.buy(SYMBOL, 10)})
    left = Script({0: lambda s: s.buy(SYMBOL, 5), 20: lambda s: s.close(SYMBOL)})
    thirty = Script({0: lambda s: s.buy(SYMBOL, 30)})
    actions = [{
        "symbol": SYMBOL, "ex_date": "2024-01-02", "kind": "cash_dividend", "cash_amount": 0.5,
    }]  # fmt: skip
    run = play(flat(*[100.0] * 1500), [ten, left, thirty], actions=actions)
    paid = [s.position(SYMBOL).realized_pnl for s in run.kernel.strategies]
    assert paid == [5, 0, 15]


@pytest.mark.parametrize(("cash", "most"), [("100", 1.0), ("99.999999999999999999", 0.999999999)])
def test_an_order_is_cut_to_what_can_be_paid_to_the_last_digit(cash: str, most: float) -> None:
    run = play(flat(100, 100, 100), {0: lambda s: s.target_percent(SYMBOL, 2)}, cash=D(cash))
    assert [row["quantity"] for row in run.table("fills")] == [most]
    assert run.kernel.account.cash_exact >= 0


def test_an_entry_has_room_for_so_many_lines_and_none_for_nothing() -> None:
    ledger = Ledger()
    ledger.post(0, [("cash", 0, 0), ("capital", 0, 0)])
    assert len(ledger) == 0
    with pytest.raises(LedgerError, match="more than"):
        ledger.post(0, [("cash", 0, 1), ("capital", 0, -1)] * 40)
    assert len(ledger) == 0
    ledger.post(0, [("cash", 0, 1), ("capital", 0, -1)])
    assert len(ledger) == 1


def test_books_that_differ_are_told_apart_by_currency() -> None:
    pairs = [Instrument("AAA", currency="USD"), Instrument("BBB", currency="EUR")]
    orders = {"AAA": 10, "BBB": 5}
    run = play(
        {name: frame(flat(100, 100, 100, 100), minutes=60) for name in orders},
        Once(orders), instrument=pairs, timeframe="1h", account="margin", rates={"EUR": "1.25"},
        engine={"ledger": True},
    )  # fmt: skip
    ledger, account = run.kernel.booking.ledger, run.kernel.account
    positions = run.kernel.cache.all_positions()
    assert len(positions) == 2
    assert ledger.differences(account, positions) == {}
    assert ledger.differences(account, positions[:1]) == {("holdings", "EUR"): (D(500), D(0))}
    assert ledger.differences(account, positions[1:]) == {("holdings", "USD"): (D(1000), D(0))}


@pytest.mark.parametrize(("rate", "held"), [("0.01", 5_000), ("1", 50), ("2", 25)])
def test_a_share_of_the_capital_is_one_in_the_currency_it_buys_in(rate, held) -> None:
    bars, yen = {"EEE": flat(1_000, 1_000, 1_000)}, Instrument("EEE", currency="JPY")
    halves = Script({1: lambda s: s.target_percent("EEE", 0.5)}, symbol="EEE")
    run = play(bars, halves, instrument=yen, account="margin", rates={"JPY": rate})
    assert [position.quantity for position in run.kernel.cache.positions()] == [held]


def test_no_share_of_the_capital_is_known_in_a_currency_without_a_rate() -> None:
    bars, yen = {"EEE": flat(1_000, 1_000, 1_000)}, Instrument("EEE", currency="JPY")
    halves = Script({1: lambda s: s.target_percent("EEE", 0.5)}, symbol="EEE")
    with pytest.raises(StrategyError, match="JPY has no rate yet"):
        play(bars, halves, instrument=yen, account="margin")
