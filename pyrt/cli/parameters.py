"""`--set name=value`: texts become the typed parameters of strategies."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pyrt.core.suggest import did_you_mean
from pyrt.errors import ConfigError, UnknownName

if TYPE_CHECKING:
    from pyrt.strategy.strategy import Strategy

_SEQUENCES = (list, tuple, set, frozenset)


def make_strategies(
    classes: Sequence[type[Strategy]], assignments: Iterable[str]
) -> list[Strategy]:
    """Return one strategy of each class with the parameters that were set.

    Parameters
    ----------
    classes : sequence of Strategy subclasses
    assignments : iterable of str
        ``name=value`` for every class that has the parameter, ``Class.name=value`` for one.

    Raises
    ------
    UnknownName
        If no class has the parameter; close names are suggested.
    ConfigError
        If a value does not fit its type, or an assignment has no ``=``.
    """
    from pyrt.strategy import parameters
    from pyrt.strategy.strategy import Strategy

    declared = {cls: parameters.declared(cls, Strategy) for cls in classes}
    given: dict[type[Strategy], dict[str, Any]] = {cls: {} for cls in classes}
    for name, text in map(split_assignment, assignments):
        for cls, parameter in _targets(declared, name):
            given[cls][parameter] = as_given(declared[cls][parameter][0], text)
    made = []
    for cls in classes:
        values = parameters.resolve(cls, Strategy, given[cls], texts=True)
        made.append(cls(**{name: values[name] for name in given[cls]}))
    return made


def split_assignment(text: str) -> tuple[str, str]:
    """Return the two sides of `name=value`."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ConfigError(f"{text!r} sets nothing", remedy="Write name=value")
    return name.strip(), value


def as_given(kind: Any, text: str) -> Any:
    """Return a text as parameters are converted from: lists from commas or JSON, else the text."""
    kinds = {get_origin(k) or k for k in (kind, *get_args(kind))}
    if text[:1] in ("[", "{") and kinds & {*_SEQUENCES, dict}:
        try:
            return json.loads(text)
        except ValueError as error:
            raise ConfigError(f"{text!r} is not JSON ({error})") from None
    if (get_origin(kind) or kind) in _SEQUENCES:
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _targets(
    declared: dict[type[Strategy], dict[str, Any]], name: str
) -> list[tuple[type[Strategy], str]]:
    """Return the (class, parameter) pairs that a name on the left of `=` means."""
    from pyrt.strategy.parameters import remedy_of
    from pyrt.strategy.strategy import Strategy

    owner, dot, parameter = name.rpartition(".")
    wanted = [cls for cls in declared if not dot or cls.__name__ == owner]
    if not wanted:
        names = [cls.__name__ for cls in declared]
        raise UnknownName(f"no strategy is called {owner!r}", remedy=did_you_mean(owner, names))
    found = [(cls, parameter) for cls in wanted if parameter in declared[cls]]
    if found:
        return found
    known = list(dict.fromkeys(p for cls in wanted for p in declared[cls]))
    raise UnknownName(
        f"{' and '.join(cls.__name__ for cls in wanted)} has no parameter {parameter!r}",
        remedy=remedy_of(wanted[0], Strategy, parameter, dict.fromkeys(known)),
        name=parameter,
    )
