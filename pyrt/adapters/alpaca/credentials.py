"""Keys of an account: where they come from, and that they are shown to nobody."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from pyrt.errors import ConfigError, MissingExtra

NAMES = (
    ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY"),
    ("ALPACA_API_KEY", "ALPACA_SECRET_KEY"),
)
"""Pairs of environment variables, in the order in which they are tried."""


class Credentials:
    """A key and its secret; printing, pickling and formatting show neither.

    Parameters
    ----------
    key : str
        The key id; paper keys begin with ``PK``, live ones with ``AK``.
    secret : str
    """

    __slots__ = ("_secret", "key")

    def __init__(self, key: str, secret: str) -> None:
        self.key = key
        self._secret = secret

    def __repr__(self) -> str:
        return "Credentials(key='***', secret='***')"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("credentials are not pickled")

    @property
    def is_live(self) -> bool:
        """Whether the key is one of a live account."""
        return self.key.startswith("AK")

    def reveal_secret(self) -> str:
        """Return the secret, for the one message that needs it."""
        return self._secret

    def headers(self) -> dict[str, str]:
        """Return the headers that authenticate a request."""
        return {"APCA-API-KEY-ID": self.key, "APCA-API-SECRET-KEY": self._secret}


def read_credentials(
    environment: Mapping[str, str] | None = None,
    env_file: str | Path | None = None,
    keyring: str = "",
) -> Credentials:
    """Find the credentials of a run.

    Parameters
    ----------
    environment : mapping, optional
        By default that of the process.
    env_file : path, optional
        Lines of ``NAME=value``; readable by its owner only. What it says comes first.
    keyring : str
        Service of the system's keyring that holds both names as users; it comes second. Needs the
        package ``keyring``.

    Raises
    ------
    ConfigError
        If there are none, only half a pair, or the file is open to others; no value is shown.
    """
    if env_file is not None:
        found = _pair(read_env_file(Path(env_file)))
        if found is not None:
            return found
    if keyring:
        return read_keyring(keyring)
    found = _pair(os.environ if environment is None else environment)
    if found is None:
        raise ConfigError(
            "there are no Alpaca keys",
            code="no_credentials",
            remedy="Set APCA_API_KEY_ID and APCA_API_SECRET_KEY, or give an env file",
        )
    return found


def read_keyring(service: str) -> Credentials:
    """Return the keys that the system's keyring holds.

    Raises
    ------
    MissingExtra
        If the package ``keyring`` is not there.
    ConfigError
        If the keyring holds none, or half a pair.
    """
    try:
        backend: Any = import_module("keyring")
    except ImportError as error:
        raise MissingExtra(
            "keys in a keyring need the package keyring", remedy="Run: pip install keyring"
        ) from error
    values = {name: backend.get_password(service, name) or "" for name in NAMES[0]}
    found = _pair(values)
    if found is None:
        raise ConfigError(
            f"the keyring holds no Alpaca keys for {service}",
            code="no_credentials",
            remedy=f"Run: keyring set {service} APCA_API_KEY_ID, and APCA_API_SECRET_KEY",
        )
    return found


def read_env_file(path: Path) -> dict[str, str]:
    """Return the variables of a file; ConfigError if others may read it."""
    try:
        mode = path.stat().st_mode
        text = path.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    if stat.S_IMODE(mode) & 0o077:
        raise ConfigError(
            f"{path} may be read by others", code="open_env_file", remedy=f"chmod 600 {path}"
        )
    values = {}
    for line in text.splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.startswith("#"):
            values[name.strip()] = value.strip().strip("\"'")
    return values


def _pair(values: Mapping[str, str]) -> Credentials | None:
    for key_name, secret_name in NAMES:
        key, secret = values.get(key_name, ""), values.get(secret_name, "")
        if key and secret:
            return Credentials(key, secret)
        if key or secret:
            missing = secret_name if key else key_name
            raise ConfigError(f"{missing} is not set, its partner is", code="half_credentials")
    return None
