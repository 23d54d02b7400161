"""Queue models: how much of a price level trades before an order that rests there.

An order joins behind all that is shown at its price. Prints at that price take from the front.
Where the level shrinks without a print, somebody has canceled, and a model says who it was:
somebody behind the order (risk-averse), somebody at a place drawn towards the back
(probabilistic), or, where single orders are shown, the very order that left (exact).

Sizes are in the instrument's quantity (shares, coins), as floats; `ahead` below zero is what a
print has left over for the order.
"""
cimport cython
from libc.math cimport log1p, pow

from pyrt.errors import ConfigError

SHAPES = {"power": 0, "power2": 1, "power3": 2, "log": 0, "log2": 1}


cdef class QueueModel:
    """The place of a resting order; subclass it for one of your own.

    A subclass overrides some of `on_join`, `on_trade` and `on_change`; what it leaves out is
    risk-averse.

    Examples
    --------
    >>> class Halfway(QueueModel):
    ...     def on_change(self, ahead, before, after, traded):
    ...         canceled = max(0.0, before - after - traded)
    ...         return min(ahead - canceled / 2, after)
    """

    def on_join(self, shown):
        """Return what is ahead of an order that joins a level showing `shown`."""
        return shown

    def on_trade(self, ahead, size):
        """Return what is ahead after a print of `size` at the order's price."""
        return ahead - size

    def on_change(self, ahead, before, after, traded):
        """Return what is ahead when the level shows `after` in place of `before`.

        `traded` is what was printed at the price since the last change, and is in `ahead`
        already.
        """
        return ahead if ahead < after else after

    cdef double join(self, double shown) except? -1.0:
        return self.on_join(shown)

    cdef double trade(self, double ahead, double size) except? -1.0:
        return self.on_trade(ahead, size)

    cdef double change(self, double ahead, double before, double after,
                       double traded) except? -1.0:
        return self.on_change(ahead, before, after, traded)

    def __repr__(self):
        return f"{type(self).__name__}()"


cdef class RiskAverse(QueueModel):
    """Who cancels was behind: the order advances by prints only, and when less is shown than
    stood ahead."""

    cdef double join(self, double shown) except? -1.0:
        return shown

    cdef double trade(self, double ahead, double size) except? -1.0:
        return ahead - size

    cdef double change(self, double ahead, double before, double after,
                       double traded) except? -1.0:
        return ahead if ahead < after else after


@cython.final
cdef class Probabilistic(QueueModel):
    """Who cancels was behind with a probability that grows with what is behind.

    With `front` ahead of the order and `back` behind it, what leaves without a print comes from
    behind with the share p, and from ahead with 1 - p.

    Parameters
    ----------
    shape : {"power", "power2", "power3", "log", "log2"}
        p is f(back) / (f(back) + f(front)); f(back) / f(back + front); 1 - f(front / (front +
        back)); with f(x) = x**n, or for log and log2 f(x) = ln(1 + x) in the first two forms.
    n : float
        The exponent, above 0; not used by log and log2.
    """

    def __init__(self, str shape="power", double n=1.0):
        if shape not in SHAPES or not 0.0 < n < 100.0:
            raise ConfigError(
                f"no probabilistic queue model {shape!r} with n={n:g}",
                remedy=f"Shapes are {', '.join(SHAPES)}; n is above 0",
            )
        self.shape = SHAPES[shape]
        self.power = 0.0 if shape.startswith("log") else n

    cdef double weight(self, double size) noexcept:
        return pow(size, self.power) if self.power > 0.0 else log1p(size)

    cdef double behind(self, double front, double back) noexcept:
        """The share of what leaves that comes from behind the order."""
        cdef double of_back, all
        if self.shape == 2:
            return 1.0 - self.weight(front / (front + back))
        of_back = self.weight(back)
        all = of_back + self.weight(front) if self.shape == 0 else self.weight(front + back)
        return of_back / all if all > 0.0 else 1.0

    cdef double join(self, double shown) except? -1.0:
        return shown

    cdef double trade(self, double ahead, double size) except? -1.0:
        return ahead - size

    cdef double change(self, double ahead, double before, double after,
                       double traded) except? -1.0:
        cdef double left = before - after - traded, back, share, found
        if left < 0.0:
            # More came than went: it stands behind.
            return ahead if ahead < after else after
        back = before - ahead
        if ahead + back <= 0.0:
            return ahead if ahead < after else after
        share = self.behind(ahead if ahead > 0.0 else 0.0, back if back > 0.0 else 0.0)
        found = ahead - (1.0 - share) * left
        if back - share * left < 0.0:
            # More than stood behind cannot have left there.
            found += back - share * left
        return found if found < after else after

    def __repr__(self):
        return f"Probabilistic(shape={self.shape}, power={self.power:g})"


@cython.final
cdef class Exact(RiskAverse):
    """Follow the very orders that stand ahead, which takes a book that shows orders.

    On books of orders the place is always followed so; on levels this one is risk-averse.
    """


def queue_model(value):
    """Return a QueueModel from None, text or itself.

    Text is ``"risk_averse"``, ``"exact"``, ``"power:3"``, ``"power2:2"``, ``"power3:2"``, ``"log"``
    or ``"log2"``; None is ``"exact"``, which is risk-averse where a book shows levels only.

    Raises
    ------
    ConfigError
        If the value means none.
    """
    if value is None:
        return Exact()
    if isinstance(value, QueueModel):
        return value
    if isinstance(value, str):
        name, _, number = value.partition(":")
        if value == "risk_averse":
            return RiskAverse()
        if value == "exact":
            return Exact()
        if name in SHAPES and (bool(number) != name.startswith("log")):
            return Probabilistic(name, float(number or 1))
    raise ConfigError(
        f"{value!r} is no queue model",
        remedy='Write "risk_averse", "exact", "power:3", "log", or give a QueueModel',
    )
