"""Moving averages with fixed weights: simple, weighted, exponential and what is built of them."""

from pyrt.indicators.base cimport CloseVolume, Series
from pyrt.indicators.smoothing cimport Ema, Stage
from pyrt.indicators.window cimport Lag, Sum, Weighted


cdef class SMA(Series):
    cdef Sum window
    cdef double scale
    """1 / timeperiod."""


cdef class WMA(Series):
    cdef Weighted window


cdef class EMA(Series):
    cdef Stage ema


cdef class RMA(Series):
    cdef Ema ema


cdef class DEMA(Series):
    cdef Stage first
    cdef Stage second


cdef class TEMA(Series):
    cdef Stage first
    cdef Stage second
    cdef Stage third


cdef struct Six:
    Stage stage[6]


cdef class T3(Series):
    cdef Six chain
    cdef double weights[4]
    """Weights of the third to the sixth average."""


cdef class TRIMA(Series):
    cdef Sum inner
    cdef Sum outer
    cdef Py_ssize_t count


cdef class ZLEMA(Series):
    cdef Stage ema
    cdef Lag lag
    cdef Py_ssize_t count


cdef class HMA(Series):
    cdef Weighted half
    cdef Weighted full
    cdef Weighted last
    cdef Py_ssize_t count


cdef class VWMA(CloseVolume):
    cdef Sum amount
    cdef Sum volume
