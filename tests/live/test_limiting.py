"""A person changes limits and the ramp of a running node: confirmed where more could go through."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from types import SimpleNamespace as Stub

import msgspec
import pytest

from pyrt.errors import ConfigError, UnknownName
from pyrt.live.core.limit_changes import FEWER_IS_TIGHTER, changed, loosens
from pyrt.live.driver.limiting import Limiting
from pyrt.live.driver.status import status_of
from pyrt.live.process.control import Request, check
from pyrt.risk import Limits
from pyrt.testing.files import MemoryFiles
from tests.live.test_comeback import killed
from tests.live.test_daily_figures import three_days
from tests.live.test_gate_changes import LIMITS, node, operations, outcomes, outcomes_again
from tests.live.test_walking_skeleton import bars
from tests.live.whole import PHASES, Node, World

SPY = Limits(max_order_notional=1000, max_open_orders=5, symbols={"SPY": {"max_order_notional": 9}})


@pytest.mark.parametrize(
    ("name", "text", "symbol", "value", "is_looser"),
    [
        ("max_order_notional", "999.99", "", Decimal("999.99"), False),
        ("max_order_notional", "1000", "", Decimal(1000), False),
        ("max_order_notional", "1000.01", "", Decimal("1000.01"), True),
        ("max_order_notional", "none", "", None, True),
        ("max_order_notional", "8", "SPY", Decimal(8), False),
        ("max_order_notional", "10", "SPY", Decimal(10), True),
        ("max_order_notional", "none", "SPY", Decimal(1000), True),
        ("max_order_notional", "900", "BAC", Decimal(900), False),
        ("max_order_notional", "1001", "BAC", Decimal(1001), True),
        ("max_open_orders", "4", "", 4, False),
        ("max_open_orders", "6", "", 6, True),
        ("max_leverage", "2", "", Decimal(2), False),
        ("halt_daily_loss", "10", "", Decimal(10), False),
        # Where less is not certainly more careful, the word is asked for.
        ("cooldown", "60s", "", 60_000_000_000, True),
        ("stale_data_after", "1s", "", 1_000_000_000, True),
        ("require_open_session", "true", "", True, True),
        ("max_tick_jump_bps", "50", "", Decimal(50), True),
        ("allowed_symbols", "SPY,BAC", "", ("BAC", "SPY"), True),
        ("allowed_symbols", " SPY, BRK.B,", "", ("BRK.B", "SPY"), True),
        ("on_trip", "halted", "", "halted", True),
    ],
)
def test_one_limit_is_changed_and_no_other(name, text, symbol, value, is_looser):
    after = changed(SPY, name, text, symbol)
    assert (after.of(symbol, name) if symbol else getattr(after, name)) == value
    assert loosens(SPY, after, name, symbol) is is_looser
    others = {**SPY.to_dict(), **after.to_dict()}.keys() - {name, "symbols"}
    assert all(getattr(after, other) == getattr(SPY, other) for other in others)
    assert symbol or after.symbols == SPY.symbols


@pytest.mark.parametrize(
    ("name", "text", "symbol"),
    [
        ("max_order_notional", "many", ""),
        ("max_order_notional", "nan", ""),
        ("max_order_notional", "-1", ""),
        ("max_open_orders", "2.5", ""),
        ("max_open_orders", "٣", ""),
        pytest.param("max_open_orders", "9" * 5000, "", id="digits"),
        ("require_open_session", "perhaps", ""),
        ("max_order_notionals", "5", ""),
        ("symbols", "SPY", ""),
        ("max_open_orders", "5", "SPY"),
        ("max_open_orders", "none", "SPY"),
        ("on_trip", "none at all", ""),
    ],
)
def test_what_is_no_limit_or_no_value_of_one_is_refused(name, text, symbol):
    with pytest.raises(ConfigError):
        changed(SPY, name, text, symbol)


def test_a_limit_of_a_symbol_is_taken_off_and_the_others_of_it_stay():
    assert changed(SPY, "max_order_notional", "none", "SPY").symbols == {}
    both = changed(SPY, "max_order_quantity", "3", "SPY")
    left = changed(both, "max_order_notional", "none", "SPY")
    assert left.to_dict()["symbols"] == {"SPY": {"max_order_quantity": Decimal(3)}}
    assert changed(left, "max_order_quantity", "none", "SPY").symbols == {}


@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False)])
def test_a_flag_is_set_by_its_word_and_one_that_is_set_so_already_loosens_nothing(text, value):
    before = Limits(require_open_session=value)
    after = changed(before, "require_open_session", text)
    assert after.require_open_session is value
    assert not loosens(before, after, "require_open_session")
    assert loosens(before, Limits(require_open_session=not value), "require_open_session")


def test_symbols_are_no_limit_and_what_to_name_is_said():
    with pytest.raises(ConfigError, match="symbols is no limit") as refused:
        changed(SPY, "symbols", "SPY")
    assert "Name one symbol" in str(refused.value)


def test_of_what_counts_as_tighter_each_is_a_limit():
    assert {*Limits.__dataclass_fields__} >= FEWER_IS_TIGHTER


def test_a_limit_is_tightened_at_once_and_raised_by_its_word_only():
    made = node()
    made.run(6 * PHASES)
    version = made.driver.gate.limits.version
    done = made.driver.set_limit("max_order_quantity", "5", "anna", "news")
    assert done.startswith("max_order_quantity is 5, and was 10; write it into the settings too")
    made.run(4 * PHASES)
    for typed in ("", "raise", "RESUME"):
        with pytest.raises(ConfigError, match="the word RAISE typed") as refused:
            made.driver.set_limit("max_order_quantity", "10", "anna", "calm", typed=typed)
        assert refused.value.code == "confirmation"
    made.driver.set_limit("max_order_quantity", "10", "anna", "calm", typed="RAISE")
    assert made.driver.gate.limits.version == version
    made.run(4 * PHASES)
    kinds = outcomes(made)
    assert kinds.count("max_order_quantity") > 1
    assert kinds[-1] == "accepted"
    made.stop()
    assert operations(made.files) == [
        ("anna", "set_limits", "news"), ("anna", "set_limits", "calm"),
    ]  # fmt: skip
    assert outcomes_again(made) == kinds


def test_a_limit_of_one_symbol_goes_by_its_name():
    made = node()
    with pytest.raises(UnknownName):
        made.driver.set_limit("max_order_quantity", "5", "anna", "news", symbol="QQQ")
    made.driver.set_limit("max_order_quantity", "5", "anna", "news", symbol="SPY")
    limits = made.driver.gate.limits
    assert limits.of("SPY", "max_order_quantity") == 5
    assert limits.max_order_quantity == LIMITS.max_order_quantity
    assert status_of(made.driver)["limits"]["symbols"] == {"SPY": {"max_order_quantity": "5"}}
    done = made.driver.set_limit("max_order_quantity", "5", "anna", "again", symbol="SPY")
    assert done == "max_order_quantity is 5 already"


def test_a_ramp_goes_down_at_once_and_up_by_its_word_only():
    made = node()
    gate = made.driver.gate
    assert made.driver.set_ramp("0.5", "anna", "new").startswith("0.5 of all sizes")
    with pytest.raises(ConfigError, match="RAISE"):
        made.driver.set_ramp("0.6", "anna", "more")
    for wrong in ("1.5", "-1", "much", "nan", ""):
        with pytest.raises(ConfigError, match="from 0 to 1"):
            made.driver.set_ramp(wrong, "anna", "more", typed="RAISE")
    assert gate.ramp_share == Decimal("0.5")
    # New limits begin a ramp anew: what was lower stays where it was.
    made.driver.set_limit("max_order_quantity", "9", "anna", "news")
    assert gate.ramp_share == Decimal("0.5")
    made.run(8 * PHASES)
    made.driver.set_ramp("1", "anna", "a good week", typed="RAISE")
    assert status_of(made.driver)["ramp"] == "1"
    made.run(4 * PHASES)
    kinds = outcomes(made)
    made.stop()
    assert outcomes_again(made) == kinds


@pytest.mark.parametrize(
    ("share", "name", "value", "after"),
    [
        # Another limit leaves a ramp where it has come to, above its beginning or below.
        ("0.7", "max_order_quantity", "9", "0.7"),
        ("0.1", "max_order_quantity", "9", "0.1"),
        ("0.25", "max_order_quantity", "9", "0.25"),
        ("1", "max_order_quantity", "9", "1"),
        # One that begins lower begins there; one that begins higher is not sooner there.
        ("0.7", "ramp_start", "0.5", "0.5"),
        ("0.3", "ramp_start", "0.5", "0.3"),
        ("0.3", "ramp_start", "none", "0.3"),
        ("0.7", "ramp_days", "5", "0.7"),
    ],
)
def test_new_limits_leave_a_ramp_where_it_has_come_to(share, name, value, after):
    made = node(limits=LIMITS.replace(ramp_start="0.25", ramp_days=10))
    made.driver.set_ramp(share, "anna", "as it has come", typed="RAISE")
    made.driver.set_limit(name, value, "anna", "news", typed="RAISE")
    assert made.driver.gate.ramp_share == Decimal(after)
    made.run(2 * PHASES)
    kinds = outcomes(made)
    made.stop()
    assert outcomes_again(made) == kinds


def test_a_first_ramp_begins_at_its_beginning():
    made = node()
    assert made.driver.gate.ramp_share is None
    made.driver.set_limit("ramp_days", "10", "anna", "first", typed="RAISE")
    made.driver.set_limit("ramp_start", "0.25", "anna", "then", typed="RAISE")
    assert made.driver.gate.ramp_share == Decimal("0.25")


def test_a_limit_that_needs_the_brokers_daily_bars_asks_for_them_at_once():
    """Else every order is denied, or nothing is left, until the day after."""
    world = World([three_days()])
    wide = LIMITS.replace(max_position_notional=1_000_000, max_gross_exposure=1_000_000)
    made = node(world=world, limits=wide)
    made.run(2 * 60 * PHASES)
    asked = []
    made.on_request = lambda request, send: asked.append(request.path) or send(request)
    made.driver.set_limit("max_open_orders", "9", "anna", "news", typed="RAISE")
    made.settle(world.now)
    assert not any("timeframe=1Day" in path for path in asked)
    made.driver.set_limit("max_adv_share", "0.001", "anna", "news", typed="RAISE")
    made.settle(world.now)
    assert any("timeframe=1Day" in path for path in asked)
    # Of the day that has ended: 6,000 units.
    validate = made.kernel.strategies[0].validate
    verdicts = [
        validate({"symbol": "SPY", "side": "buy", "quantity": quantity}).code for quantity in (6, 7)
    ]
    assert verdicts == ["", "max_adv_share"]


@pytest.mark.parametrize(
    ("share", "is_right"),
    [("0", True), ("1", True), ("1.0001", False), ("-0.1", False), ("inf", False), ("x", False)],
)
def test_a_share_is_from_nothing_to_all(share, is_right):
    made = node()
    if is_right:
        made.driver.set_ramp(share, "anna", "news", typed="RAISE")
        assert made.driver.gate.ramp_share == Decimal(share)
        return
    with pytest.raises(ConfigError, match=f"the share is '{share}'; expected a number from 0 to 1"):
        made.driver.set_ramp(share, "anna", "news", typed="RAISE")
    assert made.driver.gate.ramp_share is None


def test_what_is_said_of_a_change_names_both_values():
    made = node()
    say = partial(made.driver.set_limit, actor="anna", reason="news", typed="RAISE")
    assert say("max_order_notional", "none").startswith("max_order_notional is none, and was 5000;")
    assert say("max_order_notional", "7").startswith("max_order_notional is 7, and was none;")
    done = say("max_order_notional", "6", symbol="SPY")
    assert done.startswith("max_order_notional of SPY is 6, and was 7; write it")
    assert say("on_trip", "halted").startswith("on_trip is halted, and was reducing;")
    ramp = partial(made.driver.set_ramp, actor="anna", reason="news")
    assert ramp("0.5") == "0.5 of all sizes and exposures may be used, and 1 could"
    assert ramp("0.5") == "0.5 of all sizes and exposures may be used, and 0.5 could"


@pytest.mark.parametrize("typed", ["", "RESUME"])
def test_the_word_is_named_where_nothing_was_typed(typed):
    made = node()
    made.driver.set_ramp("0.1", "a", "b")
    for change in (
        lambda: made.driver.set_limit("max_order_quantity", "11", "a", "b", typed=typed),
        lambda: (
            made.driver.set_ramp("0.1", "a", "b")
            and made.driver.set_ramp("1", "a", "b", typed=typed)
        ),
    ):
        with pytest.raises(ConfigError, match="could let more through") as refused:
            change()
        assert ("Add --typed RAISE" in str(refused.value)) == (not typed)


def test_a_node_that_has_not_started_or_has_no_limits_changes_none():
    made = Node(World([bars([100.0] * 4)]), MemoryFiles(), [], run_id="one", limits=LIMITS)
    for change in (made.driver.set_limit, lambda *rest: made.driver.set_ramp(*rest[1:])):
        with pytest.raises(ConfigError, match="has not started yet") as refused:
            change("max_open_orders", "1", "anna", "early")
        assert refused.value.code == "not_running"


def test_a_gate_of_ones_own_that_has_no_limits_is_given_none():
    limiting = Limiting(Stub(core=object(), live_core=Stub(kernel=Stub(gate=object()))), None)
    for change in (limiting.set_limit, lambda *rest: limiting.set_ramp(*rest[1:])):
        with pytest.raises(ConfigError, match="this node has no limits") as refused:
            change("max_open_orders", "1", "anna", "why")
        assert refused.value.code == "no_limits"


def test_the_reason_of_a_ramp_that_stays_is_no_longer_than_a_reason_may_be():
    made = node()
    made.driver.set_ramp("0.5", "anna", "new")
    made.driver.set_limit("max_order_quantity", "9", "anna", "n" * 500)
    last = made.driver.gate.changes[-1]
    assert (last.scope, last.reason) == ("ramp", f"where it was: {'n' * 486}")


def test_what_was_changed_is_in_the_record_at_once():
    made = node()
    made.driver.set_limit("max_order_quantity", "5", "anna", "news")
    assert (
        msgspec.msgpack.decode(made.journal.state.risk)["limits"] == made.driver.gate.limits.version
    )
    made.driver.set_ramp("0.5", "anna", "news")
    assert msgspec.msgpack.decode(made.journal.state.risk)["ramp_share"] == "0.5"


@pytest.mark.parametrize(
    ("is_changed", "limits", "told"),
    [
        (True, LIMITS, True),
        (False, LIMITS, False),
        (True, LIMITS.replace(max_open_orders=3), False),
    ],
)
def test_a_start_tells_that_what_was_changed_by_hand_counts_no_more(is_changed, limits, told):
    first = node()
    first.run(2 * PHASES)
    if is_changed:
        first.driver.set_limit("max_order_quantity", "5", "anna", "news")
    first.stop()
    second = node(first.files, first.world, run_id="two", limits=limits)
    codes = [code for code, _ in second.alarms]
    assert codes.count("limits_reset") == told
    assert second.driver.gate.limits == limits


def test_after_a_crash_what_was_changed_by_hand_holds():
    first = node()
    first.run(2 * PHASES)
    first.driver.set_limit("max_order_quantity", "5", "anna", "news")
    first.settle(first.world.now)
    second = node(killed(first), first.world, run_id="two")
    assert second.driver.gate.limits.max_order_quantity == 5
    assert "limits_reset" not in [code for code, _ in second.alarms]


def test_after_a_power_failure_that_has_lost_the_change_it_is_told():
    first = node()
    first.run(2 * PHASES)
    first.driver.set_limit("max_order_quantity", "5", "anna", "news")
    first.settle(first.world.now)
    second = node(first.crash(), first.world, run_id="two")
    is_lost = second.driver.gate.limits.max_order_quantity != 5
    assert ("limits_reset" in [code for code, _ in second.alarms]) == is_lost


@pytest.mark.parametrize(
    ("given", "is_right"),
    [
        ({"action": "set_limit", "limit": "max_open_orders", "value": "5"}, True),
        ({"action": "set_limit", "limit": "max_open_orders"}, False),
        ({"action": "set_limit", "value": "5"}, False),
        ({"action": "set_limit", "limit": "x", "value": "5", "strategy": "S"}, False),
        ({"action": "set_ramp", "value": "0.5"}, True),
        ({"action": "set_ramp"}, False),
        ({"action": "set_ramp", "value": "0.5", "symbol": "SPY"}, False),
        ({"action": "halt", "value": "0.5"}, False),
    ],
)
def test_a_request_names_what_is_to_change(given, is_right):
    request = Request(token="", actor="anna", reason="news", **given)
    if is_right:
        assert check(request) is request
    else:
        with pytest.raises(ConfigError, match=r"value|limit|strategy|symbol"):
            check(request)
