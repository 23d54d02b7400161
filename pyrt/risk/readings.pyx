"""Portfolio risk as last computed, in the units in which limits compare."""
cimport cython
from libc.math cimport isfinite
from libc.stdint cimport INT64_MIN

from pyrt.core.instruments cimport Instrument
from pyrt.core.int128 cimport HALF_EVEN, i128_muldiv
from pyrt.core.numbers cimport money_from_object, nano_from_double
from pyrt.risk.claims cimport Book

from pyrt.errors import ConfigError

cdef int64_t ONE = 1_000_000_000
cdef tuple NAMES = (
    "value_at_risk", "expected_shortfall", "volatility", "correlation", "beta_exposure",
)


cdef int128 money(double value) except? -1:
    return money_from_object(round(value, 6))


@cython.final
cdef class Readings:
    """The last portfolio risk; nothing is computed per order."""

    def __init__(self):
        self.ts = INT64_MIN
        self.betas = {}
        self.raw_betas = {}
        self.values = {}
        self.number = 1

    def take(self, int64_t ts, *, double value_at_risk=0.0, double expected_shortfall=0.0,
             double volatility=0.0, double correlation=0.0, double beta_exposure=0.0, betas=None):
        """Take over what was computed at `ts`; ConfigError, and no change, for what is no number.

        Parameters
        ----------
        value_at_risk, expected_shortfall, beta_exposure : float
            In base currency.
        volatility, correlation : float
            Shares of one.
        betas : dict, optional
            Symbol → beta; 1 for those not named.
        """
        values = dict(zip(NAMES, (
            value_at_risk, expected_shortfall, volatility, correlation, beta_exposure
        )))
        for name, value in [*values.items(), *(betas or {}).items()]:
            if not isfinite(value):
                raise ConfigError(f"{name} is {value}; expected a finite number", name=name)
        self.value_at_risk = money(value_at_risk)
        self.shortfall = money(expected_shortfall)
        self.beta_exposure = money(beta_exposure)
        self.volatility = nano_from_double(volatility)
        self.correlation = nano_from_double(correlation)
        self.betas = dict(betas or {})
        self.raw_betas = {name: nano_from_double(beta) for name, beta in self.betas.items()}
        self.values = values
        self.ts = ts
        self.number += 1

    def save(self):
        """Return the figures and when they were computed as plain values; None before the first."""
        if self.ts == INT64_MIN:
            return None
        return {"ts": self.ts, "values": dict(self.values), "betas": dict(self.betas)}

    def restore(self, saved):
        """Take over what `save` returned."""
        if saved is not None:
            self.take(saved["ts"], **saved["values"], betas=saved["betas"])

    cdef int128 beta_part(self, Instrument instrument, Book* book, int128 value) except? -1:
        """A value times the beta of its symbol, which the symbol's book keeps."""
        if book.beta_of != self.number:
            self.find_beta(instrument, book)
        return i128_muldiv(value, book.beta, ONE, HALF_EVEN)

    cdef int find_beta(self, Instrument instrument, Book* book) except -1:
        found = self.raw_betas.get(instrument.id) if instrument.venue else None
        if found is None:
            found = self.raw_betas.get(instrument.symbol, ONE)
        book.beta = found
        book.beta_of = self.number
        return 0
