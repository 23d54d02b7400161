"""The compiled half of Strategy: what handlers look at, hear of and say."""
from pyrt.core.clock cimport Clock
from pyrt.strategy.commands cimport StrategyCommands

cdef class StrategyCore(StrategyCommands):
    cdef Clock _clock_of(self)
