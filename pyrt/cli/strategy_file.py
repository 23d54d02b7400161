"""Strategies from files or installed modules: `FILE.py[:Class[,Class]]` becomes classes."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pyrt.core.suggest import did_you_mean
from pyrt.errors import ConfigError, StrategyError, UnknownName

if TYPE_CHECKING:
    from pyrt.strategy.strategy import Strategy

_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


def strategy_classes(spec: str) -> list[type[Strategy]]:
    """Import a file and return the strategies named after it, or its only one.

    Parameters
    ----------
    spec : str
        ``FILE.py``, ``FILE.py:Class`` or ``FILE.py:Class,Class``; in place of the file also the
        dotted name of an installed module, such as ``pyrt.strategies.sma_cross``.

    Raises
    ------
    UnknownName
        If there is no such file or class; close names are suggested.
    ConfigError
        If the file holds no strategy, or several and none is named.
    StrategyError
        If the file cannot be imported; the cause is chained.
    """
    file, names = split_spec(spec)
    module = _installed(str(file)) or import_file(file)
    found = strategies_in(module)
    if names:
        return [_named(module, found, file, name) for name in names]
    if len(found) == 1:
        return list(found.values())
    if not found:
        raise ConfigError(
            f"{file} defines no subclass of pyrt.Strategy", remedy="Write `class X(Strategy): …`"
        )
    first = next(iter(found))
    raise ConfigError(
        f"{file} defines {', '.join(found)}",
        remedy=f"Say which: {file}:{first}, or several: {file}:{','.join(found)}",
    )


def split_spec(spec: str) -> tuple[Path, list[str]]:
    """Return the path and the class names of a `FILE.py[:Class[,Class]]`."""
    head, colon, tail = spec.rpartition(":")
    if colon and head and not Path(spec).exists():
        return Path(head), [name.strip() for name in tail.split(",")]
    return Path(spec), []


def import_file(path: Path) -> ModuleType:
    """Execute a Python file as a module under a private name and return the module.

    The file's directory is on the search path, at its end, only while the file is executed, so
    that its neighbors can be imported and a name such as `random.py` shadows nothing.

    Raises
    ------
    UnknownName
        If there is no such file.
    StrategyError
        If executing it raises.
    """
    _require_python_file(path)
    resolved = path.resolve()
    digest = hashlib.blake2b(str(resolved).encode(), digest_size=4).hexdigest()
    name = f"_pyrt_file_{resolved.stem}_{digest}"
    module_spec = importlib.util.spec_from_file_location(name, resolved)
    assert module_spec is not None
    assert module_spec.loader is not None
    module = importlib.util.module_from_spec(module_spec)
    # Resolving annotations looks the module up by its name.
    sys.modules[name] = module
    directory = str(resolved.parent)
    sys.path.append(directory)
    try:
        module_spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise StrategyError(
            f"{path} cannot be imported: {type(error).__name__}", path=str(path)
        ) from error
    finally:
        sys.path.remove(directory)
    return module


def _installed(name: str) -> ModuleType | None:
    """Return the installed module of a dotted name; None where it reads as a path or is absent."""
    if not _DOTTED.fullmatch(name) or name.endswith(".py") or Path(name).exists():
        return None
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            return None
        raise StrategyError(f"{name} cannot be imported: ModuleNotFoundError") from error


def strategies_in(module: ModuleType) -> dict[str, type[Strategy]]:
    """Return the strategies that a module defines itself, by name, in the order of the file."""
    return {
        name: value
        for name, value in vars(module).items()
        if _is_strategy(value) and value.__module__ == module.__name__ and name[0] != "_"
    }


def _named(
    module: ModuleType, found: dict[str, type[Strategy]], file: Path, name: str
) -> type[Strategy]:
    value: Any = getattr(module, name, None)
    if _is_strategy(value):
        strategy: type[Strategy] = value
        return strategy
    if value is not None:
        raise ConfigError(f"{name} in {file} is no subclass of pyrt.Strategy")
    raise UnknownName(
        f"{file} has no strategy {name!r}", remedy=did_you_mean(name, found), name=name
    )


def _is_strategy(value: Any) -> bool:
    from pyrt.strategy.strategy import Strategy

    return isinstance(value, type) and issubclass(value, Strategy) and value is not Strategy


def _require_python_file(path: Path) -> None:
    if path.is_dir():
        raise ConfigError(f"{path} is a directory", remedy="Give a file, FILE.py")
    if not path.exists():
        beside = path.parent.glob("*.py") if path.parent.is_dir() else []
        raise UnknownName(
            f"there is no file {path}",
            remedy=did_you_mean(path.name, sorted(p.name for p in beside)),
            path=str(path),
        )
    if path.suffix != ".py":
        raise ConfigError(f"{path} is no Python file", remedy="Give a file, FILE.py")
