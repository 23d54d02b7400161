"""Fee models: what an execution costs, exact."""
from functools import partial

import numpy as np

from pyrt.core.instruments cimport Instrument
from pyrt.core.int128 cimport (
    AWAY_FROM_ZERO, HALF_EVEN, i128_add, i128_mul, i128_muldiv, i128_notional, i128_sub,
    i128_to_int,
)
from pyrt.core.numbers cimport POWERS_OF_TEN, money_from_object, nano_from_object, nano_to_double
from pyrt.core.numbers cimport decimal_from_scaled
from pyrt.core.types cimport MAKER
from pyrt.backtest.alpaca_fees import AlpacaFees
from pyrt.errors import ConfigError
from pyrt.venues.fees import SEC_SECTION_31, TAF

cdef int128 CENT = 10_000_000_000_000_000
DAY_NS = 86_400_000_000_000
NEW_YORK_MIDNIGHT_NS = 5 * 3_600_000_000_000


cdef int64_t bps_rate(value, str name) except? -1:
    cdef int64_t rate = nano_from_object(value)
    if not -10_000_000_000_000 <= rate <= 10_000_000_000_000:
        raise ConfigError(f"{name} is {value!r} bps; expected -10,000 to 10,000")
    if rate % 10_000:
        raise ConfigError(f"{name} is {value!r} bps; at most 5 decimal places")
    return rate // 10_000


cdef class NoFees(FeeModel):
    """Trading is free."""

    cdef int128 fee(self, Instrument instrument, int side, int64_t quantity, int64_t price,
                    int liquidity, int64_t ts, int64_t filled_before) except? -1:
        return 0

    def __repr__(self):
        return "NoFees()"


cdef class BpsFees(FeeModel):
    """A share of the notional, in basis points; exact, not rounded to the cent.

    Parameters
    ----------
    taker : number
        For executions that take liquidity; at most 5 decimal places.
    maker : number, optional
        For resting orders; negative is a rebate. Default: as `taker`.
    """

    def __init__(self, taker, maker=None):
        self.taker = bps_rate(taker, "taker")
        self.maker = self.taker if maker is None else bps_rate(maker, "maker")

    cdef int128 fee(self, Instrument instrument, int side, int64_t quantity, int64_t price,
                    int liquidity, int64_t ts, int64_t filled_before) except? -1:
        cdef int128 notional = i128_notional(price, quantity, instrument.factor)
        return i128_muldiv(
            notional, self.maker if liquidity == MAKER else self.taker, 1_000_000_000, HALF_EVEN
        )

    def __repr__(self):
        return f"BpsFees(taker={self.taker / 1e5:g}, maker={self.maker / 1e5:g})"


cdef class PerShareFees(FeeModel):
    """So much per share or contract, with a minimum for each order and a cap for each fill.

    Parameters
    ----------
    per_share : number
    minimum : number, optional
        Least fee of an order; charged with its first fill.
    maximum_bps : number, optional
        Cap of each fill as a share of its notional.
    """

    def __init__(self, per_share, minimum=0, maximum_bps=None):
        self.per_share = money_from_object(per_share)
        self.minimum = money_from_object(minimum)
        self.maximum = 0 if maximum_bps is None else bps_rate(maximum_bps, "maximum_bps")

    cdef int128 total(self, Instrument instrument, int64_t quantity) except? -1:
        cdef int128 fee
        if quantity == 0:
            return 0
        fee = i128_muldiv(
            self.per_share, quantity, POWERS_OF_TEN[instrument.decimals], HALF_EVEN
        )
        return fee if fee > self.minimum else self.minimum

    cdef int128 fee(self, Instrument instrument, int side, int64_t quantity, int64_t price,
                    int liquidity, int64_t ts, int64_t filled_before) except? -1:
        cdef int128 fee, cap
        fee = i128_sub(
            self.total(instrument, filled_before + quantity), self.total(instrument, filled_before)
        )
        if self.maximum:
            cap = i128_muldiv(
                i128_notional(price, quantity, instrument.factor), self.maximum, 1_000_000_000,
                HALF_EVEN,
            )
            fee = fee if fee < cap else cap
        return fee

    def __repr__(self):
        per_share = decimal_from_scaled(i128_to_int(self.per_share), 18)
        minimum = decimal_from_scaled(i128_to_int(self.minimum), 18)
        return f"PerShareFees({per_share}, minimum={minimum}, maximum_bps={self.maximum / 1e5:g})"


cdef class FixedFees(FeeModel):
    """A fixed amount for each order (with its first fill), or for each fill."""

    def __init__(self, amount, *, bint per_fill=False):
        self.amount = money_from_object(amount)
        self.per_fill = per_fill

    cdef int128 fee(self, Instrument instrument, int side, int64_t quantity, int64_t price,
                    int liquidity, int64_t ts, int64_t filled_before) except? -1:
        return self.amount if self.per_fill or filled_before == 0 else 0

    def __repr__(self):
        amount = decimal_from_scaled(i128_to_int(self.amount), 18)
        return f"FixedFees({amount}, per_fill={self.per_fill})"


cdef Py_ssize_t row_in_force(int64_t[:, ::1] table, int64_t ts):
    """Index of the last row whose first column is <= ts; -1 before the first."""
    cdef Py_ssize_t low = 0, high = table.shape[0], middle
    while low < high:
        middle = (low + high) // 2
        if table[middle, 0] <= ts:
            low = middle + 1
        else:
            high = middle
    return low - 1


def dated_rows(rates):
    """Return (first ns in force, rate, cap) rows of a dated table; a day begins in New York."""
    first = rates.days * DAY_NS + NEW_YORK_MIDNIGHT_NS
    return np.column_stack((first, rates.rate_e9, rates.cap_e9))


cdef class UsRegulatoryFees(FeeModel):
    """Fees that US regulators take on sales of equities: SEC Section 31 and FINRA TAF.

    Each is rounded up to the cent for each fill, as brokers pass them on. Before the first row
    of a table its fee is zero. Coins pay none; an instrument whose kind nobody stated does, since
    somebody asked for these fees.

    Parameters
    ----------
    sec, taf : array_like of int64, optional
        Replace the dated tables of `pyrt.venues.fees`.
    """

    def __init__(self, sec=None, taf=None):
        sec = dated_rows(SEC_SECTION_31) if sec is None else sec
        taf = dated_rows(TAF) if taf is None else taf
        self.sec = np.ascontiguousarray(sec, np.int64)
        self.taf = np.ascontiguousarray(taf, np.int64)

    cdef int128 fee(self, Instrument instrument, int side, int64_t quantity, int64_t price,
                    int liquidity, int64_t ts, int64_t filled_before) except? -1:
        cdef Py_ssize_t row
        cdef int128 sec = 0, taf = 0, cap
        if side > 0 or instrument.kind == "crypto":
            return 0
        row = row_in_force(self.sec, ts)
        if row >= 0:
            sec = i128_muldiv(
                i128_notional(price, quantity, instrument.factor), self.sec[row, 1],
                1_000_000_000, AWAY_FROM_ZERO,
            )
            sec = i128_mul(i128_muldiv(sec, 1, CENT, AWAY_FROM_ZERO), CENT)
        row = row_in_force(self.taf, ts)
        if row >= 0:
            taf = i128_muldiv(
                i128_mul(self.taf[row, 1], 1_000_000_000), quantity,
                POWERS_OF_TEN[instrument.decimals], AWAY_FROM_ZERO,
            )
            cap = i128_mul(self.taf[row, 2], 1_000_000_000)
            taf = cap if taf > cap else taf
            taf = i128_mul(i128_muldiv(taf, 1, CENT, AWAY_FROM_ZERO), CENT)
        return i128_add(sec, taf)

    def __repr__(self):
        return "UsRegulatoryFees()"


cdef class SumOfFees(FeeModel):
    """Several fee models together."""

    def __init__(self, *models):
        self.models = tuple(fee_model(m) for m in models)
        self.in_kind = any((<FeeModel>model).in_kind for model in self.models)

    cdef int128 fee(self, Instrument instrument, int side, int64_t quantity, int64_t price,
                    int liquidity, int64_t ts, int64_t filled_before) except? -1:
        cdef int128 total = 0
        cdef FeeModel model
        for model in self.models:
            total = i128_add(
                total, model.fee(instrument, side, quantity, price, liquidity, ts, filled_before)
            )
        return total

    cdef int64_t taken(self, Instrument instrument, int side, int64_t quantity, int64_t price,
                       int liquidity, int64_t ts) except? -1:
        cdef int64_t total = 0
        cdef FeeModel model
        for model in self.models:
            total += model.taken(instrument, side, quantity, price, liquidity, ts)
        return total

    cdef int begin(self) except -1:
        cdef FeeModel model
        for model in self.models:
            model.begin()
        return 0

    cdef int book(self, Instrument instrument, int side, int64_t quantity, int64_t price,
                  int liquidity, int64_t ts) except -1:
        cdef FeeModel model
        for model in self.models:
            model.book(instrument, side, quantity, price, liquidity, ts)
        return 0

    def __repr__(self):
        return " + ".join(map(repr, self.models))


cdef class PythonFees(FeeModel):
    """A user's own: `model(instrument, side, quantity, price, liquidity, ts) -> number`."""

    def __init__(self, model):
        self.model = model

    cdef int128 fee(self, Instrument instrument, int side, int64_t quantity, int64_t price,
                    int liquidity, int64_t ts, int64_t filled_before) except? -1:
        return money_from_object(self.model(
            instrument, "buy" if side > 0 else "sell", instrument.quantity_float(quantity),
            nano_to_double(price), "maker" if liquidity == MAKER else "taker", ts,
        ))

    def __repr__(self):
        return f"PythonFees({getattr(self.model, '__qualname__', self.model)!s})"


def fee_model(value):
    """Return a FeeModel from what users write.

    Parameters
    ----------
    value : None, str, FeeModel, callable or sequence of these
        ``None`` is free; text is ``"bps:2"``, ``"bps:2/-1"`` (taker/maker),
        ``"per_share:0.005"``, ``"per_share:0.005/1"`` (minimum), ``"fixed:1"``, ``"us"``
        (SEC and TAF), ``"alpaca"`` (Alpaca's charges; ``"alpaca_paper"`` those of a paper account),
        or several joined by ``"+"``.

    Raises
    ------
    ConfigError
        If the value means no model.
    """
    if value is None:
        return NoFees()
    if isinstance(value, FeeModel):
        return value
    if isinstance(value, str):
        return _from_text(value)
    if callable(value):
        return PythonFees(value)
    if isinstance(value, (list, tuple)):
        return SumOfFees(*value)
    raise ConfigError(
        f"{value!r} is no fee model",
        remedy='Write "bps:2", "per_share:0.005/1", "fixed:1", "us", "alpaca", or give a model',
    )


def _from_text(text):
    if "+" in text:
        return SumOfFees(*(part.strip() for part in text.split("+")))
    name, _, arguments = text.partition(":")
    numbers = [part for part in arguments.split("/") if part]
    makers = {"none": (NoFees, 0), "bps": (BpsFees, 2), "per_share": (PerShareFees, 3),
              "fixed": (FixedFees, 1), "us": (UsRegulatoryFees, 0), "alpaca": (AlpacaFees, 0),
              "alpaca_paper": (partial(AlpacaFees, paper=True), 0)}
    if name not in makers or len(numbers) > makers[name][1] or (
            makers[name][1] and not numbers):
        raise ConfigError(
            f"{text!r} is no fee model",
            remedy='Write "none", "bps:2", "per_share:0.005/1", "fixed:1", "us" or "alpaca"',
        )
    return makers[name][0](*numbers)
