"""Numbers of a position that conditions read: how much is held, at what price, with what result."""
cimport cython

from pyrt.core.events cimport Event
from pyrt.core.panel cimport Panel
from pyrt.core.positions cimport Position
from pyrt.indicators.signals_compare cimport Source

from pyrt.errors import ConfigError

NUMBERS = (
    "quantity", "working_quantity", "average_price", "market_value", "realized_pnl",
    "unrealized_pnl", "unrealized_pnl_percent",
)

# Those that no row of data changes.
STEADY = ("quantity", "working_quantity", "average_price", "realized_pnl")


@cython.final
cdef class Holding(Source):
    """One number of the strategy's position in a symbol.

    Parameters
    ----------
    symbol : str
    number : str
        One of `NUMBERS`, with the meaning it has on `Position`.

    Raises
    ------
    ConfigError
        If positions have no such number.
    """

    cdef readonly str symbol
    cdef readonly str number
    cdef Position position
    cdef bint is_quantity

    def __init__(self, str symbol, str number):
        if number not in NUMBERS:
            raise ConfigError(
                f"positions have no {number!r}", remedy=f"Use one of {', '.join(NUMBERS)}"
            )
        self.symbol = symbol
        self.number = number
        self.is_quantity = number == "quantity"

    def settle(self, place):
        """Look the position up; see `Source.settle`."""
        self.position = place.position(self.symbol)

    cdef double fetch(self, const Event* event) except? -1.0:
        if self.position is None:
            raise TypeError(f"{self!r} is bound to no strategy")
        if self.is_quantity and self.position.units == 0:
            return 0.0
        return getattr(self.position, self.number)

    cdef bint lay(self, Panel panel) except -1:
        self.step = 0
        self.laid = &self.constant
        return self.number in STEADY

    cdef int renew(self) except -1:
        self.constant = self.fetch(NULL)
        return 0

    def __repr__(self):
        return f"holding({self.symbol!r}, {self.number!r})"


def holding(str symbol, str number="quantity"):
    """Return a number of the strategy's position, to compare.

    Parameters
    ----------
    symbol : str
    number : str
        "quantity" (signed), "average_price", "unrealized_pnl_percent" or another of a position.

    Examples
    --------
    >>> holding("SPY") < 300
    (holding('SPY', 'quantity') < 300)
    """
    return Holding(symbol, number)
