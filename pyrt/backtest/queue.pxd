"""Queue models: how much of a price level trades before an order that rests there."""
cimport cython

cdef class QueueModel:
    cdef double join(self, double shown) except? -1.0
    cdef double trade(self, double ahead, double size) except? -1.0
    cdef double change(self, double ahead, double before, double after,
                       double traded) except? -1.0

cdef class RiskAverse(QueueModel):
    pass

@cython.final
cdef class Probabilistic(QueueModel):
    cdef readonly int shape
    """0: f(back) / (f(back) + f(front)); 1: f(back) / f(back + front); 2: 1 - f(front share)."""
    cdef readonly double power
    """Exponent of f; 0 for the logarithm of 1 + x."""
    cdef double weight(self, double size) noexcept
    cdef double behind(self, double front, double back) noexcept

@cython.final
cdef class Exact(RiskAverse):
    pass
