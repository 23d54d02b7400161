"""What a node is told before it starts: frozen, checked, cautious by default."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from pyrt.errors import ConfigError

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
HOSTS = frozenset(
    {
        "api.alpaca.markets",
        "paper-api.alpaca.markets",
        "data.alpaca.markets",
        "stream.data.alpaca.markets",
    }
)
SECURE = frozenset({"https", "wss"})
PAPER_TRADING = "https://paper-api.alpaca.markets"
LIVE_TRADING = "https://api.alpaca.markets"


class NodeConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One node's settings; `from_toml` reads a file of them.

    Attributes
    ----------
    symbols : tuple of str
        What the strategies may subscribe to and trade; a pair such as ``BTC/USD`` is crypto.
    mode : str
        ``paper`` or ``live``. Live also needs a live key and `account_id`.
    account_id : str
        The account number that the broker has to state; checked whenever it is given.
    trading_url, data_url, stream_url, data_stream_url, crypto_stream_url : str
        "" means Alpaca's own. Plain http and ws are for loopback only.
    feed : str
        ``iex`` or ``sip``.
    clock : str
        ``wall``, or ``simulator``: time comes from a simulator in lockstep. That is for paper, and
        for URLs on this machine only.
    control_url : str
        The simulator's control API; "" means ``/control`` at `trading_url`.
    run_id : str
        Part of every client order id; "" means a fresh one, as every start should have.
    """

    symbols: tuple[str, ...]
    mode: str = "paper"
    account_id: str = ""
    trading_url: str = ""
    data_url: str = ""
    stream_url: str = ""
    data_stream_url: str = ""
    crypto_stream_url: str = ""
    feed: str = "iex"
    env_file: str = ""
    clock: str = "wall"
    control_url: str = ""
    run_id: str = ""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.mode not in ("paper", "live"):
            raise ConfigError(f"mode is {self.mode!r}", remedy='Say "paper" or "live"')
        if not self.symbols:
            raise ConfigError("symbols is empty", remedy='Name some: symbols = ["SPY"]')
        if self.mode == "live" and not self.account_id:
            raise ConfigError(
                "mode is live and account_id is not given",
                code="live_consent",
                remedy="State the account number you mean to trade",
            )
        for url in (
            self.trading_url,
            self.data_url,
            self.stream_url,
            self.data_stream_url,
            self.crypto_stream_url,
        ):
            _check_url(url)
        self._check_clock()

    def _check_clock(self) -> None:
        if self.clock not in ("wall", "simulator"):
            raise ConfigError(f"clock is {self.clock!r}", remedy='Say "wall" or "simulator"')
        if self.clock == "wall":
            return
        urls = [self.trading, self.data, self.trade_updates, self.control]
        are_coins = {"/" in symbol for symbol in self.symbols}
        urls.extend([self.crypto_data] * (True in are_coins))
        urls.extend([self.market_data] * (False in are_coins))
        strange = [url for url in urls if urlsplit(url).hostname not in LOOPBACK]
        if self.mode != "paper" or strange:
            raise ConfigError(
                f"clock is simulator, and {strange[0] if strange else 'mode is live'}",
                code="lockstep",
                remedy="Lockstep is for paper, with all URLs on 127.0.0.1",
            )

    @property
    def trading(self) -> str:
        """Base URL of the trading API."""
        return self.trading_url or (LIVE_TRADING if self.mode == "live" else PAPER_TRADING)

    @property
    def data(self) -> str:
        """Base URL of the data API."""
        return self.data_url or "https://data.alpaca.markets"

    @property
    def trade_updates(self) -> str:
        """URL of the trade-updates stream."""
        return self.stream_url or self.trading.replace("http", "ws", 1).rstrip("/") + "/stream"

    @property
    def crypto_data(self) -> str:
        """URL of the coins' market-data stream."""
        return self.crypto_stream_url or "wss://stream.data.alpaca.markets/v1beta3/crypto/us"

    @property
    def control(self) -> str:
        """Base URL of a simulator's control API."""
        return self.control_url or self.trading.rstrip("/") + "/control"

    @property
    def market_data(self) -> str:
        """URL of the market-data stream."""
        return self.data_stream_url or f"wss://stream.data.alpaca.markets/v2/{self.feed}"

    def check_key(self, *, is_live: bool) -> None:
        """Refuse a key of the other world.

        Raises
        ------
        ConfigError
            If a live key meets paper mode, or the other way round.
        """
        if is_live != (self.mode == "live"):
            kind = "live" if is_live else "no live"
            raise ConfigError(f"mode is {self.mode}, and the key is {kind} key", code="wrong_key")

    @classmethod
    def from_toml(cls, path: str | Path) -> NodeConfig:
        """Return the settings of a file.

        Raises
        ------
        ConfigError
            If it cannot be read, has an unknown key, or a value is not acceptable.
        """
        try:
            return msgspec.toml.decode(Path(path).read_bytes(), type=cls)
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
        except (msgspec.DecodeError, ValueError) as error:
            raise ConfigError(f"{path}: {error}") from error


def _check_url(url: str) -> None:
    if not url:
        return
    parts = urlsplit(url)
    if parts.hostname in LOOPBACK:
        return
    if parts.scheme not in SECURE or parts.hostname not in HOSTS:
        raise ConfigError(
            f"{url} is neither Alpaca's nor on this machine",
            code="host",
            remedy="Use https and wss to Alpaca, or any URL to 127.0.0.1",
        )
