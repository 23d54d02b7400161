"""Risk limits: one frozen object, checked when it is made, with a version of its content."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from pyrt.errors import ConfigError
from pyrt.risk.limit_names import (
    CHOICES,
    COUNTS,
    DURATIONS,
    FLAGS,
    MONEY,
    PORTFOLIO,
    QUANTITIES,
    RATIOS,
    REQUIRED,
    SHARES_OF_ONE,
    WINDOWS,
)
from pyrt.risk.limit_values import (
    Duration,
    Number,
    check_count,
    check_units,
    duration_of,
    names_of,
    number_of,
    overrides_of,
    refusal,
    reset_ns,
    unknown,
)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What may leave for a venue, at most; None switches a control off (strict gates then deny).

    A value at its limit passes; past it, the order is denied and the reason begins with the
    limit's name. Worst case means: what is held, plus every working order in the bad direction,
    orders with an unknown outcome included. An order that can only reduce what is held passes
    all controls but the grid, HALTED, price controls and throttles.

    Attributes
    ----------
    max_order_quantity : number
        Units of one order.
    max_order_notional : number
        Value of one order in base currency: quantity × limit price, or × last price where there
        is none or that is worse. Without a price the order is denied.
    fat_finger_multiple : number
        Value of one order over the median of the strategy's last `fat_finger_orders` orders
        (judged from the tenth order on).
    max_position_quantity, max_position_notional : number
        Worst-case position of the account in one symbol: units, and value in base currency.
    max_open_positions : int
        Symbols with a holding or an order that could make one.
    max_concentration, max_sector_concentration : number
        Worst-case value in one symbol, or one sector, as a share of equity.
    max_gross_exposure, max_net_exposure : number
        Worst-case sum of position values, unsigned and signed, in base currency.
    max_leverage : number
        Worst-case gross exposure over equity.
    max_open_orders : int
        Orders working at once, held exits included.
    require_buying_power : bool
        The order, with all that waits on either side, has to be covered by free cash, or by the
        margin or buying power of the account.
    require_shortable : bool
        A short position needs an instrument that can be borrowed.
    require_open_session : bool
        Orders leave inside the instrument's sessions only, unless they say ``queue=True``.
    deny_self_match : bool
        Deny a limit or market order that would meet an own resting limit order.
    deny_limit_state : bool
        Nothing that raises exposure leaves while a symbol stands at one of its price bands.
    allowed_symbols : tuple of str, optional
        The only symbols that may be traded; an empty tuple allows none.
    price_collar_bps : number
        Distance of a limit price from the last price (of a stop-limit: from its stop). What
        reduces is judged on the side that gives money away only.
    max_slippage_bps : number
        Expected cost of a market order against the middle of quote or book.
    slippage_action : {"deny", "limit"}
        Beyond it: deny, or send as a limit order at that distance.
    market_protection_bps : number
        Market orders that raise exposure leave as limit orders this far beyond the far side of the
        quote, or beyond the last price without one.
    stale_data_after : duration
        Oldest last price at which an order may raise exposure.
    max_tick_jump_bps : number
        A price that jumps further is not believed until two more confirm it. The first one of a
        run has nothing to be compared with, and is.
    max_orders_per_second, max_orders_per_minute : int
        Submissions in any window of that length.
    max_messages_per_minute, cancel_reserve : int
        Submissions, changes and cancels together; the last `cancel_reserve` are for cancels, and
        cancels leave in any case.
    duplicate_window : duration
        Same strategy, symbol, side, type, quantity and prices within it: denied.
    max_duplicates : int
        Duplicates of one strategy in a day; past it the strategy is HALTED.
    max_repeated_executions, repeated_execution_window : int, duration
        Fills in one direction by one strategy in one symbol; past it the strategy is HALTED.
    max_daily_orders, max_daily_notional, max_daily_quantity : number
        Sums of approved orders since the day began; the quantity is per symbol.
    daily_reset : str
        When the day begins: a time of day such as ``"13:30"``, UTC, or ``"session"``: when the
        session of the first instrument that has sessions ends.
    max_daily_loss, max_daily_loss_fraction : number
        Fall of equity since the day began: amount in base currency, share of that equity.
    halt_daily_loss, halt_daily_loss_fraction : number
        The second tier: past it everything is HALTED and all that works is canceled, once a day;
        a person lets trading go on.
    halt_flattens : bool
        Leave all positions by market orders first.
    max_drawdown : number
        Fall of equity from its highest, as a share of it.
    warn_at : number
        Share of a limit from which on it is told that the limit is near, once a day each: of daily
        losses, drawdown, gross and net exposure, leverage and open orders.
    max_order_age : duration
        An order that works for longer is told of, once; it stays.
    max_adv_share : number
        Quantity of one order over the symbol's average daily volume: that of the last
        `adv_sessions` that have ended in a run's data, live the broker's, or what
        `RiskEngine.set_adv` states. A strict gate denies where none is known.
    adv_sessions : int
        Sessions whose volume is averaged.
    max_consecutive_losses : int
        Losing round trips in a row.
    max_loss_rate, loss_rate_trades : number, int
        Share of losers among the last round trips.
    max_reject_rate, reject_rate_orders : number, int
        Share of rejections by the venue among the last answers.
    max_latency : duration
        Time until the venue answers a submission.
    on_trip : {"reducing", "halted"}
        What the circuit breaker allows while it is open.
    cooldown : duration, optional
        Open → half-open after it; without one a person has to reset the breaker (a daily loss
        also ends with the day).
    max_position_loss, max_position_loss_fraction, max_position_drawdown : number
        Protective stops: unrealized loss of a position as an amount, in the instrument's
        currency, or as a share of its cost, and fall of the price from its best since the
        position was seen.
    max_position_loss_atr : number
        Unrealized loss of a position as a multiple of the symbol's average true range, for each
        unit held: that of the last `atr_sessions` that have ended in a run's data, live the
        broker's, or what `RiskEngine.set_atr` states. A strict gate denies entries where none is
        known.
    atr_sessions : int
        Sessions whose true range is averaged.
    max_value_at_risk, max_expected_shortfall : number
        Historical loss of today's holdings over one `risk_every` at `risk_level`, in base currency.
    max_volatility : number
        Standard deviation of the holdings' result over one `risk_every`, as a share of equity.
    trip_volatility : number
        The same; past it the circuit breaker opens.
    max_correlation : number
        Mean correlation of the holdings, weighted by their values; hedges count as negative.
    max_beta_exposure : number
        Value of `market_symbol` that moves like the holdings, with the order in it, unsigned.
    max_risk_age : duration
        Oldest portfolio risk at which an order may raise exposure.
    risk_every, risk_window, risk_level, market_symbol : duration, int, number, str
        How often portfolio risk is computed, from how many returns, at which level, and the symbol
        betas are measured against.
    ramp_start, ramp_days : number, int
        Share of all size and exposure limits on the first day, and the days until it is 1.
    symbols : mapping
        Symbol → {limit: value} for what differs there.

    Raises
    ------
    ConfigError
        If a value is NaN, infinite, negative or of another type, or a name is unknown.

    Examples
    --------
    >>> Limits(max_order_notional=50_000, symbols={"SPY": {"max_order_notional": 100_000}}).version
    'a3351c5d4967dd8a'
    """

    max_order_quantity: Number | None = None
    max_order_notional: Number | None = None
    fat_finger_multiple: Number | None = None
    fat_finger_orders: int = 50
    max_position_quantity: Number | None = None
    max_position_notional: Number | None = None
    max_open_positions: int | None = None
    max_concentration: Number | None = None
    max_sector_concentration: Number | None = None
    max_gross_exposure: Number | None = None
    max_net_exposure: Number | None = None
    max_leverage: Number | None = None
    max_open_orders: int | None = None
    require_buying_power: bool = False
    require_shortable: bool = False
    require_open_session: bool = False
    deny_limit_state: bool = True
    deny_self_match: bool = False
    allowed_symbols: tuple[str, ...] | None = None
    price_collar_bps: Number | None = None
    max_slippage_bps: Number | None = None
    slippage_action: str = "deny"
    market_protection_bps: Number | None = None
    stale_data_after: Duration | None = None
    max_tick_jump_bps: Number | None = None
    max_orders_per_second: int | None = None
    max_orders_per_minute: int | None = None
    max_messages_per_minute: int | None = None
    cancel_reserve: int = 0
    duplicate_window: Duration | None = None
    max_duplicates: int | None = None
    max_repeated_executions: int | None = None
    repeated_execution_window: Duration = "60s"
    max_daily_orders: int | None = None
    max_daily_notional: Number | None = None
    max_daily_quantity: Number | None = None
    max_daily_loss: Number | None = None
    max_daily_loss_fraction: Number | None = None
    halt_daily_loss: Number | None = None
    halt_daily_loss_fraction: Number | None = None
    halt_flattens: bool = False
    warn_at: Number | None = None
    max_order_age: Duration | None = None
    max_adv_share: Number | None = None
    adv_sessions: int = 20
    max_drawdown: Number | None = None
    max_consecutive_losses: int | None = None
    max_loss_rate: Number | None = None
    loss_rate_trades: int = 20
    max_reject_rate: Number | None = None
    reject_rate_orders: int = 20
    max_latency: Duration | None = None
    on_trip: str = "reducing"
    cooldown: Duration | None = None
    daily_reset: str = "00:00"
    max_position_loss: Number | None = None
    max_position_loss_fraction: Number | None = None
    max_position_drawdown: Number | None = None
    max_position_loss_atr: Number | None = None
    atr_sessions: int = 14
    max_value_at_risk: Number | None = None
    max_expected_shortfall: Number | None = None
    max_volatility: Number | None = None
    trip_volatility: Number | None = None
    max_correlation: Number | None = None
    max_beta_exposure: Number | None = None
    max_risk_age: Duration | None = None
    risk_every: Duration = "1d"
    risk_window: int = 60
    risk_level: Number = "0.95"
    market_symbol: str | None = None
    ramp_start: Number | None = None
    ramp_days: int = 0
    symbols: Mapping[str, Mapping[str, Number]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in (*QUANTITIES, *MONEY, *RATIOS):
            self._set(name, number_of(name, getattr(self, name)))
        for name in (*COUNTS, *DURATIONS):
            usual = getattr(Limits, name)
            if usual is not None and getattr(self, name) is None:
                raise refusal(name, None, f"a value, such as {usual!r}")
        for name in COUNTS:
            check_count(name, getattr(self, name))
        for name in DURATIONS:
            self._set(name, duration_of(name, getattr(self, name)))
        for name in FLAGS:
            if not isinstance(getattr(self, name), bool):
                raise refusal(name, getattr(self, name), "True or False")
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise refusal(name, getattr(self, name), " or ".join(map(repr, choices)))
        for name in SHARES_OF_ONE:
            value = getattr(self, name)
            if value is not None and value > 1:
                raise refusal(name, value, "a share from 0 to 1")
        self._check_sizes()
        self._set("allowed_symbols", names_of(self.allowed_symbols))
        self._set("symbols", overrides_of(self.symbols))
        reset_ns(self.daily_reset)

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _check_sizes(self) -> None:
        """Refuse windows without room and a reserve that leaves nothing for orders."""
        for first in ("max_daily_loss", "max_daily_loss_fraction"):
            second = first.replace("max_", "halt_")
            if None not in (getattr(self, first), getattr(self, second)) and (
                getattr(self, second) < getattr(self, first)
            ):
                raise refusal(second, getattr(self, second), f"no less than {first}")
        for name in WINDOWS:
            if getattr(self, name) < 1:
                raise refusal(name, getattr(self, name), "1 or more")
        level: Any = self.risk_level
        if level is None or not 0 < level < 1:
            raise refusal("risk_level", level, "a share between 0 and 1, such as 0.95")
        if self.risk_window < 2:
            raise refusal("risk_window", self.risk_window, "2 or more")
        for name in ("risk_every", "repeated_execution_window"):
            if not getattr(self, name):
                raise refusal(name, getattr(self, name), "a duration above 0")
        symbol: Any = self.market_symbol
        if self.max_beta_exposure is not None and not symbol:
            raise refusal("market_symbol", symbol, "the symbol betas are against")
        if symbol is not None and not (isinstance(symbol, str) and symbol):
            raise refusal("market_symbol", symbol, 'a symbol such as "SPY"')
        if self.cancel_reserve and self.cancel_reserve > (self.max_messages_per_minute or 0):
            raise refusal(
                "cancel_reserve", self.cancel_reserve, "no more than max_messages_per_minute"
            )

    # -- making --------------------------------------------------------------------------------

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Limits:
        """Return limits from a mapping; ConfigError, with the nearest name, for unknown ones."""
        if not isinstance(values, Mapping):
            raise refusal("limits", values, "a table of limits")
        known = [f.name for f in fields(cls)]
        for name in values:
            if name not in known:
                raise unknown(str(name), known)
        return cls(**values)

    @classmethod
    def from_toml(cls, path: str | Path) -> Limits:
        """Return limits from a TOML file: its ``[limits]`` table, or the whole file."""
        try:
            content = tomllib.loads(Path(path).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"limits cannot be read from {str(path)!r}: {error}") from error
        values = content.get("limits", content)
        limits = cls.from_dict(values)
        check_units(values)
        return limits

    def replace(self, **changes: Any) -> Limits:
        """Return a copy with some values changed, checked like a new one."""
        return replace(self, **changes)

    # -- reading -------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Return what differs from the defaults, in plain values; numbers as given."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        plain["symbols"] = {symbol: dict(own) for symbol, own in self.symbols.items()}
        default = {f.name: f.default for f in fields(self)} | {"symbols": {}}
        default["repeated_execution_window"] = 60_000_000_000
        default["risk_every"] = 86_400_000_000_000
        default["risk_level"] = Decimal("0.95")
        return {name: value for name, value in plain.items() if value != default[name]}

    @cached_property
    def version(self) -> str:
        """Sixteen hexadecimal digits that change with any value; equal values give equal ones."""
        text = json.dumps(self.to_dict(), sort_keys=True, default=_plain)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    @property
    def is_empty(self) -> bool:
        """Whether no control is switched on."""
        return not self.to_dict()

    def missing(self) -> tuple[str, ...]:
        """Return the controls that a strict gate asks for and that are not set."""
        return tuple(
            names[0] for names in REQUIRED if all(getattr(self, name) is None for name in names)
        )

    def of(self, symbol: str, name: str) -> Any:
        """Return one limit as it applies to a symbol."""
        return self.symbols.get(symbol, {}).get(name, getattr(self, name))

    def __reduce__(self) -> tuple[Any, ...]:
        return Limits.from_dict, (self.to_dict(),)

    def __hash__(self) -> int:
        return int(self.version, 16)

    @property
    def daily_reset_ns(self) -> int:
        """When the day begins, in ns after midnight UTC; 0 where sessions tell."""
        return reset_ns(self.daily_reset)

    @property
    def reads_portfolio(self) -> bool:
        """Whether some limit reads portfolio risk."""
        return any(getattr(self, name) is not None for name in PORTFOLIO)


def _plain(value: Any) -> Any:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
