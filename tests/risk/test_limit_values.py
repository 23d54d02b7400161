"""Values of limits at the edge of what is read, and the words that refuse what is past it."""

from __future__ import annotations

import hashlib
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pyrt.errors import ConfigError
from pyrt.risk import Limits
from pyrt.risk.limit_names import COUNTS, DURATIONS, FLAGS, WINDOWS
from pyrt.risk.limit_values import number_of

WHOLE = "a whole number from 0 to 1,000,000"
LENGTH = 'a duration such as "5s"'
TIME = 'a time of day such as "13:30", or "session"'
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"max_leverage": True}, "max_leverage is True", "a number"),
    ({"max_leverage": "x"}, "max_leverage is 'x'", "a number"),
    ({"max_leverage": "nan"}, "max_leverage is 'nan'", "a finite number of 0 or more"),
    ({"max_leverage": "-0.1"}, "max_leverage is '-0.1'", "a finite number of 0 or more"),
    ({"max_leverage": 10**18}, f"max_leverage is {10**18}", "a number below 1e18"),
    ({"max_open_orders": 1_000_001}, "max_open_orders is 1000001", WHOLE),
    ({"max_open_orders": -1}, "max_open_orders is -1", WHOLE),
    ({"max_open_orders": 2.0}, "max_open_orders is 2.0", WHOLE),
    ({"max_open_orders": True}, "max_open_orders is True", WHOLE),
    ({"max_latency": "soon"}, "max_latency is 'soon'", LENGTH),
    ({"max_latency": -1}, "max_latency is -1", "a duration of 0 or more"),
    *(({name: 1}, f"{name} is 1", "True or False") for name in FLAGS),
    ({"slippage_action": "wait"}, "slippage_action is 'wait'", "'deny' or 'limit'"),
    ({"on_trip": "wait"}, "on_trip is 'wait'", "'reducing' or 'halted'"),
    *(({name: "1.01"}, f"{name} is Decimal('1.01')", "a share from 0 to 1")
      for name in ("max_drawdown", "max_daily_loss_fraction", "halt_daily_loss_fraction",
                   "max_correlation")),
    ({"max_daily_loss": 5, "halt_daily_loss": 4}, "halt_daily_loss is Decimal('4')",
     "no less than max_daily_loss"),
    ({"max_daily_loss_fraction": "0.5", "halt_daily_loss_fraction": "0.4"},
     "halt_daily_loss_fraction is Decimal('0.4')", "no less than max_daily_loss_fraction"),
    *(({name: 0}, f"{name} is 0", "1 or more") for name in WINDOWS),
    *(({"risk_level": level}, f"risk_level is {shown}",
       "a share between 0 and 1, such as 0.95")
      for level, shown in ((None, "None"), (0, "Decimal('0')"), (1, "Decimal('1')"))),
    ({"risk_window": 1}, "risk_window is 1", "2 or more"),
    ({"risk_every": 0}, "risk_every is 0", "a duration above 0"),
    ({"repeated_execution_window": 0}, "repeated_execution_window is 0", "a duration above 0"),
    ({"max_beta_exposure": 1}, "market_symbol is None", "the symbol betas are against"),
    ({"market_symbol": 3}, "market_symbol is 3", 'a symbol such as "SPY"'),
    ({"market_symbol": ""}, "market_symbol is ''", 'a symbol such as "SPY"'),
    ({"cancel_reserve": 1}, "cancel_reserve is 1", "no more than max_messages_per_minute"),
    ({"cancel_reserve": 4, "max_messages_per_minute": 3}, "cancel_reserve is 4",
     "no more than max_messages_per_minute"),
    ({"allowed_symbols": "SPY"}, "allowed_symbols is 'SPY'", "a tuple of symbols"),
    ({"allowed_symbols": ("SPY", 5)}, "allowed_symbols is ('SPY', 5)", "a tuple of symbols"),
    ({"symbols": 5}, "symbols is 5", "a mapping of symbol to limits"),
    ({"symbols": {"SPY": {}, 5: {}}}, "symbols is {'SPY': {}, 5: {}}",
     "a mapping of symbol to limits"),
    ({"symbols": {"SPY": 5}}, "symbols is {'SPY': 5}", "a mapping of symbol to limits"),
    ({"symbols": {"SPY": {"max_order_quantity": -1}}}, "max_order_quantity is -1",
     "a finite number of 0 or more"),
    *(({"daily_reset": text}, f"daily_reset is {text!r}", TIME)
      for text in ("24:00", "12:60", "12:-1", "-1:00", "12:", ":30", "noon", 12, None)),
]  # fmt: skip


@pytest.mark.parametrize(("given", "found", "expected"), REFUSED, ids=[r[1] for r in REFUSED])
def test_what_is_refused_is_named_with_what_was_expected(
    given: dict[str, Any], found: str, expected: str
) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(f'{found}; expected {expected}')}$"):
        Limits(**given)


@pytest.mark.parametrize("name", [n for n in (*COUNTS, *DURATIONS) if getattr(Limits, n) is None])
def test_a_count_or_duration_that_is_none_is_off(name: str) -> None:
    assert getattr(Limits(**{name: None}), name) is None


@pytest.mark.parametrize(
    "name", [n for n in (*COUNTS, *DURATIONS) if getattr(Limits, n) is not None]
)
def test_what_has_a_value_of_its_own_cannot_be_off(name: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name} is None; expected a "):
        Limits(**{name: None})


ACCEPTED: list[dict[str, Any]] = [
    {"max_leverage": 0}, {"max_leverage": "0.5"}, {"max_leverage": Decimal("999999999999999999")},
    {"max_open_orders": 0}, {"max_open_orders": 1_000_000}, {"max_latency": 0},
    {"max_latency": 1}, {"max_drawdown": 1}, {"max_daily_loss": 5, "halt_daily_loss": 5},
    {"max_daily_loss": 5}, {"halt_daily_loss": 5}, *({name: 1} for name in WINDOWS),
    {"risk_window": 2}, {"risk_every": 1}, {"risk_level": "0.000001"}, {"risk_level": "0.999999"},
    {"repeated_execution_window": 1}, {"max_beta_exposure": 1, "market_symbol": "SPY"},
    {"market_symbol": "SPY"}, {"cancel_reserve": 3, "max_messages_per_minute": 3},
    {"max_messages_per_minute": 0}, {"daily_reset": "23:59"}, {"daily_reset": "session"},
    {"daily_reset": "9:5"}, {"allowed_symbols": []}, {"symbols": {}},
]  # fmt: skip


@pytest.mark.parametrize("given", ACCEPTED, ids=str)
def test_what_lies_at_the_edge_is_read(given: dict[str, Any]) -> None:
    limits = Limits(**given)
    for name, value in given.items():
        found = getattr(limits, name)
        kept = Decimal(str(value)) if isinstance(found, Decimal) else value
        assert (list(found) if isinstance(kept, list) else found) == kept


@pytest.mark.parametrize(
    ("text", "minutes"), [("session", 0), ("00:00", 0), ("00:01", 1), ("13:30", 810), ("9:5", 545)]
)
def test_a_time_of_day_is_read_in_hours_and_minutes(text: str, minutes: int) -> None:
    assert Limits(daily_reset=text).daily_reset_ns == minutes * 60_000_000_000


def test_symbols_are_kept_in_order_and_numbers_as_they_print() -> None:
    for given in (["B", "A"], ("B", "A"), {"A", "B"}, frozenset("AB")):
        assert Limits(allowed_symbols=given).allowed_symbols == ("A", "B")  # type: ignore[arg-type]
    limits = Limits(symbols={"B": {"price_collar_bps": 0.1}, "A": {"max_order_quantity": None}})
    assert list(limits.symbols) == ["A", "B"]
    assert limits.of("B", "price_collar_bps") == Decimal("0.1")
    # What is off for one symbol alone.
    assert limits.replace(max_order_quantity=5).of("A", "max_order_quantity") is None
    assert str(number_of("share", Decimal("5.00"))) == "5"
    assert str(number_of("share", "-0")) == "0"


# What every limit is where nothing is said: nothing is on but a symbol's price bands.
DEFAULTS: dict[str, Any] = {
    "fat_finger_orders": 50, "require_buying_power": False, "require_shortable": False,
    "require_open_session": False, "deny_limit_state": True, "deny_self_match": False,
    "slippage_action": "deny", "cancel_reserve": 0, "repeated_execution_window": 60 * 10**9,
    "halt_flattens": False, "adv_sessions": 20, "loss_rate_trades": 20, "reject_rate_orders": 20,
    "on_trip": "reducing", "daily_reset": "00:00", "atr_sessions": 14,
    "risk_every": 86_400 * 10**9, "risk_window": 60, "risk_level": Decimal("0.95"),
    "ramp_days": 0, "symbols": {},
}  # fmt: skip


def test_where_nothing_is_said_nothing_is_limited() -> None:
    limits = Limits()
    found = {name: getattr(limits, name) for name in Limits.__dataclass_fields__}
    assert {name: value for name, value in found.items() if value is not None} == DEFAULTS
    assert limits.to_dict() == {}
    assert limits.is_empty is True
    assert Limits(max_order_quantity=0).is_empty is False
    assert limits.reads_portfolio is False
    assert Limits(trip_volatility=1).reads_portfolio is True


def test_what_is_unknown_for_a_symbol_is_named_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="no limit 'max_order_quantty'") as caught:
        Limits(symbols={"SPY": {"max_order_quantty": 1}})
    assert "max_order_quantity" in caught.value.remedy
    with pytest.raises(ConfigError, match="no limit 'max_leverag'") as caught:
        Limits.from_dict({"max_leverag": 1})
    assert "max_leverage" in caught.value.remedy


def test_what_a_strict_gate_asks_for_goes_by_the_first_name_of_each_row() -> None:
    assert Limits().missing() == (
        "max_order_quantity", "max_position_notional", "max_gross_exposure", "max_daily_loss",
        "max_open_orders", "max_messages_per_minute", "price_collar_bps", "stale_data_after",
    )  # fmt: skip
    assert "max_gross_exposure" not in Limits(max_leverage=0).missing()


def test_a_version_does_not_depend_on_the_order_of_values() -> None:
    first = {"A": {"max_order_quantity": 1, "price_collar_bps": 2}, "B": {"max_order_quantity": 3}}
    second = {"B": {"max_order_quantity": 3}, "A": {"price_collar_bps": 2, "max_order_quantity": 1}}
    assert Limits(symbols=first).version == Limits(symbols=second).version
    # Saved state is told by it: what it is made of stays the same from release to release.
    text = '{"max_latency": 5000000000, "max_leverage": "2.5", "on_trip": "halted"}'
    limits = Limits(on_trip="halted", max_leverage="2.50", max_latency="5s")
    assert limits.version == hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


@pytest.mark.parametrize("content", [b"[limits\n", b"# \xff\n"])
def test_a_file_that_is_no_text_of_limits_is_refused_by_its_path(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "limits.toml"
    path.write_bytes(content)
    words = f"^limits cannot be read from {re.escape(repr(str(path)))}"
    with pytest.raises(ConfigError, match=words):
        Limits.from_toml(path)
