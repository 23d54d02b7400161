"""What the gate said about each order and change: rows, and the columns made of them."""
cimport cython
from libc.stdint cimport int64_t

from pyrt.core.orders cimport Order
from pyrt.core.records cimport Rows

import numpy as np

from pyrt.risk.checks import CODES

VERDICT_DTYPE = [
    ("ts_event", "<i8"), ("quantity", "<i8"), ("price", "<i8"), ("value", "<f8"),
    ("exposure", "<f8"), ("order", "<i4"), ("instrument", "<i4"), ("text", "<i4"),
    ("strategy", "<i2"), ("control", "<i2"), ("version", "<i2"), ("side", "i1"),
    ("is_change", "i1"), ("reserved", "<i4"),
]


@cython.final
cdef class Verdicts:
    """One row of 64 bytes for each verdict."""

    def __init__(self):
        self.rows = Rows(sizeof(VerdictRow))
        self.versions = []
        self.reasons = [""]
        self.codes = {code: number for number, code in enumerate(CODES)}

    cdef VerdictRow* append(self, Order order, int64_t now) except NULL:
        """Return a new row with the order's part filled in; valid until the next one."""
        cdef VerdictRow* row = <VerdictRow*>self.rows.append()
        row.ts_event = now
        row.order = order.number
        row.instrument = order.instrument.index
        row.strategy = order.position.strategy
        row.side = order.side_sign
        row.quantity = order.units
        row.version = len(self.versions) - 1
        return row

    cdef int code(self, str reason) except -1:
        """Return the number of the control that a reason begins with."""
        name = reason.partition(":")[0]
        found = self.codes.get(name)
        if found is None:
            found = self.codes[name] = len(self.codes)
        return found

    cdef int text(self, str reason) except -1:
        self.reasons.append(reason)
        return len(self.reasons) - 1

    def begin_version(self, str version):
        """Note under which limits the rows to come are judged."""
        if version not in self.versions[len(self.versions) - 1:]:
            self.versions.append(version)

    def table(self):
        """Return the rows as a NumPy record array; a copy."""
        return np.frombuffer(self.rows.tobytes(), dtype=VERDICT_DTYPE)

    def control_names(self):
        """Return the codes in the order in which rows number them."""
        return list(self.codes)
