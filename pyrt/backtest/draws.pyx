"""Random numbers of the venue's models: streams keyed by seed, model and instrument.

A number is a function of its key and its place in the stream, so one model's draws are the same
whatever other models and instruments take part in a run.
"""
cimport cython
from libc.math cimport M_PI, cos, log, sqrt
from libc.stdint cimport uint64_t

from hashlib import blake2b


cdef inline uint64_t scrambled(uint64_t x) noexcept:
    """Spread a counter over 64 bits: two rounds of multiply and shift."""
    x = (x ^ (x >> 30)) * <uint64_t>0xBF58476D1CE4E5B9
    x = (x ^ (x >> 27)) * <uint64_t>0x94D049BB133111EB
    return x ^ (x >> 31)


@cython.final
cdef class Draws:
    """A model's random numbers, one stream for each instrument.

    Parameters
    ----------
    seed : int
    model : str
        Its name; models of different names draw different numbers.

    Examples
    --------
    >>> first, again = Draws(7, "latency"), Draws(7, "latency")
    >>> a = [first.draw(0), first.draw(1), first.draw(0)]
    >>> b = [again.draw(0), again.draw(0)]
    >>> a[::2] == b, a[0] == a[1]
    (True, False)
    """

    def __init__(self, seed, str model):
        digest = blake2b(f"{seed}/{model}".encode(), digest_size=8).digest()
        self.key = <uint64_t>int.from_bytes(digest, "little")
        self.counters = {}

    cdef uint64_t bits(self, int32_t instrument) except? 0:
        """The next 64 bits of an instrument's stream."""
        cdef uint64_t count = <uint64_t>self.counters.get(instrument, 0)
        cdef uint64_t stream = scrambled(self.key + <uint64_t>instrument)
        self.counters[instrument] = count + 1
        return scrambled(stream + (count + 1) * <uint64_t>0x9E3779B97F4A7C15)

    cdef double uniform(self, int32_t instrument) except? -1.0:
        """In (0, 1): 53 bits and a half."""
        return (<double>(self.bits(instrument) >> 11) + 0.5) * 1.1102230246251565e-16

    cdef double normal(self, int32_t instrument) except? -1e300:
        """Mean 0, deviation 1; two uniform numbers each."""
        cdef double first = self.uniform(instrument), second = self.uniform(instrument)
        return sqrt(-2.0 * log(first)) * cos(2.0 * M_PI * second)

    def draw(self, int instrument=0):
        """Return the next number of an instrument's stream, in (0, 1)."""
        return self.uniform(instrument)
