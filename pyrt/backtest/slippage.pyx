"""Slippage: how much worse than the reference price an order that takes liquidity fills."""
from pyrt.core.int128 cimport CEILING, i128_muldiv, i128_to_i64
from pyrt.core.numbers cimport nano_from_object, nano_to_double
from pyrt.errors import ConfigError


cdef class Slippage:
    """Worsens the price of market and stop orders; limit orders never fill beyond their limit.

    Parameters
    ----------
    ticks : int
        Ticks of the instrument.
    bps : number
        Share of the price in basis points.
    range : number
        Share of the bar's range (high minus low), 0 to 1.
    model : callable, optional
        A user's own: ``model(side, price, quantity, bar_range) -> price``, floats.
    """

    def __init__(self, *, int ticks=0, bps=0, range=0, model=None):
        self.ticks = ticks
        self.rate = nano_from_object(bps) // 10_000
        self.range_share = nano_from_object(range)
        self.model = model
        if ticks < 0 or self.rate < 0 or not 0 <= self.range_share <= 1_000_000_000:
            raise ConfigError(
                f"slippage ticks={ticks}, bps={bps!r}, range={range!r}: expected values >= 0, "
                "range at most 1"
            )

    cdef int64_t apply(self, Instrument instrument, int side, int64_t price, int64_t quantity,
                       int64_t spread) except? -1:
        """Return the price, on the tick, rounded against the order; at least one 1e-9."""
        cdef int64_t worse = price
        if self.ticks:
            if instrument.tick == 0:
                raise ConfigError(f"slippage in ticks, but {instrument.id} has no tick size")
            worse += side * self.ticks * instrument.tick
        if self.rate:
            worse += side * i128_to_i64(i128_muldiv(price, self.rate, 1_000_000_000, CEILING))
        if self.range_share:
            worse += side * i128_to_i64(
                i128_muldiv(spread, self.range_share, 1_000_000_000, CEILING)
            )
        if self.model is not None:
            worse = nano_from_object(float(self.model(
                "buy" if side > 0 else "sell", nano_to_double(worse),
                instrument.quantity_float(quantity), nano_to_double(spread),
            )))
        if worse == price:
            return price
        worse = instrument.round_price_raw(worse, -side)
        return worse if worse > 0 else 1

    def __repr__(self):
        return (f"Slippage(ticks={self.ticks}, bps={self.rate / 1e5:g}, "
                f"range={self.range_share / 1e9:g})")


def slippage_model(value):
    """Return a Slippage from None, text ("ticks:1", "bps:2", "range:0.1"), a callable or itself.

    Raises
    ------
    ConfigError
        If the value means none.
    """
    if value is None:
        return Slippage()
    if isinstance(value, Slippage):
        return value
    if isinstance(value, str):
        name, _, number = value.partition(":")
        if name in ("ticks", "bps", "range") and number:
            return Slippage(**{name: int(number) if name == "ticks" else number})
    elif callable(value):
        return Slippage(model=value)
    raise ConfigError(
        f"{value!r} is no slippage model",
        remedy='Write "ticks:1", "bps:2", "range:0.1" or give a function',
    )
