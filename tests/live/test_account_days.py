"""Days of an account as a node keeps them: each ends once, and the broker's figures count."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace as Stub
from typing import Any

import pytest

from pyrt.core.account_rules import account_rules
from pyrt.core.times import timestamp_ns
from pyrt.live.core.broker import BrokerState
from pyrt.live.driver.days import AccountDays
from pyrt.live.driver.run import LOOKING, RUNNING, STOPPED, STOPPING

SECOND = 1_000_000_000
NOON = timestamp_ns("2024-01-03T17:00:00Z")
CLOSE = timestamp_ns("2024-01-03T21:00:00Z")
GRACE = 5 * SECOND
APART = 300 * SECOND
"""A broker whose clock is further off than this keeps a time of its own."""


class Account:
    """What a node takes its account's day to be; what it is told of it is kept."""

    def __init__(self) -> None:
        self.rules = account_rules("alpaca")
        self.last = (Decimal(100), Decimal(0))
        self.told: list[tuple[Any, ...]] = []

    def margin_state(self) -> dict[str, Decimal]:
        return {"last_equity": self.last[0], "last_maintenance_margin": self.last[1]}

    def state_day(self, equity: str, maintenance: str) -> None:
        self.last = Decimal(equity), Decimal(maintenance)
        self.told.append(("state", equity, maintenance))

    def begin_day(self, equity: str, maintenance: str, unsettled: str) -> None:
        self.last = Decimal(equity), Decimal(maintenance)
        self.told.append(("begin", equity, maintenance, unsettled))

    def change_rules(self, rules: Any, instruments: Any) -> None:
        self.rules = account_rules(rules)
        self.told.append(("rules", self.rules.multiplier))


class Rig:
    """The days of one account, whose node runs since yesterday's close."""

    def __init__(self, named: Any = None, phase: int = RUNNING) -> None:
        self.account = Account()
        self.ended: list[int] = []
        self.asked: list[int] = []
        self.notes: list[str] = []
        self.alarms: list[tuple[str, str, int]] = []
        cache = Stub(instruments=[], positions=list)
        core = Stub(
            kernel=Stub(account=self.account, cache=cache, gate=Stub()),
            inputs=Stub(end_day=self.ended.append),
            watch_reserves=lambda: None,
        )
        self.run = Stub(
            plan=Stub(grace_ns=GRACE, account=named),
            phase=phase,
            balance_date="2024-01-02",
            live_core=core,
            scribe=Stub(alarm=lambda *given: self.alarms.append(given)),
            note=lambda what, **terms: self.notes.append(what),
        )
        self.days = AccountDays(self.run)
        self.days.on_end = self.asked.append


def state(**changes: Any) -> BrokerState:
    values: dict[str, Any] = {
        "ts": NOON, "account": "A", "may_trade": True, "status": "ACTIVE", "cash": Decimal(1),
        "equity": Decimal(1), "positions": {}, "orders": (), "fills": (), "adjustments": (),
        "multiplier": 4, "shorting": True, "server_ts": NOON, "next_close": CLOSE,
        "balance_date": "2024-01-02", "last_equity": Decimal(100), "last_maintenance": Decimal(0),
    }  # fmt: skip
    return BrokerState(**{**values, **changes})


@pytest.mark.parametrize(
    ("date", "server_ts", "ended"),
    [
        ("2024-01-01", NOON, []),
        ("2024-01-02", NOON, []),
        ("2024-01-03", NOON + 3, [NOON + 3]),
        # A broker that does not say its time.
        ("2024-01-03", 0, [NOON]),
        ("", NOON, []),
    ],
)
def test_a_balance_of_a_later_day_ends_the_day_and_no_other_does(date, server_ts, ended):
    rig = Rig()
    rig.days.look(NOON, state(balance_date=date, server_ts=server_ts, next_close=0))
    assert (rig.ended, rig.asked) == (ended, [NOON] * len(ended))
    assert rig.run.balance_date == ("2024-01-03" if ended else "2024-01-02")
    rig.days.look(NOON + SECOND, state(balance_date=date, next_close=0))
    assert rig.ended == ended


@pytest.mark.parametrize(
    ("date", "equity", "maintenance", "told"),
    [
        ("2024-01-02", 100, 0, []),
        ("2024-01-02", 101, 0, [("state", "101", "0")]),
        ("2024-01-02", 100, 7, [("state", "100", "7")]),
        # What it was before that day says nothing of its end.
        ("2024-01-01", 101, 7, []),
        ("", 101, 7, []),
    ],
)
def test_the_brokers_figures_of_the_last_day_replace_ours(date, equity, maintenance, told):
    rig = Rig()
    stated = state(
        balance_date=date, last_equity=Decimal(equity), last_maintenance=Decimal(maintenance)
    )
    for _ in range(2):
        rig.days.look(NOON, stated)
    assert rig.account.told == told
    assert rig.notes == ["terms"] * len(told)
    assert rig.ended == []


def test_nothing_is_taken_of_an_account_whose_days_are_not_known():
    rig = Rig()
    rig.run.balance_date = ""
    rig.days.look(NOON, state(balance_date="", last_equity=Decimal(7)))
    assert rig.account.told == []


@pytest.mark.parametrize("phase", [LOOKING, RUNNING, STOPPING, STOPPED])
def test_a_day_ends_at_its_close_once_while_the_node_runs_or_stops(phase):
    rig = Rig(phase=phase)
    rig.days.look(NOON, state())
    assert rig.days.due == CLOSE + GRACE
    rig.days.turn(CLOSE + GRACE - 1)
    assert rig.ended == []
    # A look between the close and the end knows the next close already.
    late = state(server_ts=CLOSE + GRACE, next_close=CLOSE + 86_400 * SECOND)
    rig.days.look(CLOSE + GRACE, late)
    rig.days.turn(CLOSE + GRACE)
    runs = phase in (RUNNING, STOPPING)
    assert rig.ended == [CLOSE] * runs
    assert rig.asked == [CLOSE + GRACE] * runs
    rig.days.turn(CLOSE + GRACE + SECOND)
    assert rig.ended == [CLOSE] * runs
    if not runs:
        return
    assert rig.run.balance_date == "2024-01-03"
    # The balance of that day ends it no second time; that of the day before says nothing.
    rig.days.look(CLOSE + 9 * SECOND, state(last_equity=Decimal(5)))
    assert rig.account.told == []
    rig.days.look(CLOSE + 10 * SECOND, state(balance_date="2024-01-03", last_equity=Decimal(6)))
    assert (rig.ended, rig.account.told) == ([CLOSE], [("state", "6", "0")])


NEXT_CLOSE = CLOSE + 86_400 * SECOND


@pytest.mark.parametrize(
    ("now", "server_ts", "due"),
    [
        # Between the close and the end the broker names the next close already.
        (CLOSE, CLOSE, CLOSE),
        (CLOSE + GRACE - 1, CLOSE + GRACE - 1, CLOSE),
        # So it does ahead of the close, where its clock is before ours; and after it behind ours.
        (CLOSE - 60 * SECOND, CLOSE, CLOSE),
        (CLOSE, CLOSE - 60 * SECOND, CLOSE),
        (CLOSE - 1, CLOSE - 1, NEXT_CLOSE),
    ],
)
def test_a_day_that_has_closed_ends_though_a_look_names_the_next_close(now, server_ts, due):
    rig = Rig()
    rig.days.look(NOON, state())
    rig.days.look(now, state(server_ts=server_ts, next_close=NEXT_CLOSE))
    assert rig.days.due == due + GRACE
    rig.days.turn(CLOSE + GRACE)
    assert rig.ended == [CLOSE] * (due == CLOSE)


def test_a_broker_whose_clock_is_behind_does_not_end_the_day_again():
    rig = Rig()
    rig.days.look(NOON, state())
    rig.days.turn(CLOSE + GRACE)
    for behind, close, due in (
        (60 * SECOND, CLOSE, None),
        (0, NEXT_CLOSE, NEXT_CLOSE + GRACE),
    ):
        now = CLOSE + 10 * SECOND
        rig.days.look(now, state(server_ts=now - behind, next_close=close))
        rig.days.turn(now)
        assert (rig.ended, rig.days.due) == ([CLOSE], due)


@pytest.mark.parametrize(("date", "is_over"), [("2024-01-03", True), ("2024-01-02", False)])
def test_a_day_that_the_balance_has_ended_is_not_ended_at_its_close_again(date, is_over):
    rig = Rig()
    rig.run.balance_date = "2024-01-01"
    rig.days.look(NOON, state(balance_date="2024-01-01"))
    now = CLOSE + SECOND
    rig.days.look(now, state(balance_date=date, server_ts=now, next_close=NEXT_CLOSE))
    assert rig.ended == [now]
    rig.days.turn(CLOSE + GRACE)
    assert rig.ended == ([now] if is_over else [now, CLOSE])


def test_a_close_that_is_put_forward_ends_the_day_sooner():
    rig = Rig()
    for close in (CLOSE, CLOSE - 3_600 * SECOND):
        rig.days.look(NOON, state(next_close=close))
        assert rig.days.due == close + GRACE


@pytest.mark.parametrize(
    ("ahead", "next_close", "is_planned"),
    [
        (APART, CLOSE, True),
        (-APART, CLOSE, True),
        (APART + 1, CLOSE, False),
        (-APART - 1, CLOSE, False),
        (0, 0, False),
    ],
)
def test_a_day_is_planned_by_a_clock_that_is_ours(ahead, next_close, is_planned):
    rig = Rig()
    rig.days.look(NOON, state(server_ts=NOON + ahead, next_close=next_close))
    assert rig.days.due == (CLOSE + GRACE if is_planned else None)


def test_a_day_is_taken_up_as_the_broker_says_it_began():
    rig = Rig()
    rig.days.begin(NOON, state(balance_date="2024-01-01", last_equity=Decimal(9)))
    assert rig.account.told == [("begin", "9", "0", "0")]
    assert (rig.run.balance_date, rig.days.due) == ("2024-01-01", CLOSE + GRACE)
    rig.days.begin(NOON, state(balance_date=""))
    assert rig.run.balance_date == ""
    assert len(rig.account.told) == 1


@pytest.mark.parametrize("moment", ["begin", "look"])
@pytest.mark.parametrize(
    ("multiplier", "shorting", "text"),
    [
        (4, True, None),
        (2, True, "buying power is 2 times free equity now, with short sales"),
        (4, False, "buying power is 4 times free equity now, without short sales"),
    ],
)
def test_margin_that_the_broker_changes_is_followed_and_told(moment, multiplier, shorting, text):
    rig = Rig()
    stated = state(multiplier=multiplier, shorting=shorting, balance_date="")
    for _ in range(2):
        getattr(rig.days, moment)(NOON, stated)
    assert rig.alarms == [("account_terms", text, NOON)] * (text is not None)
    assert (rig.account.rules.multiplier, rig.account.rules.shorting) == (multiplier, shorting)


@pytest.mark.parametrize(
    ("named", "multiplier", "shorting", "text"),
    [
        (None, 2, True, None),
        ("alpaca:4", 0, True, None),
        ("alpaca:4", 4, True, None),
        ("alpaca:2", 4, True, None),
        ("alpaca:4", 2, True, "4 times free equity, the broker grants 2, with short sales"),
        ("alpaca:4", 4, False, "4 times free equity, the broker grants 4, without short sales"),
    ],
)
def test_what_is_named_and_not_granted_is_told_at_the_start(named, multiplier, shorting, text):
    rig = Rig(named)
    stated = state(multiplier=multiplier, shorting=shorting, balance_date="")
    # Rules are those in force by then.
    rig.days._follow_rules(NOON, stated)
    rig.alarms.clear()
    rig.days.begin(NOON, stated)
    told = [each for _, each, _ in rig.alarms]
    assert told == ([f"the configuration names {text}"] if text else [])
