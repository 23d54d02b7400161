"""What the kernel was given, in call order, as bytes that can be played again."""
cimport cython
from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy

from pyrt.core.events cimport Event

from pyrt.errors import JournalError


@cython.final
cdef class Tape:
    """Records inputs; `take` hands over what came since the last call.

    Events are kept as they lie in memory, little-endian; a piece begins with their size, so that
    another layout is refused and not misread.
    """

    def __dealloc__(self):
        free(self.buffer)

    cdef uint8_t* room(self, Py_ssize_t size) except NULL:
        """Return where the next `size` bytes go."""
        cdef uint8_t* grown
        cdef uint8_t* place
        cdef uint32_t layout = sizeof(Event)
        cdef Py_ssize_t head = 0 if self.size else 1 + sizeof(layout)
        if self.size + head + size > self.capacity:
            self.capacity = 2 * (self.size + head + size) + 4096
            grown = <uint8_t*>realloc(self.buffer, self.capacity)
            if grown == NULL:
                raise MemoryError
            self.buffer = grown
        if head:
            self.buffer[0] = OP_LAYOUT
            memcpy(self.buffer + 1, &layout, sizeof(layout))
            self.size = head
        place = self.buffer + self.size
        self.size += size
        return place

    cdef int plain(self, int op) except -1:
        self.room(1)[0] = op
        self.count += 1
        return 0

    cdef int advance(self, int64_t ts) except -1:
        cdef uint8_t* at = self.room(1 + sizeof(ts))
        at[0] = OP_ADVANCE
        memcpy(at + 1, &ts, sizeof(ts))
        self.count += 1
        return 0

    cdef int event(self, Event* event, str reason) except -1:
        cdef uint8_t* at
        if reason:
            self.blob(OP_TEXT, reason.encode())
        at = self.room(1 + sizeof(Event))
        at[0] = OP_EVENT
        memcpy(at + 1, event, sizeof(Event))
        self.count += 1
        return 0

    cdef int blob(self, int op, bytes data) except -1:
        cdef uint32_t length = <uint32_t>len(data)
        cdef uint8_t* at = self.room(1 + sizeof(length) + length)
        at[0] = op
        memcpy(at + 1, &length, sizeof(length))
        memcpy(at + 1 + sizeof(length), <const char*>data, length)
        return 0

    def note(self, bytes data):
        """Record an input of another kind: an operator's command, a result of slow work."""
        self.blob(OP_NOTE, data)
        self.count += 1

    def __len__(self):
        return self.size

    def take(self):
        """Return the bytes recorded since the last call."""
        cdef bytes taken = self.buffer[:self.size] if self.size else b""
        self.size = 0
        return taken


def survey(const uint8_t[::1] piece not None):
    """Return (inputs, notes) of a piece of tape, taking none of them.

    Raises
    ------
    JournalError
        If it is no tape, or one of another layout.
    """
    cdef Py_ssize_t at = 0, size = piece.shape[0]
    cdef int op
    cdef int64_t count = 0
    cdef uint32_t length
    cdef list notes = []
    while at < size:
        op = piece[at]
        at += 1
        if op == OP_LAYOUT:
            at += need_layout(piece, at)
        elif op == OP_TEXT or op == OP_NOTE:
            need(at, 4, size)
            memcpy(&length, &piece[at], 4)
            at += 4
            need(at, length, size)
            if op == OP_NOTE:
                count += 1
                notes.append((count, bytes(piece[at:at + length])))
            at += length
        elif op == OP_ADVANCE:
            need(at, 8, size)
            at += 8
            count += 1
        elif op == OP_EVENT:
            need(at, sizeof(Event), size)
            at += sizeof(Event)
            count += 1
        elif op in (OP_TIMERS, OP_END_BARS, OP_SETTLE, OP_SAMPLE):
            count += 1
        else:
            raise JournalError(f"the tape has an unknown input {op}", code="tape_layout")
    return count, notes


cdef int need(Py_ssize_t at, Py_ssize_t wanted, Py_ssize_t size) except -1:
    if wanted > size - at:
        raise JournalError("a piece of tape is cut off", code="tape_layout")
    return 0


cdef int need_layout(const uint8_t[::1] piece, Py_ssize_t at) except -1:
    """Return the bytes that a layout takes; JournalError if it is not that of this program."""
    cdef uint32_t length
    need(at, sizeof(length), piece.shape[0])
    memcpy(&length, &piece[at], sizeof(length))
    if length != sizeof(Event):
        raise JournalError(
            f"the tape has events of {length} bytes, this program of {sizeof(Event)}",
            code="tape_layout",
        )
    return sizeof(length)
