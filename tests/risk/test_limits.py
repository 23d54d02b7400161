"""Limits: what is refused, what is read, and how versions change."""

from __future__ import annotations

import math
import pickle
import re
from dataclasses import FrozenInstanceError
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pyrt.errors import ConfigError
from pyrt.risk import Limits, gate_for
from pyrt.risk.limit_names import DURATIONS

NUMBERS = ("max_order_quantity", "max_order_notional", "max_leverage", "price_collar_bps")


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1, "x", True, "1e30", [1]])
def test_impossible_numbers_are_refused(name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"^{name} is {re.escape(repr(value))}; expected a "):
        Limits(**{name: value})


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_open_orders": 1.5},
        {"max_open_orders": -1},
        {"max_open_orders": True},
        {"max_drawdown": 1.01},
        {"stale_data_after": "soon"},
        {"stale_data_after": -1},
        {"require_shortable": 1},
        {"on_trip": "panic"},
        {"daily_reset": "24:00"},
        {"allowed_symbols": "SPY"},
        {"cancel_reserve": 5},
        {"risk_level": 1},
        {"risk_level": 0},
        {"loss_rate_trades": 0},
        {"symbols": {"SPY": {"max_order_quantity": -1}}},
        {"symbols": {"SPY": {"max_leverage": 1}}},
        {"symbols": 5},
        {"symbols": {"SPY": 5}},
        {"symbols": {5: {}}},
        {"allowed_symbols": 5},
        {"allowed_symbols": (5,)},
        {"risk_window": 1},
        {"risk_every": 0},
        {"max_beta_exposure": 1},
        {"max_daily_loss": 5, "halt_daily_loss": 4},
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"expected|there is no limit"):
        Limits(**wrong)


def test_unknown_names_are_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="Did you mean max_order_notional"):
        Limits.from_dict({"max_order_notionel": 1})
    with pytest.raises(TypeError):
        Limits(max_order_notionel=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Limits(5)  # type: ignore[misc]


def test_limits_are_frozen() -> None:
    limits = Limits(max_order_quantity=5, symbols={"SPY": {"max_order_quantity": 1}})
    with pytest.raises(FrozenInstanceError):
        limits.max_order_quantity = 6  # type: ignore[misc]
    with pytest.raises(TypeError):
        limits.symbols["SPY"]["max_order_quantity"] = 6  # type: ignore[index]


def test_equal_values_have_one_version_however_written() -> None:
    written = [5, 5.0, "5", Decimal("5.00")]
    assert len({Limits(max_order_quantity=value).version for value in written}) == 1
    assert Limits(stale_data_after="5s").version == Limits(stale_data_after=5 * 10**9).version
    assert Limits(max_order_quantity=5).version != Limits(max_order_quantity=6).version
    assert Limits().version != Limits(max_order_quantity=0).version
    assert Limits(max_order_quantity="-0").version == Limits(max_order_quantity=0).version


def test_every_setting_changes_the_version() -> None:
    base = Limits(max_messages_per_minute=9)
    changes: dict[str, Any] = {
        "max_leverage": 2, "on_trip": "halted", "daily_reset": "13:30", "cancel_reserve": 3,
        "require_shortable": True, "allowed_symbols": (), "cooldown": "1s",
        "symbols": {"SPY": {"max_order_quantity": 1}},
    }  # fmt: skip
    versions = {base.replace(**{name: value}).version for name, value in changes.items()}
    assert len(versions | {base.version}) == len(changes) + 1


def test_limits_come_from_toml(tmp_path: Path) -> None:
    path = tmp_path / "limits.toml"
    path.write_text(
        '[limits]\nmax_order_notional = 5_000.5\nstale_data_after = "5s"\n'
        "[limits.symbols.SPY]\nmax_order_notional = 10_000\n"
    )
    limits = Limits.from_toml(path)
    assert limits.max_order_notional == Decimal("5000.5")
    assert limits.of("SPY", "max_order_notional") == 10_000
    assert limits.of("QQQ", "max_order_notional") == Decimal("5000.5")
    assert gate_for(path).limits == limits
    path.write_text("max_ordr = 1\n")
    with pytest.raises(ConfigError, match="max_ordr"):
        Limits.from_toml(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        Limits.from_toml(tmp_path / "nothing.toml")
    path.write_text("limits = 3\n")
    with pytest.raises(ConfigError, match="limits is 3; expected a table"):
        Limits.from_toml(path)


@pytest.mark.parametrize("name", DURATIONS)
def test_seconds_without_a_unit_are_refused_in_a_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / "limits.toml"
    path.write_text(f"{name} = 60\n")
    with pytest.raises(ConfigError, match=f'{name} is 60; .* such as "60s"'):
        Limits.from_toml(path)
    path.write_text(f'{name} = "60s"\n')
    assert getattr(Limits.from_toml(path), name) == 60 * 10**9
    path.write_text(f"{name} = 1_000_000\n")
    assert getattr(Limits.from_toml(path), name) == 1_000_000


def test_what_is_short_comes_back_from_a_journal() -> None:
    limits = Limits(cooldown="50us")
    assert Limits.from_dict(limits.to_dict()) == limits


def test_limits_survive_pickling_and_their_own_dict() -> None:
    limits = Limits(
        max_order_notional="0.1", stale_data_after="5s", symbols={"SPY": {"max_slippage_bps": 3}}
    )
    for copy in (pickle.loads(pickle.dumps(limits)), Limits.from_dict(limits.to_dict())):
        assert copy == limits
        assert copy.version == limits.version
        assert hash(copy) == hash(limits)


def test_gate_for_takes_what_users_write() -> None:
    assert gate_for({"max_order_quantity": 5}).limits == Limits(max_order_quantity=5)
    assert gate_for(None).limits.is_empty
    gate = gate_for(Limits())
    assert gate_for(gate) is gate
    with pytest.raises(ConfigError):
        gate_for(5)


@pytest.mark.parametrize(
    "name", ["stale_data_after", "duplicate_window", "max_latency", "cooldown", "max_risk_age"]
)
def test_a_duration_of_nothing_is_a_limit_and_a_negative_one_is_none(name: str) -> None:
    assert getattr(Limits(**{name: 0}), name) == 0
    assert getattr(Limits(**{name: 1}), name) == 1
    with pytest.raises(ConfigError, match=name):
        Limits(**{name: -1})


def test_a_version_is_sixteen_digits() -> None:
    assert re.fullmatch("[0-9a-f]{16}", Limits(max_order_quantity=5).version)


def test_windows_of_outcomes_are_twenty_long_unless_stated() -> None:
    assert (Limits().loss_rate_trades, Limits().reject_rate_orders) == (20, 20)
