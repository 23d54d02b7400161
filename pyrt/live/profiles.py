"""One file, several worlds: profiles and the environment laid over a node's settings."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from pyrt.core.suggest import did_you_mean
from pyrt.errors import ConfigError
from pyrt.live.config import NodeConfig
from pyrt.risk.limits import Limits

PROFILES: dict[str, dict[str, Any]] = {
    "dev": {"mode": "paper"},
    "paper": {"mode": "paper"},
    "live": {"mode": "live"},
}
"""What a profile sets before its own table of the file does."""
VARIABLE = "PYRT_NODE_"
LISTS = frozenset({"symbols", "publish_topics"})
"""Settings of which a variable names several, with commas between."""


def load_config(
    path: str | Path, profile: str | None = None, environment: Mapping[str, str] | None = None
) -> NodeConfig:
    """Return the settings of a file, with a profile and the environment laid over it.

    The file's own values come first, then those of its table ``[profiles.NAME]``, then variables
    such as ``PYRT_NODE_STATE_DIR``; each overrides what came before. Of a table, such as that of
    the limits, what a profile does not name stays.

    Parameters
    ----------
    profile : {"dev", "paper", "live"}, optional
    environment : mapping, optional
        By default that of the process.

    Raises
    ------
    ConfigError
        If the file cannot be read, or something in it, in the profile or in a variable is not
        acceptable.
    """
    try:
        values = tomllib.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}",
            remedy=f"pyrt live --init --config {path} writes one to start from",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    own = _profiles(values.pop("profiles", {}), path)
    if profile is not None:
        _check_profile(profile)
        values = laid_over(laid_over(values, PROFILES[profile]), own.get(profile, {}))
    named = _from_environment(os.environ if environment is None else environment)
    _check_names(values, path)
    try:
        return msgspec.convert(values | named, NodeConfig, strict=False)
    except msgspec.ValidationError as error:
        cause = error.__cause__
        if isinstance(cause, ConfigError):
            raise cause from None
        raise ConfigError(f"{_source_of(str(error), path, named)}: {error}") from error


def laid_over(values: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Return values with more of them in their place; of a table, what is not named stays."""
    found = dict(values)
    for name, value in more.items():
        before = found.get(name)
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            value = laid_over(before, value)
        found[name] = value
    return found


def _profiles(tables: Any, path: str | Path) -> dict[str, Any]:
    """Return the tables of profiles, the names in those that are not used checked as well."""
    if not (isinstance(tables, dict) and all(isinstance(t, dict) for t in tables.values())):
        raise ConfigError(f"{path}: profiles are tables, such as [profiles.paper]")
    for name, table in tables.items():
        _check_profile(name)
        _check_names(table, path)
    return tables


def _check_profile(name: str) -> None:
    if name not in PROFILES:
        near = did_you_mean(name, list(PROFILES))
        raise ConfigError(f"there is no profile {name!r}", remedy=near)


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for variable, text in environment.items():
        if not variable.startswith(VARIABLE):
            continue
        name = variable.removeprefix(VARIABLE).lower()
        if name not in NodeConfig.__struct_fields__:
            near = did_you_mean(name, list(NodeConfig.__struct_fields__))
            is_limit = name in Limits.__dataclass_fields__
            remedy = "Limits are set in the file, by its table [limits]" if is_limit else near
            raise ConfigError(f"{variable}: there is no setting {name!r}", remedy=remedy)
        found[name] = text.split(",") if name in LISTS else text
    return found


def _source_of(error: str, path: str | Path, named: Mapping[str, Any]) -> str | Path:
    """Return the variable that a setting has its value from, else the file."""
    # It ends with the place, as in: Expected `int`, got `str` - at `$.dashboard_port`
    setting = error.rpartition("`$.")[2].rstrip("`").partition("[")[0].partition(".")[0]
    return f"{VARIABLE}{setting.upper()}={named[setting]!r}" if setting in named else path


def _check_names(values: Mapping[str, Any], path: str | Path) -> None:
    for name in values:
        if name not in NodeConfig.__struct_fields__:
            near = did_you_mean(name, list(NodeConfig.__struct_fields__))
            raise ConfigError(f"{path}: there is no setting {name!r}", remedy=near)
