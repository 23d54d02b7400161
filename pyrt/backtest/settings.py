"""How a simulated venue behaves: one frozen object, checked when it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import chain
from typing import Any

from pyrt.backtest.actions import rows_of
from pyrt.backtest.fees import fee_model
from pyrt.backtest.latency import ConstantLatency, latency_model
from pyrt.backtest.queue import queue_model
from pyrt.backtest.slippage import slippage_model
from pyrt.backtest.venue import CHILD_RULES, PATHS, TIMINGS
from pyrt.core.account_rules import AccountRules, account_rules
from pyrt.errors import ConfigError
from pyrt.venues.alpaca.options import AlpacaOptions
from pyrt.venues.capabilities import Capabilities, capabilities_of
from pyrt.venues.luld import LuldRule

SOURCES = ("book", "book+trades", "quotes", "quotes+trades", "trades", "bars")
"""What may decide fills."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VenueSettings:
    """Settings of a simulated venue.

    Attributes
    ----------
    name : {"sim", "alpaca"}
        Whose rules, fees and sessions apply.
    fill : {"next_open", "same_close", "next_close"}
        When a market order meets a market of bars.
    path : {"adverse_first", "open_high_low_close", "open_low_high_close", "nearest_first"}
        The way the price is taken to have gone inside a bar.
    children : {"rest_of_bar", "next_bar"}
        Whether exits of an entry that filled inside a bar meet the rest of that bar.
    touch_fills : bool
        Whether a limit that is touched and not crossed fills.
    fees, slippage : model or text
        See `pyrt.backtest.fees.fee_model` and `pyrt.backtest.slippage.slippage_model`. Without
        `fees`, the venue's own are taken: none on ``"sim"``, Alpaca's on ``"alpaca"``.
    latency : int, str, timedelta, dict, table or LatencyModel
        From sending a command to its effect; see `pyrt.backtest.latency.latency_model`.
    participation : float
        Largest share of a bar's volume, a shown size or a print that may fill; None for no cap.
    rules : AlpacaOptions
        Of ``"alpaca"``: choices where the documentation leaves them, see docs/alpaca-rules.md.
    account : AccountRules, str or mapping
        How the broker judges the account: ``"cash"`` (default), ``"margin"``, ``"margin:4"``,
        ``"alpaca"``; see `pyrt.core.account_rules.AccountRules`.
    emulate : {"missing", "all", "none"} or Capabilities
        What our side does for the venue: what it has for no kind of instrument; also what it has
        for other kinds only, such as stops on coins; nothing. `Capabilities` say themselves what
        the venue can do.
    calendar : str
        Sessions of instruments the run makes itself; None for the venue's own.
    fills_from : str or dict
        What decides fills, of all symbols or by symbol: ``"book"``, ``"quotes"``, ``"trades"`` or
        ``"bars"``; ``"book+trades"`` and ``"quotes+trades"`` let prints take part. None: the
        first of these that a symbol has, with its prints if it has them beside.
    queue : str or QueueModel
        The place of a resting order at its price; see `pyrt.backtest.queue.queue_model`.
    arrival : {"standing", "next"}
        Whether an order meets the market as it stands when it arrives, or with the next event.
        None: as it stands on books, with the next on quotes.
    consume : bool
        Whether what our fills took from a level stays taken until it shows another size.
    halts : table
        Columns ``symbol start end`` and, if there is one, ``reason``: no fills in [start, end);
        with ``price`` and ``size``, those of the auction that ends it.
    luld : str, LuldRule, dict or table
        Price bands outside of which nothing trades, and pauses: worked out from prints and quotes
        for ``"tier1"`` or ``"tier2"``, of all symbols or by symbol, or recorded bands, columns
        ``ts_event symbol lower upper``; see `pyrt.backtest.price_bands.read_bands`.
    auctions : table
        Columns ``ts_event symbol price`` and, if known, ``size``: prices at which orders for the
        opening and the close fill.
    short_available : dict
        Symbol to the quantity that can be borrowed; other symbols are not limited.
    borrow : callable
        ``(instrument, quantity, price, nights)`` to the fee for a short held over that many nights,
        in its quote currency; None for the account's `borrow_rate`.
    """

    name: str = "sim"
    fill: str = "next_open"
    path: str = "adverse_first"
    children: str = "rest_of_bar"
    touch_fills: bool = False
    fees: Any = None
    slippage: Any = None
    latency: Any = None
    participation: float | None = None
    rules: AlpacaOptions | None = None
    account: Any = None
    emulate: Any = "missing"
    calendar: str | None = None
    fills_from: Any = None
    queue: Any = None
    arrival: str | None = None
    consume: bool = True
    halts: Any = None
    auctions: Any = None
    short_available: Any = None
    borrow: Any = None
    luld: Any = None

    def __post_init__(self) -> None:
        for name, choices in (("fill", TIMINGS), ("path", PATHS), ("children", CHILD_RULES)):
            if getattr(self, name) not in choices:
                raise ConfigError(
                    f"{name} is {getattr(self, name)!r}; expected one of {', '.join(choices)}",
                    name=name,
                )
        if self.name not in ("sim", "alpaca"):
            raise ConfigError(f"venue is {self.name!r}; expected 'sim' or 'alpaca'")
        if self.rules is not None and not (
            self.name == "alpaca" and isinstance(self.rules, AlpacaOptions)
        ):
            raise ConfigError(
                f"rules is {self.rules!r} on the venue {self.name!r}",
                remedy='Give AlpacaOptions(...) with venue="alpaca", or leave it out',
            )
        share = self.participation
        if share is not None and not 0 < share <= 1:
            raise ConfigError(f"participation is {share!r}; expected a share, above 0 to 1")
        self._check_borrow(account_rules(self.account))
        self.capabilities  # noqa: B018 - refuses an emulate that is none
        fee_model(self.charges)
        slippage_model(self.slippage)
        latency_model(self.latency)
        queue_model(self.queue)
        if self.arrival not in (None, "standing", "next"):
            raise ConfigError(f"arrival is {self.arrival!r}; expected 'standing' or 'next'")
        chosen = self.fills_from
        for source in chosen.values() if isinstance(chosen, dict) else [chosen]:
            if source not in (None, *SOURCES):
                raise ConfigError(
                    f"fills_from is {source!r}", remedy=f"It is one of {', '.join(SOURCES)}"
                )

    def _check_borrow(self, rules: AccountRules) -> None:
        """One of two says what shorts cost: a model, or the rates of the account."""
        if self.borrow is None:
            return
        if not callable(self.borrow):
            raise ConfigError(
                f"borrow is {self.borrow!r}; expected a function",
                remedy="A rate is borrow_rate of account=account_rules(...).replace(...)",
            )
        if rules.has_borrow:
            raise ConfigError("both borrow= and the account's borrow_rate say what shorts cost")

    @property
    def charges(self) -> Any:
        """The fees that apply: those given, else the venue's own."""
        return "alpaca" if self.fees is None and self.name == "alpaca" else self.fees

    @property
    def capabilities(self) -> dict[str, Capabilities]:
        """What the venue can do itself, by kind of instrument; key "" for all others."""
        if isinstance(self.emulate, Capabilities):
            return {"": self.emulate}
        return dict(capabilities_of(self.name, self.emulate))

    def describe(self) -> dict[str, Any]:
        """Return the settings as plain values, for provenance and hashing."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        plain["fees"] = repr(fee_model(self.charges))
        plain["slippage"] = repr(slippage_model(self.slippage))
        plain["latency"] = _latency(self.latency)
        plain["queue"] = repr(queue_model(self.queue))
        plain["luld"] = _luld(self.luld)
        if self.borrow is None:
            del plain["borrow"]  # runs without a model keep the hash they had before there were any
        else:
            plain["borrow"] = getattr(self.borrow, "__qualname__", type(self.borrow).__qualname__)
        for name in ("halts", "auctions"):
            plain[name] = _table(getattr(self, name), name)
        plain["emulate"] = (
            self.emulate if isinstance(self.emulate, str) else self.emulate.describe()
        )
        plain["rules"] = repr(self.rules or AlpacaOptions()) if self.name == "alpaca" else ""
        rules = account_rules(self.account)
        plain["account"] = rules.kind if rules == account_rules(rules.kind) else rules.to_dict()
        return plain


def _latency(value: Any) -> Any:
    """One number where every message to the venue takes as long, else the model's description."""
    model = latency_model(value)
    if isinstance(model, ConstantLatency):
        delays = model.delays_ns
        if delays == (delays[0], delays[0], delays[0], 0):
            return delays[0]
    return repr(model)


def _luld(value: Any) -> Any:
    if isinstance(value, dict) and "ts_event" not in value:
        return {symbol: repr(rule) for symbol, rule in value.items()}
    if value is None or isinstance(value, (str, LuldRule)):
        return repr(value)
    return _table(value, "price bands")


def _table(value: Any, what: str) -> Any:
    """The columns of a small table as text, in whatever form it was given."""
    if value is None:
        return None
    columns = value
    if not isinstance(value, Mapping) and (
        hasattr(value, "to_pylist") or not hasattr(value, "to_dict")
    ):
        rows = rows_of(value, what)
        columns = {name: [row.get(name) for row in rows] for name in dict.fromkeys(chain(*rows))}
    return {str(name): [str(cell) for cell in columns[name]] for name in columns}
