"""How long parts of the kernel's work take, for whoever wants to know; the kernel has no clock."""

from enum import IntEnum

class Stage(IntEnum):
    BOOK = 0
    INDICATORS = 1
    HANDLER = 2
    RISK = 3

class Probe: ...
