"""Inputs that were recorded, fed to a kernel again."""
from libc.stdint cimport INT64_MAX, int64_t, uint8_t, uint32_t
from libc.string cimport memcpy

from pyrt.core.events cimport Event
from pyrt.core.types cimport EV_BAR, EV_DENIED, EV_FILL
from pyrt.errors import JournalError
from pyrt.live.core.inputs cimport Inputs
from pyrt.live.core.tape cimport (
    OP_ADVANCE, OP_END_BARS, OP_EVENT, OP_LAYOUT, OP_NOTE, OP_SAMPLE, OP_SETTLE, OP_TEXT,
    OP_TIMERS, need, need_layout,
)


def play(Inputs inputs not None, const uint8_t[::1] piece not None, on_note, on_error, *,
         place=None, on_place=None):
    """Feed a kernel the inputs of a piece of tape, as they were taken when it was recorded.

    Parameters
    ----------
    inputs : Inputs
        Of a kernel that begins where the recorded one did.
    piece : bytes-like
    on_note : callable
        Called with the bytes of each note.
    on_error : callable
        Called with an exception that an event raises; what is not caught there ends this.
    place : int, optional
        Once so many inputs were taken, `on_place` is called with their number; it returns the
        next place, or None.

    Returns
    -------
    bool
        False where it was broken off before the end of the piece.

    Raises
    ------
    JournalError
        If it is no tape, or one of another layout.
    """
    cdef Py_ssize_t at = 0, size = piece.shape[0]
    cdef int op
    cdef int64_t ts
    cdef uint32_t length
    cdef Event event
    cdef str reason = ""
    cdef int64_t stop = INT64_MAX if place is None else place
    inputs.is_broken_off = False
    while at < size:
        if inputs.is_broken_off:
            return False
        if inputs.tape is not None and inputs.tape.count >= stop:
            place = on_place(inputs.tape.count)
            stop = INT64_MAX if place is None else place
            if inputs.is_broken_off:
                return False
        op = piece[at]
        at += 1
        if op == OP_LAYOUT:
            at += need_layout(piece, at)
        elif op == OP_ADVANCE:
            need(at, 8, size)
            memcpy(&ts, &piece[at], 8)
            at += 8
            inputs.advance(ts)
        elif op == OP_EVENT:
            need(at, sizeof(Event), size)
            memcpy(&event, &piece[at], sizeof(Event))
            at += sizeof(Event)
            play_event(inputs, &event, reason, on_error)
            reason = ""
        elif op == OP_TEXT or op == OP_NOTE:
            need(at, 4, size)
            memcpy(&length, &piece[at], 4)
            at += 4
            need(at, length, size)
            data = bytes(piece[at:at + length])
            at += length
            if op == OP_TEXT:
                reason = data.decode()
            else:
                if inputs.tape is not None:
                    inputs.tape.note(data)
                on_note(data)
        elif op == OP_TIMERS:
            inputs.fire_timers()
        elif op == OP_END_BARS:
            inputs.end_bars()
        elif op == OP_SETTLE:
            inputs.settle()
        elif op == OP_SAMPLE:
            inputs.sample()
        else:
            raise JournalError(f"the tape has an unknown input {op}", code="tape_layout")
    return not inputs.is_broken_off


cdef int play_event(Inputs inputs, Event* event, str reason, on_error) except -1:
    if event.kind >= EV_DENIED:
        event.reason = inputs.kernel.records.texts.number(reason)
    elif event.kind == EV_BAR:
        inputs.last_bars[event.stream] = event.ts_event
    if event.kind == EV_FILL and inputs.fees is not None:
        inputs.book_fee(event)
    try:
        inputs.feed(event)
    except Exception as error:
        on_error(error)
    return 0
