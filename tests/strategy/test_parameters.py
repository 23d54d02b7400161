from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import pytest

from pyrt import Strategy
from pyrt.errors import ConfigError, NameTaken, UnknownName
from pyrt.strategy.parameters import resolve


class Base(Strategy):
    symbol: str = "SPY"
    size: float = 100
    _private: int = 3
    shared: ClassVar[int] = 4


class Child(Base):
    mode: Literal["fast", "slow"] = "fast"
    needed: int


def test_parameters_are_the_annotated_attributes_bases_first():
    assert Child(needed=1).params == {"symbol": "SPY", "size": 100.0, "mode": "fast", "needed": 1}


def test_values_take_the_declared_type():
    assert isinstance(Base(size=5).size, float)
    with pytest.raises(ConfigError, match="size='big' is not acceptable as float"):
        Base(size="big")
    with pytest.raises(ConfigError, match="mode='odd'"):
        Child(needed=1, mode="odd")


def test_numbers_of_numpy_are_taken_as_python_s():
    strategy = Child(needed=np.int64(7), size=np.float32(2.5))
    assert (strategy.needed, strategy.size) == (7, 2.5)
    assert type(strategy.needed) is int
    with pytest.raises(ConfigError, match=r"needed=3\.0 is not acceptable as int"):
        Child(needed=np.float64(3))


def test_a_claim_is_no_number():
    with pytest.raises(ConfigError, match="needed=True is not acceptable as int"):
        Child(needed=True)


def test_a_value_without_default_is_asked_for():
    with pytest.raises(ConfigError, match="Child needs a value for 'needed'"):
        Child()


def test_an_unknown_name_gets_a_suggestion():
    with pytest.raises(UnknownName, match=r"has no parameter 'sise'\. Did you mean size"):
        Base(sise=1)


def test_an_attribute_without_annotation_is_told_what_makes_it_a_parameter():
    class Plain(Strategy):
        fast = 10

        def slow(self):
            return 20

    with pytest.raises(UnknownName, match=r"'fast'\. Annotate it to make it one: fast: int = 10"):
        Plain(fast=3)
    with pytest.raises(UnknownName, match=r"has no parameter 'slow'\. It has no parameters"):
        Plain(slow=3)


def test_parameters_are_fixed_and_other_state_is_free():
    strategy = Base()
    with pytest.raises(AttributeError, match="'size' is a parameter of Base"):
        strategy.size = 3
    strategy.count = 1
    strategy.count += 1
    assert strategy.count == 2
    assert strategy.size == 100


def test_command_line_texts_are_read_by_type():
    assert resolve(Child, Strategy, {"needed": "7", "size": "2.5"}, texts=True)["needed"] == 7
    for text in (".5", "+0.5", "5e-1", "0.50_0"):
        assert resolve(Child, Strategy, {"needed": "7", "size": text}, texts=True)["size"] == 0.5
    for text in ("7.5", "x", "inf"):
        with pytest.raises(ConfigError, match="not acceptable as int"):
            resolve(Child, Strategy, {"needed": text}, texts=True)


def test_fresh_copies_parameters_and_changes():
    strategy = Child(needed=2, capital=500)
    assert strategy.fresh(size=1).params == {**strategy.params, "size": 1.0}
    assert strategy.fresh().capital == 500


def test_commands_before_the_run_say_when_they_work():
    with pytest.raises(ConfigError, match="is not in an engine yet"):
        Base().buy("SPY", 1)
    with pytest.raises(ConfigError, match="is not in an engine yet"):
        Base().position("SPY")


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("log", "A standard logger"),
        ("close", "Leave the position"),
        ("position", "Return this strategy's Position"),
        ("params", "The parameters by name"),
        ("now", ""),
    ],
)
def test_a_name_of_every_strategy_is_not_the_user_s_to_set(name, what):
    strategy = Base()
    before = getattr(strategy, name) if name in ("close", "params") else None
    with pytest.raises(NameTaken, match=f"self.{name} belongs to every strategy.*{what}") as raised:
        setattr(strategy, name, [])
    assert raised.value.remedy == f"Keep yours under another name, such as self.my_{name}"
    assert isinstance(raised.value, AttributeError)
    assert before is None or getattr(strategy, name) == before
    strategy.my_log = []
    strategy.on_bar = print


def test_a_parameter_may_have_the_name_of_a_command():
    class Odd(Strategy):
        pair: str = "A/B"

    with pytest.raises(NameTaken, match="'pair' is a parameter of Odd"):
        Odd().pair = "C/D"
