"""Fixed point: prices in 1e-9, quantities in instrument units, money in 1e-18 of a currency."""
cimport cython
from cpython.long cimport PyLong_CheckExact
from decimal import Decimal

from pyrt.core.int128 cimport (
    i128_add, i128_from_int, i128_neg, i128_sub, i128_to_double, i128_to_int, int128,
)
from pyrt.errors import ConfigError, PrecisionError

cdef extern from "Python.h":
    long long PyLong_AsLongLongAndOverflow(object value, int* overflow) except? -1

cdef int _i
POWERS_OF_TEN[0] = 1
for _i in range(1, 19):
    POWERS_OF_TEN[_i] = POWERS_OF_TEN[_i - 1] * 10


cdef bint whole_from_object(object value, int decimals, int64_t* raw) except -1:
    """Scale an everyday whole number; False where the general way is needed."""
    cdef int overflow = 0
    cdef long long number
    if not PyLong_CheckExact(value):
        return False
    number = PyLong_AsLongLongAndOverflow(value, &overflow)
    if overflow or not -9_000_000_000 < number < 9_000_000_000:
        return False
    raw[0] = <int64_t>number * POWERS_OF_TEN[decimals]
    return True


cdef object scaled_from_decimal(object value, int decimals, object original):
    """Return value × 10^decimals as an int; PrecisionError when that is not whole.

    Works on the digits themselves: Decimal's own arithmetic would round to its context.
    """
    if not value.is_finite():
        raise PrecisionError(f"{original!r} is not a finite number", value=original)
    sign, digits, exponent = value.as_tuple()
    whole = int("".join(map(str, digits)))
    exponent = exponent + decimals
    if exponent > 40:
        raise OverflowError(f"{original!r} is beyond any price, quantity or amount")
    power = <object>10 ** abs(exponent)
    if exponent >= 0:
        whole *= power
    elif whole % power:
        raise PrecisionError(
            f"{original!r} has more than {decimals} decimal places",
            remedy="Round it to the grid first, for example with instrument.round_price or "
                   "instrument.round_quantity",
            value=original,
            decimals=decimals,
        )
    else:
        whole //= power
    return -whole if sign else whole


cdef object scaled_from_object(object value, int decimals):
    if isinstance(value, bool):
        raise ConfigError(f"expected a number, got {value!r}", value=value)
    if isinstance(value, int):
        return value * <object>POWERS_OF_TEN[decimals]
    if isinstance(value, Decimal):
        return scaled_from_decimal(value, decimals, value)
    if isinstance(value, str):
        try:
            number = Decimal(value.replace("_", ""))
        except ArithmeticError:
            raise ConfigError(f"{value!r} is not a number", value=value) from None
        return scaled_from_decimal(number, decimals, value)
    raise ConfigError(
        f"expected a number (float, int, str or Decimal), got {type(value).__name__} {value!r}",
        value=value,
    )


cdef int64_t nano_from_object(object value) except? -1:
    """Read a price: floats to the nearest 1e-9, exact types exactly."""
    cdef int64_t raw = 0
    if isinstance(value, float):
        return nano_from_double(value)
    if whole_from_object(value, 9, &raw):
        return raw
    if hasattr(value, "dtype"):
        return nano_from_double(float(value))
    return scaled_from_object(value, 9)


cdef int64_t units_from_object(object value, int decimals) except? -1:
    """Read a quantity in units of 10^-decimals; a float is first taken to the nearest 1e-9."""
    cdef int64_t raw = 0, step
    if decimals <= 9 and whole_from_object(value, decimals, &raw):
        return raw
    if isinstance(value, float) or hasattr(value, "dtype"):
        raw = nano_from_double(float(value))
        step = POWERS_OF_TEN[9 - decimals]
        if raw % step:
            raise PrecisionError(
                f"{value!r} has more than {decimals} decimal places",
                remedy="Round it with instrument.round_quantity",
                value=value,
            )
        return raw // step
    return scaled_from_object(value, decimals)


cdef int128 money_from_object(object value) except? -1:
    """Read an amount of money; a float is first taken to the nearest 1e-9 where that is exact."""
    if isinstance(value, float) or hasattr(value, "dtype"):
        number = float(value)
        if abs(number) < 8_388_608.0:
            return i128_from_int(int(nano_from_double(number)) * 1_000_000_000)
        if not number - number == 0.0:
            raise ConfigError(f"{value!r} is not a finite amount", value=value)
        return i128_from_int(scaled_from_object(Decimal(repr(number)), 18))
    return i128_from_int(scaled_from_object(value, 18))


cdef object decimal_from_scaled(object raw, int exponent):
    """Return raw × 10^-exponent as a Decimal without trailing zeros."""
    if raw == 0:
        return Decimal(0)
    sign = 1 if raw < 0 else 0
    text = str(abs(raw)).rstrip("0") or "0"
    dropped = len(str(abs(raw))) - len(text)
    power = dropped - exponent
    if power > 0:
        return Decimal(raw // <object>POWERS_OF_TEN[exponent])
    return Decimal((sign, tuple(map(int, text)), power))


@cython.final
@cython.no_gc
cdef class Money:
    """An exact amount of one currency.

    Parameters
    ----------
    amount : str, int, Decimal or float
        A float below 8,388,608 is read as the nearest 1e-9.
    currency : str
        Such as ``"USD"``.

    Raises
    ------
    ConfigError
        If the amount is not a number.
    PrecisionError
        If it has more than 18 decimal places.
    OverflowError
        Beyond 1.7e20.

    Examples
    --------
    >>> Money("10.25", "USD") + Money(1, "USD")
    Money('11.25', 'USD')
    """

    def __init__(self, amount, str currency):
        self.raw = money_from_object(amount)
        self.currency = currency

    @staticmethod
    cdef Money new(int128 raw, str currency):
        cdef Money money = Money.__new__(Money)
        money.raw = raw
        money.currency = currency
        return money

    @property
    def amount(self):
        """The amount as an exact Decimal."""
        return decimal_from_scaled(i128_to_int(self.raw), 18)

    cdef Money same(self, object other):
        if not isinstance(other, Money):
            raise TypeError(f"expected Money, got {type(other).__name__} {other!r}")
        if (<Money>other).currency != self.currency:
            raise ConfigError(
                f"cannot mix {self.currency} and {other.currency}",
                remedy="Convert one of them at a stated rate first",
            )
        return other

    def __add__(self, other):
        return Money.new(i128_add(self.raw, self.same(other).raw), self.currency)

    def __sub__(self, other):
        return Money.new(i128_sub(self.raw, self.same(other).raw), self.currency)

    def __neg__(self):
        return Money.new(i128_neg(self.raw), self.currency)

    def __float__(self):
        return i128_to_double(self.raw)

    def __bool__(self):
        return self.raw != 0

    def __eq__(self, other):
        if not isinstance(other, Money):
            return NotImplemented
        return self.raw == (<Money>other).raw and self.currency == (<Money>other).currency

    def __lt__(self, other):
        return self.raw < self.same(other).raw

    def __le__(self, other):
        return self.raw <= self.same(other).raw

    def __gt__(self, other):
        return self.raw > self.same(other).raw

    def __ge__(self, other):
        return self.raw >= self.same(other).raw

    def __hash__(self):
        return hash((i128_to_int(self.raw), self.currency))

    def __str__(self):
        return f"{self.amount:f} {self.currency}"

    def __repr__(self):
        return f"Money({format(self.amount, 'f')!r}, {self.currency!r})"

    def __reduce__(self):
        return Money, (self.amount, self.currency)


def price_to_raw(value):
    """Return a price as an int in 1e-9: floats to the nearest, exact types exactly."""
    return nano_from_object(value)


def price_from_raw(int64_t raw):
    """Return the float of a raw price; exact in both directions below 2**23."""
    return nano_to_double(raw)


def price_decimal(int64_t raw):
    """Return a raw price as an exact Decimal."""
    return decimal_from_scaled(raw, 9)


def quantity_to_raw(value, int decimals=9):
    """Return a quantity as an int in units of 10**-decimals."""
    return units_from_object(value, decimals)


def quantity_decimal(int64_t raw, int decimals=9):
    """Return a raw quantity in units of 10**-decimals as an exact Decimal."""
    return decimal_from_scaled(raw, decimals)
