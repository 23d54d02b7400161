"""What can be traded: price grid, quantity unit, currency and permissions of one symbol."""
cimport cython
from libc.math cimport fabs, rint

from pyrt.core.int128 cimport i128_to_int
from pyrt.core.numbers cimport (
    POWERS_OF_TEN, decimal_from_scaled, money_from_object, nano_from_object, nano_to_double,
    units_from_object,
)
from pyrt.errors import ConfigError


def margin_share(str name, value):
    """Return a share of a value as a Decimal; None for None."""
    if value is None:
        return None
    try:
        raw = nano_from_object(value)
    except (ArithmeticError, ValueError):
        raw = -1
    if not 0 <= raw <= 10_000_000_000:
        raise ConfigError(f"{name} is {value!r}; expected a share of the value, 0 to 10", name=name)
    return decimal_from_scaled(raw, 9).normalize() + 0


@cython.final
cdef class Instrument:
    """One tradable symbol and its grids.

    Parameters
    ----------
    symbol : str
        Such as ``"SPY"`` or ``"BTC/USD"``.
    kind : {"generic", "equity", "crypto"}
    currency : str
        Quote currency of prices and cash flows.
    tick_size : str, Decimal or float, optional
        Smallest price increment; none means any multiple of 1e-9.
    step_size : str, Decimal or float, optional
        Smallest quantity increment (lot or fraction); none means one unit, 10**-decimals.
    decimals : int
        The quantity unit is 10**-decimals, from 0 (SHIB) to 9 (equities, BTC).
    multiplier : int
        Units of currency per point and contract; 1 for shares and coins.
    min_notional : number
        Smallest order value in `currency`.
    calendar : str
        Name of the session calendar; ``"24/7"`` for none.
    margin_long, margin_short : number, optional
        Share of the value that the broker asks to be kept in a long and in a short, where this is
        more than its usual: 0.75, or 1 for what has to be paid in full.
    strict_tick : bool
        Whether an order off the tick is denied before it leaves; False leaves it to the venue.

    Raises
    ------
    ConfigError, PrecisionError
        Naming the value that does not fit.
    """

    def __init__(self, str symbol, *, str venue="", str kind="generic", str currency="USD",
                 str base_currency="", tick_size=None, step_size=None, int decimals=9,
                 int64_t multiplier=1, min_notional=0, str calendar="24/7", str sector="",
                 bint shortable=True, bint tradable=True, bint marginable=True,
                 margin_long=None, margin_short=None, bint strict_tick=True, valid_from=None,
                 valid_to=None):
        if not symbol:
            raise ConfigError("an instrument needs a symbol, got ''")
        if not 0 <= decimals <= 9:
            raise ConfigError(f"decimals is {decimals}; expected 0 to 9", decimals=decimals)
        if not 1 <= multiplier <= 1_000_000:
            raise ConfigError(f"multiplier is {multiplier}; expected 1 to 1,000,000")
        self.symbol = symbol
        self.venue = venue
        self.kind = kind
        self.currency = currency
        self.base_currency = base_currency
        self.calendar = calendar
        self.sector = sector
        self.index = -1
        self.decimals = decimals
        self.multiplier = multiplier
        self.factor = POWERS_OF_TEN[9 - decimals] * multiplier
        self.tick = 0 if tick_size is None else nano_from_object(tick_size)
        self.step = 1 if step_size is None else units_from_object(step_size, decimals)
        if self.tick < 0 or self.step < 1:
            raise ConfigError(
                f"tick_size {tick_size!r} and step_size {step_size!r} must be positive"
            )
        self.min_notional_raw = money_from_object(min_notional)
        self.shortable = shortable
        self.tradable = tradable
        self.marginable = marginable
        self.margin_long = margin_share("margin_long", margin_long)
        self.margin_short = margin_share("margin_short", margin_short)
        self.strict_tick = strict_tick
        self.valid_from = valid_from
        self.valid_to = valid_to

    cdef int bind(self, int32_t index) except -1:
        self.index = index
        return 0

    @property
    def id(self):
        """``SYMBOL`` or ``SYMBOL.VENUE``."""
        return f"{self.symbol}.{self.venue}" if self.venue else self.symbol

    @property
    def tick_size(self):
        """Smallest price increment as a float; 0.0 where there is none."""
        return nano_to_double(self.tick)

    @property
    def step_size(self):
        """Smallest quantity increment as a float."""
        return self.quantity_float(self.step)

    @property
    def fractionable(self):
        """True if less than one whole unit can be ordered."""
        return self.step < POWERS_OF_TEN[self.decimals]

    @property
    def min_notional(self):
        """Smallest order value, as a Decimal."""
        return decimal_from_scaled(i128_to_int(self.min_notional_raw), 18)

    @cython.cdivision(True)  # tick > 0 is checked first
    cdef int64_t round_price_raw(self, int64_t price, int side) except? -1:
        cdef int64_t rest
        if self.tick <= 1:
            return price
        rest = price % self.tick
        if rest == 0:
            return price
        return price - rest if side > 0 else price - rest + self.tick

    @cython.cdivision(True)  # step >= 1 by construction; C remainder rounds toward zero
    cdef int64_t round_quantity_raw(self, int64_t quantity) except? -1:
        return quantity - quantity % self.step

    cdef int64_t price_raw(self, object value) except? -1:
        return nano_from_object(value)

    cdef int64_t quantity_raw(self, object value) except? -1:
        return units_from_object(value, self.decimals)

    @cython.cdivision(True)  # a power of ten
    cdef double quantity_float(self, int64_t units) noexcept:
        return <double>units / <double>POWERS_OF_TEN[self.decimals]

    cdef int64_t volume_units(self, double volume) except? -1:
        """A market volume in quantity units, rounded down; capped at the 64-bit range."""
        cdef double units = volume * <double>POWERS_OF_TEN[self.decimals]
        cdef double nearest = rint(units)
        if not units > 0.0:
            return 0
        # 1.001 * 1e9 falls short of 1,001,000,000: what is whole but for rounding counts as whole.
        if fabs(units - nearest) <= 1e-6 + 4e-16 * units:
            units = nearest
        return 9_000_000_000_000_000_000 if units >= 9e18 else <int64_t>units

    def to_units(self, double size):
        """Return a size of the market in quantity units, rounded down."""
        return self.volume_units(size)

    def round_price(self, price, side):
        """Return `price` on the tick, rounded so that it is not worse for `side`.

        Parameters
        ----------
        price : number
        side : Side or {"buy", "sell"}
            Buys round down, sells round up.

        Returns
        -------
        float
        """
        cdef int direction = {"buy": 1, "sell": -1}[side] if isinstance(side, str) else int(side)
        return nano_to_double(self.round_price_raw(nano_from_object(price), direction))

    def round_quantity(self, quantity):
        """Return `quantity` rounded toward zero to the step, as a float.

        Floats are first taken to the nearest 1e-9, so 0.30000000000000004 is 0.3.
        """
        cdef int64_t raw = nano_from_object(quantity)
        cdef int64_t unit = POWERS_OF_TEN[9 - self.decimals]
        raw = raw // unit if raw >= 0 else -(-raw // unit)
        return self.quantity_float(self.round_quantity_raw(raw))

    def to_dict(self):
        """Return the constructor's arguments as plain values."""
        return {
            "symbol": self.symbol, "venue": self.venue, "kind": self.kind,
            "currency": self.currency, "base_currency": self.base_currency,
            "tick_size": str(decimal_from_scaled(self.tick, 9)) if self.tick else None,
            "step_size": str(decimal_from_scaled(self.step, self.decimals)),
            "decimals": self.decimals, "multiplier": self.multiplier,
            "min_notional": str(self.min_notional), "calendar": self.calendar,
            "sector": self.sector, "shortable": self.shortable, "tradable": self.tradable,
            "marginable": self.marginable, "strict_tick": self.strict_tick,
            "margin_long": None if self.margin_long is None else str(self.margin_long),
            "margin_short": None if self.margin_short is None else str(self.margin_short),
        }

    def __repr__(self):
        return f"Instrument({self.id!r}, kind={self.kind!r}, currency={self.currency!r})"


def equity(symbol, **changes):
    """Return a US-listed share: penny ticks, fractions to 9 decimals, NYSE sessions.

    Prices below one dollar move in 0.0001 on US venues; a penny tick is the stricter grid, so
    pass ``tick_size="0.0001"`` for such names. ``step_size=1`` makes whole shares only.
    """
    settings = {"kind": "equity", "tick_size": "0.01", "calendar": "XNYS"} | changes
    return Instrument(symbol, **settings)


def crypto(symbol, **changes):
    """Return a spot pair such as ``BTC/USD``: quantities to 9 decimals, open around the clock."""
    base, _, quote = symbol.partition("/")
    settings = {
        "kind": "crypto", "base_currency": base, "currency": quote or "USD",
        "shortable": False, "marginable": False,
    } | changes
    return Instrument(symbol, **settings)


def listed(symbol, **changes):
    """Return what a broker of US shares and coins trades under a symbol; a slash makes a pair.

    Prices off the tick are left to the venue, whose own rule may be finer (shares below a dollar)
    and answers with its own message.

    Examples
    --------
    >>> listed("SPY").calendar, listed("BTC/USD").calendar
    ('XNYS', '24/7')
    """
    make = crypto if "/" in symbol else equity
    return make(symbol, **({"strict_tick": False} | changes))
