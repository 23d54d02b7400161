"""Slippage: how much worse than the reference price an order that takes liquidity fills."""
from libc.math cimport ceil
from libc.math cimport sqrt as root_of

from pyrt.core.int128 cimport CEILING, i128_muldiv, i128_to_i64
from pyrt.core.numbers cimport nano_from_object, nano_to_double
from pyrt.errors import ConfigError


NAMES = ("ticks", "bps", "range", "sqrt", "linear", "volume_share")


cdef class Slippage:
    """Worsens the price of market and stop orders; limit orders never fill beyond their limit.

    Parameters
    ----------
    ticks : int
        Ticks of the instrument.
    tick : number
        The tick of instruments that state none, such as those of a bare table.
    bps : number
        Share of the price in basis points.
    range : number
        Share of the bar's range (high minus low), 0 to 1.
    sqrt, linear : number
        Market impact in basis points of an order as large as the volume: it grows with the root
        of the order's share of the volume, or in proportion to it.
    volume_share : number
        Market impact as a share of the price, times the square of the order's share of the volume.
    model : callable, optional
        A user's own: ``model(side, price, quantity, bar_range) -> price``, floats.
    """

    def __init__(self, *, int ticks=0, tick=0, bps=0, range=0, sqrt=0, linear=0, volume_share=0,
                 model=None):
        self.ticks = ticks
        self.tick = nano_from_object(tick)
        self.rate = nano_from_object(bps) // 10_000
        self.range_share = nano_from_object(range)
        self.root = float(sqrt) / 1e4
        self.linear = float(linear) / 1e4
        self.square = float(volume_share)
        self.model = model
        given = {"ticks": ticks, "tick": tick, "bps": bps, "range": range, "sqrt": sqrt,
                 "linear": linear, "volume_share": volume_share}
        for name, value in given.items():
            if not float(value) >= 0:
                raise ConfigError(f"slippage {name} is {value!r}; expected 0 or more")
        if self.rate >= 1_000_000_000:
            raise ConfigError(
                f"slippage bps is {bps!r}; expected less than 10,000, which is all of the price"
            )
        if self.range_share > 1_000_000_000:
            raise ConfigError(
                f"slippage range is {range!r}; expected a share of the bar's range, at most 1"
            )

    cdef int64_t apply(self, Instrument instrument, int side, int64_t price, int64_t quantity,
                       int64_t spread, double volume) except? -1:
        """Return the price, on the tick, rounded against the order; at least one 1e-9.

        `volume` is what the order's size is held against: the bar's volume, the size shown at
        the touch, the print's size; 0 where it is not known.
        """
        cdef int64_t worse = price
        cdef int64_t tick
        cdef double share
        if self.ticks:
            tick = instrument.tick if instrument.tick else self.tick
            if tick == 0:
                raise ConfigError(
                    f"slippage in ticks, but {instrument.id} has no tick size",
                    remedy=f'Write "ticks:{self.ticks}/0.01", or add an Instrument with tick_size',
                )
            worse += side * i128_to_i64(i128_muldiv(self.ticks, tick, 1, CEILING))
        if self.rate:
            worse += side * i128_to_i64(i128_muldiv(price, self.rate, 1_000_000_000, CEILING))
        if self.range_share:
            worse += side * i128_to_i64(
                i128_muldiv(spread, self.range_share, 1_000_000_000, CEILING)
            )
        if self.root or self.linear or self.square:
            # Of an unknown volume the order is taken to be all.
            share = instrument.quantity_float(quantity) / volume if volume > 0.0 else 1.0
            worse += side * <int64_t>ceil(
                <double>price
                * (self.root * root_of(share) + self.linear * share + self.square * share * share)
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
        impact = "".join(
            f", {name}={value:g}" for name, value in (
                ("sqrt", self.root * 1e4), ("linear", self.linear * 1e4),
                ("volume_share", self.square),
            ) if value
        )
        tick = f", tick={nano_to_double(self.tick):g}" if self.tick else ""
        return (f"Slippage(ticks={self.ticks}{tick}, bps={self.rate / 1e5:g}, "
                f"range={self.range_share / 1e9:g}{impact})")


def slippage_model(value):
    """Return a Slippage from None, text, a callable or itself.

    Text is ``"ticks:1"`` (``"ticks:1/0.01"`` gives a tick to instruments without one),
    ``"bps:2"``, ``"range:0.1"``, ``"sqrt:50"``, ``"linear:50"`` or ``"volume_share:0.1"``, or
    several of them joined by ``+``.

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
        parts = [part.strip().partition(":") for part in value.split("+")]
        if all(name in NAMES and number for name, _, number in parts):
            terms = {name: number for name, _, number in parts}
            if "ticks" in terms:
                terms.update(_ticks(terms["ticks"]))
            return Slippage(**terms)
    elif callable(value):
        return Slippage(model=value)
    raise ConfigError(
        f"{value!r} is no slippage model",
        remedy='Write "ticks:1", "ticks:1/0.01", "bps:2", "range:0.1", "sqrt:50", "linear:50", '
               '"volume_share:0.1" or give a function',
    )


def _ticks(text):
    """Return what ``1`` or ``1/0.01`` says of ticks."""
    count, _, tick = text.partition("/")
    if not count.strip().isdecimal():
        raise ConfigError(
            f"slippage of {count!r} ticks; expected a whole number",
            remedy='Write "ticks:2" or "ticks:2/0.01"',
        )
    return {"ticks": int(count), "tick": tick or 0}
