"""Strategy parameters: annotated class attributes, checked once at construction."""

from __future__ import annotations

from inspect import get_annotations
from math import isfinite
from typing import Any, ClassVar, get_origin, get_type_hints

import msgspec
import numpy as np

from pyrt.core.suggest import did_you_mean
from pyrt.errors import ConfigError, UnknownName

_MISSING = object()


def declared(cls: type, base: type) -> dict[str, tuple[Any, Any]]:
    """Return name → (type, default) of the parameters a class declares, bases first.

    Names with a leading underscore and ClassVars are no parameters. `base` ends the search.
    """
    hints = get_type_hints(cls)
    found: dict[str, tuple[Any, Any]] = {}
    for owner in reversed(cls.__mro__):
        if not issubclass(owner, base) or owner is base:
            continue
        for name in get_annotations(owner):
            kind = hints[name]
            if name.startswith("_") or kind is ClassVar or get_origin(kind) is ClassVar:
                continue
            found[name] = (kind, getattr(cls, name, _MISSING))
    return found


def resolve(cls: type, base: type, given: dict[str, Any], *, texts: bool = False) -> dict[str, Any]:
    """Return the value of every declared parameter, given or default, converted to its type.

    Parameters
    ----------
    texts : bool
        Read strings leniently ("20" as 20), as a command line gives them.

    Raises
    ------
    UnknownName
        For a name that is not declared, with a suggestion.
    ConfigError
        For a missing value or one of the wrong type.
    """
    known = declared(cls, base)
    for name in given:
        if name not in known:
            raise UnknownName(
                f"{cls.__name__} has no parameter {name!r}",
                remedy=remedy_of(cls, base, name, known),
                name=name,
            )
    values = {}
    for name, (kind, default) in known.items():
        value = given.get(name, default)
        if value is _MISSING:
            raise ConfigError(f"{cls.__name__} needs a value for {name!r}", name=name)
        values[name] = _convert(cls, name, kind, value, texts=texts)
    return values


def remedy_of(cls: type, base: type, name: str, known: dict[str, Any]) -> str:
    """Say what to write in place of a name that is no parameter."""
    value = getattr(cls, name, _MISSING)
    if value is _MISSING or hasattr(base, name) or callable(value):
        return did_you_mean(name, known) if known else "It has no parameters"
    return f"Annotate it to make it one: {name}: {type(value).__name__} = {value!r}"


def _convert(cls: type, name: str, kind: Any, value: Any, *, texts: bool) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    try:
        return msgspec.convert(value, kind, strict=not texts)
    except (msgspec.ValidationError, TypeError) as error:
        if texts and isinstance(value, str) and (number := _number(value)) is not None:
            return _convert(cls, name, kind, number, texts=False)
        if isinstance(kind, type) and isinstance(value, kind) and not isinstance(value, bool):
            return value
        wanted = getattr(kind, "__name__", str(kind))
        raise ConfigError(
            f"{cls.__name__}: {name}={value!r} is not acceptable as {wanted} ({error})",
            name=name,
            value=value,
        ) from None


def _number(text: str) -> float | None:
    """Read what a shell's user writes and a strict reader refuses: .5, 5., 1_000.0."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None
