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

PROFILES: dict[str, dict[str, Any]] = {
    "dev": {"mode": "paper"},
    "paper": {"mode": "paper"},
    "live": {"mode": "live"},
}
"""What a profile sets before its own table of the file does."""
VARIABLE = "PYRT_NODE_"


def load_config(
    path: str | Path, profile: str | None = None, environment: Mapping[str, str] | None = None
) -> NodeConfig:
    """Return the settings of a file, with a profile and the environment laid over it.

    The file's own values come first, then those of its table ``[profiles.NAME]``, then variables
    such as ``PYRT_NODE_STATE_DIR``; each overrides what came before.

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
    own = values.pop("profiles", {})
    if profile is not None:
        if profile not in PROFILES:
            raise ConfigError(
                f"there is no profile {profile!r}", remedy=did_you_mean(profile, list(PROFILES))
            )
        values |= PROFILES[profile] | own.get(profile, {})
    values |= _from_environment(os.environ if environment is None else environment)
    _check_names(values, path)
    try:
        return msgspec.convert(values, NodeConfig, strict=False)
    except msgspec.ValidationError as error:
        cause = error.__cause__
        if isinstance(cause, ConfigError):
            raise cause from None
        raise ConfigError(f"{path}: {error}") from error


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for variable, text in environment.items():
        name = variable.removeprefix(VARIABLE).lower()
        if variable.startswith(VARIABLE) and name in NodeConfig.__struct_fields__:
            found[name] = text.split(",") if name == "symbols" else text
    return found


def _check_names(values: Mapping[str, Any], path: str | Path) -> None:
    for name in values:
        if name not in NodeConfig.__struct_fields__:
            near = did_you_mean(name, list(NodeConfig.__struct_fields__))
            raise ConfigError(f"{path}: there is no setting {name!r}", remedy=near)
