"""How a broker judges an account: margin rates, settlement, interest, and what a call leads to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from pyrt.errors import ConfigError

Number = int | float | str | Decimal

KINDS = ("cash", "margin", "alpaca")
MULTIPLIERS = (1, 2, 4)
ON_CALL = ("none", "block", "liquidate")
SHARES = (
    "initial",
    "maintenance_long",
    "maintenance_short",
    "collar_below",
    "collar_above",
)
AMOUNTS = (
    "long_price_min",
    "short_price_min",
    "short_floor_below",
    "short_floor",
    "margin_equity_min",
    "collar_threshold",
    "short_markup",
    "debit_rate",
    "credit_rate",
    "borrow_rate",
)


@dataclass(frozen=True, kw_only=True)
class Margin:
    """Margin of one instrument that differs from the account's.

    Attributes
    ----------
    initial, maintenance : number, optional
        Shares of the value, both ways; 1 means it has to be paid in full.
    borrow_rate : number, optional
        Yearly share of a short's value, such as 0.15 for a hard-to-borrow name.
    """

    initial: Number | None = None
    maintenance: Number | None = None
    borrow_rate: Number | None = None

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if value is not None:
                checked = _number(one.name, value)
                if one.name != "borrow_rate":
                    _share(one.name, checked)
                object.__setattr__(self, one.name, checked)


@dataclass(frozen=True, kw_only=True)
class AccountRules:
    """What a broker asks of an account.

    Attributes
    ----------
    kind : {"cash", "margin", "alpaca"}
        ``cash``: buys need cash, shorts their value in cash beside the proceeds. ``margin``: the
        initial requirement of all holdings may not pass the equity. ``alpaca``: the buying power
        that Alpaca reports, by its multiplier.
    multiplier : {1, 2, 4}
        Buying power per unit of free equity during the day.
    initial : number
        Share of a holding's value that has to be own money overnight; Regulation T's half.
    maintenance_long, maintenance_short : number
        Share below which equity may not fall.
    long_price_min : number
        Longs below this price are not lent on at all.
    short_price_min, short_floor_below, short_floor : number
        Shorts below that price need their full value and at least `short_floor_below` a share,
        those from it on at least `short_floor` a share.
    margin_equity_min : number
        Equity below which an account is a cash account and may not sell short.
    shorting : bool
        Whether anything may be sold short at all.
    settlement_days : int
        Sessions until what was sold has been paid; 0 settles at once. A cash account spends
        settled cash only.
    debit_rate, credit_rate, borrow_rate : number
        Yearly shares: on borrowed cash, on settled cash, on the value of shorts. A day costs
        1/360 of it, charged for each calendar day at the end of a session.
    on_call : {"none", "block", "liquidate"}
        When equity is below maintenance: say so, deny what raises exposure, or leave positions
        too, the largest requirement first, until equity is enough.
    collar_threshold, collar_below, collar_above, short_markup : number
        What waiting orders reserve: market and stop buys this share above the price, shorts at
        least the price times `short_markup`.
    instruments : mapping
        Symbol → `Margin` (or a mapping of its fields) for what differs there.

    Raises
    ------
    ConfigError
        Naming the value that makes no sense.

    Examples
    --------
    >>> account_rules("margin").multiplier, account_rules("alpaca").maintenance_long
    (2, Decimal('0.3'))
    >>> account_rules("margin:4").replace(on_call="liquidate").on_call
    'liquidate'
    """

    kind: str = "cash"
    multiplier: int = 1
    initial: Number = Decimal("0.5")
    maintenance_long: Number = Decimal("0.25")
    maintenance_short: Number = Decimal("0.3")
    long_price_min: Number = Decimal(0)
    short_price_min: Number = Decimal(5)
    short_floor_below: Number = Decimal("2.5")
    short_floor: Number = Decimal(5)
    margin_equity_min: Number = Decimal(2000)
    settlement_days: int = 0
    debit_rate: Number = Decimal(0)
    credit_rate: Number = Decimal(0)
    borrow_rate: Number = Decimal(0)
    on_call: str = "block"
    shorting: bool = True
    collar_threshold: Number = Decimal(0)
    collar_below: Number = Decimal(0)
    collar_above: Number = Decimal(0)
    short_markup: Number = Decimal(1)
    instruments: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, choices in (("kind", KINDS), ("on_call", ON_CALL), ("multiplier", MULTIPLIERS)):
            value = getattr(self, name)
            if value not in choices or isinstance(value, bool):
                raise ConfigError(
                    f"{name} is {value!r}; expected one of {', '.join(map(str, choices))}",
                    name=name,
                )
        for name in (*SHARES, *AMOUNTS):
            value = _number(name, getattr(self, name))
            if name in SHARES:
                _share(name, value)
            object.__setattr__(self, name, value)
        if not isinstance(self.shorting, bool):
            raise ConfigError(f"shorting is {self.shorting!r}; expected true or false")
        days = self.settlement_days
        if isinstance(days, bool) or not isinstance(days, int) or not 0 <= days <= 3:
            raise ConfigError(f"settlement_days is {days!r}; expected 0 to 3")
        own = {symbol: _margin(symbol, value) for symbol, value in self.instruments.items()}
        object.__setattr__(self, "instruments", MappingProxyType(dict(sorted(own.items()))))

    @property
    def kind_number(self) -> int:
        """Place of the kind among all kinds."""
        return KINDS.index(self.kind)

    @property
    def is_plain(self) -> bool:
        """Whether nothing happens to the account at the end of a day."""
        return self.kind == "cash" and not (
            self.settlement_days or self.debit_rate or self.credit_rate or self.has_borrow
        )

    def within(self, multiplier: int, *, shorting: bool) -> AccountRules:
        """Return these rules where a broker grants no more than a multiplier, and shorts or not.

        Examples
        --------
        >>> account_rules("alpaca").within(2, shorting=False).multiplier
        2
        >>> account_rules("cash").within(4, shorting=True).multiplier
        1
        """
        granted = max(each for each in MULTIPLIERS if each <= max(multiplier, 1))
        return self.replace(
            multiplier=min(self.multiplier, granted), shorting=self.shorting and shorting
        )

    @property
    def has_borrow(self) -> bool:
        """Whether some short costs a borrow fee."""
        return bool(self.borrow_rate) or any(m.borrow_rate for m in self.instruments.values())

    def replace(self, **changes: Any) -> AccountRules:
        """Return a copy with some values changed, checked like a new one."""
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return all values as plain ones; numbers as text."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        plain["instruments"] = {
            symbol: {f.name: _plain(getattr(one, f.name)) for f in fields(one)}
            for symbol, one in self.instruments.items()
        }
        return {name: _plain(value) for name, value in plain.items()}

    def __reduce__(self) -> tuple[Any, ...]:
        return AccountRules.from_dict, (self.to_dict(),)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> AccountRules:
        """Return rules from what `to_dict` returned; ConfigError for an unknown name."""
        known = [f.name for f in fields(cls)]
        for name in values:
            if name not in known:
                raise ConfigError(
                    f"account rules have no {name!r}", remedy=f"They have: {', '.join(known)}"
                )
        return cls(**values)


def account_rules(value: Any) -> AccountRules:
    """Return rules by name, as a mapping of changes to a named kind, or as they are.

    Parameters
    ----------
    value : AccountRules, str, mapping or None
        A name is ``"cash"``, ``"margin"`` or ``"alpaca"``, with another multiplier after a colon
        where wanted: ``"margin:4"`` is a day trader's account. None is a cash account.
    """
    if value is None:
        return CASH
    if isinstance(value, AccountRules):
        return value
    if isinstance(value, Mapping):
        kind = value.get("kind", "cash")
        if kind not in NAMED:
            raise _unknown(kind)
        try:
            return replace(NAMED[kind], **value)
        except TypeError:
            return AccountRules.from_dict({**value})
    name, _, multiplier = value.partition(":") if isinstance(value, str) else ("", "", "")
    if name not in NAMED or (multiplier and multiplier not in ("1", "2", "4")):
        raise _unknown(value)
    rules = NAMED[name]
    return rules.replace(multiplier=int(multiplier)) if multiplier else rules


def _unknown(value: Any) -> ConfigError:
    return ConfigError(
        f"account is {value!r}; expected 'cash', 'margin' or 'alpaca'",
        remedy="Another multiplier goes after a colon: 'margin:4'",
    )


def _number(name: str, value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        raise ConfigError(f"{name} is {value!r}; expected a number", name=name)
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        raise ConfigError(f"{name} is {value!r}; expected a number", name=name) from None
    if not number.is_finite() or not 0 <= number < 1_000_000:
        raise ConfigError(f"{name} is {value!r}; expected 0 to 1,000,000", name=name)
    if number != round(number, 9):
        raise ConfigError(f"{name} is {value!r}; at most 9 decimal places", name=name)
    return number


def _share(name: str, value: Decimal) -> None:
    if value > 10:
        raise ConfigError(f"{name} is {value}; expected a share of the value, 0 to 10", name=name)


def _margin(symbol: str, value: Any) -> Margin:
    if isinstance(value, Margin):
        return value
    if isinstance(value, Mapping):
        try:
            return Margin(**value)
        except TypeError:
            pass
    raise ConfigError(f"instruments[{symbol!r}] is {value!r}; expected a Margin")


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value


CASH = AccountRules()
# FINRA rule 4210 with Regulation T's initial half.
MARGIN = AccountRules(kind="margin", multiplier=2, settlement_days=1)
# https://docs.alpaca.markets/docs/margin-and-short-selling: maintenance by price and side; the
# collars are those of orders waiting for the market.
ALPACA = AccountRules(
    kind="alpaca",
    multiplier=4,
    maintenance_long="0.3",
    long_price_min="2.5",
    settlement_days=1,
    collar_threshold=50,
    collar_below="0.04",
    collar_above="0.025",
    short_markup="1.03",
)
NAMED = {"cash": CASH, "margin": MARGIN, "alpaca": ALPACA}
