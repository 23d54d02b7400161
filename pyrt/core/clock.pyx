"""Simulated and event-driven time: a clock that only moves forward, and its timers."""
cimport cython
from libc.stdint cimport INT64_MAX
from libc.stdlib cimport free, realloc

from pyrt.core.times import format_ns
from pyrt.errors import ConfigError, UnknownName


cdef inline bint before(Timer* a, Timer* b) noexcept:
    return a.due < b.due or (a.due == b.due and a.sequence < b.sequence)


@cython.final
cdef class TimerEvent:
    """What `on_timer` and timer handlers get."""
    def __repr__(self):
        return f"TimerEvent(name={self.name!r}, ts_event={self.ts_event})"


@cython.final
cdef class Clock:
    """Time as the kernel knows it, and the timers set on it.

    Timers due at one time fire in the order in which they were set. A name is unique for its
    owner: setting it again replaces the earlier timer.
    """

    def __cinit__(self):
        self.next_due = INT64_MAX
        self.entries = {}
        self.slots = {}

    def __dealloc__(self):
        free(self.heap)

    @property
    def timestamp_ns(self):
        """Current time in ns UTC."""
        return self.now

    def __len__(self):
        return len(self.slots)

    def set_timer(self, str name, int64_t interval_ns, handler, *, start_ns=None, stop_ns=None,
                  owner=None):
        """Call `handler(event)` every `interval_ns`, first at `start_ns` (by default in one).

        Raises
        ------
        ConfigError
            If the interval is not positive or the first call would lie in the past.
        """
        if interval_ns <= 0:
            raise ConfigError(f"timer {name!r}: interval is {interval_ns} ns; expected > 0")
        due = self.now + interval_ns if start_ns is None else start_ns
        self.check_future(name, due)
        self.add(name, due, interval_ns, INT64_MAX if stop_ns is None else stop_ns, owner, handler)

    def set_alert(self, str name, int64_t due_ns, handler, *, owner=None):
        """Call `handler(event)` once, at `due_ns`."""
        self.check_future(name, due_ns)
        self.add(name, due_ns, 0, INT64_MAX, owner, handler)

    def check_future(self, name, due):
        """Raise ConfigError when `due` has passed."""
        if due < self.now:
            raise ConfigError(
                f"timer {name!r}: {format_ns(due)} lies before the present, {format_ns(self.now)}"
            )

    def cancel(self, str name, *, owner=None):
        """Drop a timer; UnknownName if there is none of that name."""
        slot = self.slots.pop((id_of(owner), name), None)
        if slot is None:
            raise UnknownName(f"no timer {name!r} is set", name=name)
        del self.entries[slot]
        self.settle()

    def cancel_all(self, *, owner=None):
        """Drop all timers of `owner`."""
        for key in [k for k in self.slots if k[0] == id_of(owner)]:
            del self.entries[self.slots.pop(key)]
        self.settle()

    def names(self, *, owner=None):
        """Return the names of an owner's timers, in the order they were set."""
        return [k[1] for k in self.slots if k[0] == id_of(owner)]

    def skip(self, int64_t ts):
        """Let periodic timers that were due several times before `ts` be due once, the last time.

        Their steps stay as they were. Alerts are left alone: each is due once anyway.
        """
        cdef Timer* old = self.heap
        cdef Timer timer
        cdef int64_t last
        cdef Py_ssize_t i, n = self.count
        self.heap = NULL
        self.count = self.capacity = 0
        try:
            for i in range(n):
                timer = old[i]
                last = min(ts, timer.stop)
                if timer.interval > 0 and timer.due < last:
                    timer.due += (last - timer.due) // timer.interval * timer.interval
                self.push(timer)
        finally:
            free(old)
        self.settle()

    cdef int add(self, str name, int64_t due, int64_t interval, int64_t stop, object owner,
                 object handler) except -1:
        key = (id_of(owner), name)
        old = self.slots.pop(key, None)
        if old is not None:
            del self.entries[old]
        cdef Timer timer
        timer.slot = self.made
        self.made += 1
        self.entries[timer.slot] = (key, owner, handler)
        self.slots[key] = timer.slot
        timer.due = due
        timer.interval = interval
        timer.stop = stop
        self.sequence += 1
        timer.sequence = self.sequence
        self.push(timer)
        self.settle()
        return 0

    cdef bint is_live(self, Timer* timer):
        return timer.slot in self.entries

    cdef object pop_due(self, int64_t until):
        """Return the next TimerEvent due by `until`, or None; periodic ones are re-armed."""
        if self.next_due > until:
            return None
        cdef Timer timer = self.heap[0]
        self.drop_head()
        key, owner, handler = self.entries[timer.slot]
        cdef TimerEvent event = TimerEvent.__new__(TimerEvent)
        event.name = key[1]
        event.ts_event = timer.due
        event.owner = owner
        event.handler = handler
        if timer.interval > 0 and timer.due + timer.interval <= timer.stop:
            timer.due += timer.interval
            self.sequence += 1
            timer.sequence = self.sequence
            self.push(timer)
        else:
            del self.entries[timer.slot]
            self.slots.pop(key, None)
        self.settle()
        return event

    cdef int settle(self) except -1:
        """Drop dead heads and note when the next live timer is due."""
        while self.count > 0 and not self.is_live(&self.heap[0]):
            self.drop_head()
        self.next_due = self.heap[0].due if self.count > 0 else INT64_MAX
        return 0

    cdef int push(self, Timer timer) except -1:
        cdef Py_ssize_t i, parent
        cdef Timer* heap
        if self.count == self.capacity:
            self.capacity = self.capacity * 2 + 8
            heap = <Timer*>realloc(self.heap, self.capacity * sizeof(Timer))
            if heap == NULL:
                raise MemoryError
            self.heap = heap
        i = self.count
        self.count += 1
        while i > 0:
            parent = (i - 1) >> 1
            if not before(&timer, &self.heap[parent]):
                break
            self.heap[i] = self.heap[parent]
            i = parent
        self.heap[i] = timer
        return 0

    cdef int drop_head(self) except -1:
        cdef Py_ssize_t i = 0, child
        self.count -= 1
        if self.count == 0:
            return 0
        cdef Timer last = self.heap[self.count]
        while True:
            child = 2 * i + 1
            if child >= self.count:
                break
            if child + 1 < self.count and before(&self.heap[child + 1], &self.heap[child]):
                child += 1
            if not before(&self.heap[child], &last):
                break
            self.heap[i] = self.heap[child]
            i = child
        self.heap[i] = last
        return 0


cdef object id_of(object owner):
    """Owners are told apart by their own number, never by address."""
    return None if owner is None else owner.number
