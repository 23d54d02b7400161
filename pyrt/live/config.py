"""What a node is told before it starts: frozen, checked, cautious by default."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from pyrt.core.account_rules import account_rules
from pyrt.data.replay import replay_speed
from pyrt.errors import ConfigError
from pyrt.live.driver.reconcile import ReconcilePolicy
from pyrt.live.observe.logs import LEVELS
from pyrt.live.observe.targets import AlertTarget
from pyrt.live.plan import SECOND, Policies
from pyrt.risk.limit_names import PERCENTAGES_FROM, SHARES
from pyrt.risk.limit_values import check_units
from pyrt.risk.limits import Limits
from pyrt.venues.capabilities import Scope, capabilities_of

FEEDS = ("iex", "sip", "delayed_sip", "test")

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
RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
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
        ``iex``, ``sip``, ``delayed_sip`` (a quarter of an hour late, its history too) or ``test``
        (one made-up symbol, FAKEPACA, which has no history).
    data_codec : str
        ``json`` or ``msgpack``: what is asked for on the market-data streams; the second is about
        half the bytes.
    env_file : str
        File with the keys as lines ``NAME=value``, mode 0600; "" means the environment.
    keyring : str
        Service of the system's keyring that holds the keys, where no file does; "" for none.
    clock : str
        ``wall``, or ``simulator``: time comes from a simulator in lockstep. That is for paper, and
        for URLs on this machine only.
    control_url : str
        The simulator's control API; "" means ``/control`` at `trading_url`.
    account : str or table
        How the account is judged: ``cash``, ``margin``, ``margin:4``, ``alpaca``, or a table of
        `pyrt.core.account_rules.AccountRules`. "" means as the broker says: Alpaca's margin by the
        account's multiplier and permission to short, which nothing named here goes beyond.
    fees : str
        What fills are taken to cost until the broker says it, as `pyrt.backtest` takes it; "" means
        Alpaca's charges, of which a paper account at Alpaca itself pays no regulatory fees.
    run_id : str
        What the name of a run begins with, and so every client order id: letters, digits, ``_`` and
        ``-``, 32 at most. Each start adds a fresh part to it; "" means that alone. In lockstep with
        a simulator it is the whole name, which a state folder takes once.
    seed : int
        Of the jitter of retries.
    state_dir : str
        Folder of the journal. "" means ``pyrt-state`` in the working directory; for a simulator on
        this machine it means that nothing is kept.
    limits : dict
        The table of risk limits; see `pyrt.risk.Limits`. Nothing but a simulator on this machine
        is traded without.
    on_stop : str
        ``cancel_entries`` (protective exits stay), ``cancel_all``, ``flatten`` or ``leave``.
    emulate : str
        What the node does itself for orders that Alpaca has no type for: ``missing``, what it has
        for no kind of instrument; ``all``, also what it has for stocks only, such as stops on
        coins; ``none``. What the node keeps dies with it.
    order_age_s : float
        An order that could not leave within this time is dropped, and told as rejected; an exit
        that was kept here and is met waits.
    reconcile_s : float
        Seconds between looks at the whole account.
    save_s : float
        Seconds between saves of strategies and risk.
    warmup : int
        Bars from history that indicators are fed with at least; 0 for none.
    replay_max : int
        A run that a crash has cut off is played again from its recorded inputs, commands compared
        and not sent, if they are no more than this; 0 never plays any.
    on_replay_difference : str
        What becomes of a strategy that comes to other orders then: ``halt`` or ``alarm``.
    external_orders : str
        What an order in our symbols leads to that we have not sent: ``halt`` the symbol,
        ``alarm``, or ``ignore``.
    handler_timeout_s : float
        A handler that runs longer is broken off and its strategy stopped; 0 for never.
    backtest_feed : str
        The feed that the strategy was tested on; a difference from `feed` is told at start.
    backup_dir : str
        Folder for backups of the journal, taken while the node runs; "" for none.
    backup_hours : float
        Hours between backups.
    backups_kept : int
        Older ones are removed.
    record_market : bool
        Keep the bars, quotes and prints that come, as Parquet in ``market`` of the state folder; a
        week later each day is made one file a symbol.
    tapes_kept : int
        Runs whose inputs are kept for replay; those of older runs are removed at start.
    watchdog : bool
        Start the process that cancels all orders when the node does not live any more.
    shadow : bool
        Trade in a simulated venue inside the node, on the market's real data: nothing is sent to
        the broker. `pyrt live --shadow` sets it.
    shadow_cash : float
        Dollars a shadow run begins with; each begins anew, in a folder ``shadow`` of its own.
    replay : str
        A recording (Parquet, CSV or catalog) to run on instead of an account: no keys, no network.
    replay_speed : str
        Its pace, such as ``10x``; ``max`` does not wait.
    replay_cash : float
        Dollars a replay begins with.
    replay_label : str
        Which end of its bar a stamp of the recording marks, where that is not certain.
    dashboard : bool
        Serve the page with the kill switch on 127.0.0.1; needs a state folder.
    dashboard_port : int
        0 takes a free one; the address is in ``dashboard.tokens`` of the state folder.
    log_level : str
        The least that is logged: ``DEBUG``, ``INFO``, ``WARNING`` …
    alerts : list of AlertTarget
        Tables ``[[alerts]]``: who hears of alarms.
    publish : str
        Address that topics are published on for other processes, such as
        ``ipc:///run/pyrt/spy/feed``; "" for none.
    publish_topics : tuple of str
        Which of them; see `pyrt.links.TOPICS`.
    signals : str
        Address where models' signals are taken in; "" for none.
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
    data_codec: str = "json"
    env_file: str = ""
    keyring: str = ""
    clock: str = "wall"
    control_url: str = ""
    account: str | dict[str, Any] = ""
    fees: str = ""
    run_id: str = ""
    seed: int = 0
    state_dir: str = ""
    limits: dict[str, Any] = {}
    on_stop: str = "cancel_entries"
    emulate: Scope = "missing"
    order_age_s: float = 5.0
    reconcile_s: float = 60.0
    save_s: float = 60.0
    warmup: int = 250
    replay_max: int = 500_000
    on_replay_difference: str = "halt"
    external_orders: str = "halt"
    handler_timeout_s: float = 5.0
    backtest_feed: str = ""
    backup_dir: str = ""
    backup_hours: float = 6.0
    backups_kept: int = 28
    record_market: bool = True
    tapes_kept: int = 30
    watchdog: bool = False
    shadow: bool = False
    shadow_cash: float = 100_000.0
    replay: str = ""
    replay_speed: str = "1x"
    replay_cash: float = 100_000.0
    replay_label: str = ""
    dashboard: bool = False
    dashboard_port: int = 8765
    log_level: str = "INFO"
    alerts: tuple[AlertTarget, ...] = ()
    publish: str = ""
    publish_topics: tuple[str, ...] = ("data.*", "signal.*", "risk.*", "order.*", "position.*")
    signals: str = ""

    def __post_init__(self) -> None:
        if self.mode not in ("paper", "live"):
            raise ConfigError(f"mode is {self.mode!r}", remedy='Say "paper" or "live"')
        if not self.symbols:
            raise ConfigError("symbols is empty", remedy='Name some: symbols = ["SPY"]')
        for symbol in self.symbols:
            if not symbol or symbol != symbol.strip() or self.symbols.count(symbol) > 1:
                raise ConfigError(
                    f"symbols has {symbol!r}", remedy="Name each once, as the broker does"
                )
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
            check_url(url)
        if self.run_id and not RUN_ID.fullmatch(self.run_id):
            raise ConfigError(
                f"run_id is {self.run_id!r}",
                remedy="Files and orders are named by it: letters, digits, _ and -, 32 at most",
            )
        self._check_clock()
        self._check_policies()

    def _check_policies(self) -> None:
        if self.data_codec not in ("json", "msgpack"):
            raise ConfigError(
                f"data_codec is {self.data_codec!r}", remedy='Say "json" or "msgpack"'
            )
        for name in ("order_age_s", "reconcile_s", "save_s"):
            value = getattr(self, name)
            if not 0 < value < 86_400:
                raise ConfigError(f"{name} is {value!r}; expected seconds, more than 0")
        for name in (
            *("handler_timeout_s", "warmup", "replay_max"),
            *("backup_hours", "backups_kept", "tapes_kept"),
        ):
            if not 0 <= getattr(self, name) < 1e12:
                raise ConfigError(f"{name} is {getattr(self, name)!r}; expected 0 or more")
        if not 0 < self.shadow_cash < 1e12:
            raise ConfigError(f"shadow_cash is {self.shadow_cash!r}; expected dollars, more than 0")
        if not 0 <= self.dashboard_port <= 65_535:
            raise ConfigError(
                f"dashboard_port is {self.dashboard_port}; expected 1 to 65535, or 0 for a free one"
            )
        for name, known in (("feed", FEEDS), ("log_level", LEVELS)):
            if getattr(self, name) not in known:
                raise ConfigError(
                    f"{name} is {getattr(self, name)!r}; expected one of {', '.join(known)}"
                )
        replay_speed(self.replay_speed)
        capabilities_of("alpaca", self.emulate)
        account_rules(self.account or None)
        self.make_limits()
        self.policies()

    def check_limits(self) -> None:
        """Refuse to trade anywhere but on a simulator of this machine without risk limits.

        Raises
        ------
        ConfigError
            If there are none.
        """
        if not (self.is_rehearsal or self.limits):
            raise ConfigError(
                "there are no risk limits",
                code="no_limits",
                remedy="Add a table [limits]; `pyrt live --init` writes a cautious one",
            )

    @property
    def is_rehearsal(self) -> bool:
        """Whether orders go to a simulator on this machine."""
        return urlsplit(self.trading).hostname in LOOPBACK

    def warnings(self) -> list[tuple[str, str]]:
        """Return what a person should know before the node starts: (code, text)."""
        found: list[tuple[str, str]] = []
        if self.backtest_feed and self.backtest_feed != self.feed:
            text = f"the strategy was tested on {self.backtest_feed} and will see {self.feed}"
            found.append(("other_feed", text))
        if self.emulate == "all" and self.mode == "live":
            text = "stops and exits of coins are kept by this node, and die with it"
            found.append(("emulated_exits", text))
        if self.state_folder() is None:
            found.append(("no_state", "nothing is kept: a restart will know nothing of this run"))
        if not self.limits:
            found.append(("no_limits", "there are no risk limits; a simulator is all this is for"))
        if others := sorted({*self.limits.get("symbols", ())} - {*self.symbols}):
            text = f"limits are set for {', '.join(others)}, which symbols does not name"
            found.append(("other_symbols", text))
        for name in SHARES:
            share = self.limits.get(name)
            if share is not None and float(share) >= PERCENTAGES_FROM:
                text = f"{name} is {share}, a share of one: that is {float(share):.0%}"
                found.append(("percentage", text))
        return found

    def make_limits(self) -> Limits | None:
        """Return the limits; None where there are none.

        Raises
        ------
        ConfigError
            If one is unknown or makes no sense, or a duration has no unit.
        """
        if not self.limits:
            return None
        limits = Limits.from_dict(self.limits)
        check_units(self.limits)
        return limits

    def policies(self) -> Policies:
        """Return how the node behaves where there is a choice."""
        in_lockstep = self.clock == "simulator"
        reconcile_s = max(self.reconcile_s, 1800.0) if in_lockstep else self.reconcile_s
        return Policies(
            on_stop=self.on_stop,
            order_age_ns=int(self.order_age_s * SECOND),
            # A simulator's day passes in seconds; looking each of its minutes would slow it down.
            reconcile_ns=int(reconcile_s * SECOND),
            save_ns=int(self.save_s * SECOND),
            warmup=self.warmup,
            replay_max=self.replay_max,
            on_replay_difference=self.on_replay_difference,
            looks=1 if in_lockstep else 3,
            reconcile=ReconcilePolicy(external_orders=self.external_orders),
        )

    def state_folder(self) -> Path | None:
        """Return the folder of the journal; None when nothing is kept."""
        if self.state_dir:
            return Path(self.state_dir).expanduser()
        return None if self.is_rehearsal else Path("pyrt-state")

    def to_plain(self) -> dict[str, Any]:
        """Return all settings as plain values; none of them is a secret."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain

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
            kind = "a live key" if is_live else "no live key"
            raise ConfigError(
                f"mode is {self.mode}, and the key is {kind}",
                code="wrong_key",
                remedy="Give the key of that world, or name the profile that you mean",
            )

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


def check_url(url: str) -> None:
    """Refuse a URL that is neither the broker's nor on this machine; "" passes."""
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
