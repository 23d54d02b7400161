"""The circuit breaker: closed, open, half-open; what trips it and how it recovers."""
cimport cython
from libc.stdint cimport INT64_MIN, int64_t

from pyrt.core.int128 cimport (
    FLOOR, i128_add, i128_from_int, i128_muldiv, i128_sub, i128_to_double, i128_to_int, int128,
)
from pyrt.core.numbers cimport money_from_object, nano_from_object
from pyrt.risk.claims cimport larger
from pyrt.risk.sessions cimport DayClock

import numpy as np

cdef int64_t ONE = 1_000_000_000


cdef int128 money_or_none(object value) except? -1:
    return -1 if value is None else money_from_object(value)


cdef int64_t share_or_none(object value) except? -1:
    return -1 if value is None else nano_from_object(value)


cdef str amount(int128 raw):
    return f"{i128_to_double(raw):.2f}"


@cython.final
cdef class Outcomes:
    """How many of the last outcomes were bad."""

    def __init__(self, Py_ssize_t capacity):
        self.capacity = capacity
        self.ring = np.zeros(capacity, dtype=np.uint8)

    cdef int add(self, bint is_bad) except -1:
        if self.count == self.capacity:
            self.bad -= self.ring[self.next]
        else:
            self.count += 1
        self.ring[self.next] = is_bad
        self.bad += is_bad
        self.next = (self.next + 1) % self.capacity
        return 0

    def share(self):
        """Share of bad ones; 0.0 until the window is full, so that one bad start is no rate."""
        return self.bad / self.count if self.count == self.capacity else 0.0

    def save(self):
        """Return the outcomes, oldest first, as a list of 0 and 1."""
        cdef list ring = list(self.ring)
        return ring[:self.count] if self.count < self.capacity else (
            ring[self.next:] + ring[:self.next]
        )


@cython.final
cdef class CircuitBreaker:
    """Stops entries when the day, the curve, the trades or the venue go wrong.

    CLOSED lets everything pass. A trigger past its limit opens it; while it is OPEN only orders
    that cannot raise exposure pass (none, if the limits say ``on_trip="halted"``). After
    `cooldown` it is HALF_OPEN: one entry may leave (another, if it ends without a fill), and the
    round trip that ends next decides: a loss opens it again, anything else closes it. An answer
    that is late, or a rejection where those had opened it, opens it again too. Without a
    cool-down a person resets it; what a daily loss opened also closes with the day.

    Parameters
    ----------
    limits : Limits
        The triggers, `on_trip`, `cooldown` and `daily_reset`.
    """

    def __init__(self, limits):
        self.trips = []
        self.day = self.halted_day = INT64_MIN
        self.losses = Outcomes(limits.loss_rate_trades)
        self.rejects = Outcomes(limits.reject_rate_orders)
        self.cause = self.reason = self.trial = ""
        self.configure(limits)

    def configure(self, limits):
        """Take new limits; state, counts and marks stay.

        Where limits of equity come back on another day, that day begins with what it is then.
        """
        self.limits = limits
        self.loss_max = money_or_none(limits.max_daily_loss)
        self.loss_share = share_or_none(limits.max_daily_loss_fraction)
        self.halt_max = money_or_none(limits.halt_daily_loss)
        self.halt_share = share_or_none(limits.halt_daily_loss_fraction)
        self.drawdown_share = share_or_none(limits.max_drawdown)
        self.losses_max = -1 if limits.max_consecutive_losses is None else (
            limits.max_consecutive_losses
        )
        self.latency_max = -1 if limits.max_latency is None else limits.max_latency
        self.cooldown = -1 if limits.cooldown is None else limits.cooldown
        self.days = DayClock(limits)
        self.watches_equity = (
            self.loss_max >= 0 or self.loss_share >= 0 or self.drawdown_share >= 0
            or self.halt_max >= 0 or self.halt_share >= 0
        )
        if not self.watches_equity:
            self.asleep = True
        self.watches_trades = self.losses_max >= 0 or limits.max_loss_rate is not None
        self.watches_answers = limits.max_reject_rate is not None or self.latency_max >= 0
        self.losses = resized(self.losses, limits.loss_rate_trades)
        self.rejects = resized(self.rejects, limits.reject_rate_orders)

    # -- triggers ------------------------------------------------------------------------------

    cdef int observe(self, int64_t now, int128 equity) except -1:
        """Take the account's equity in; the first one begins the day and is the first peak."""
        if not self.started:
            self.started = True
            self.equity = self.day_open = self.loss_base = self.peak = equity
            self.day = self.days.day(now)
        elif self.days.day(now) != self.day:
            if self.asleep:
                # What came while nobody looked is no loss of this day.
                self.equity = equity
            self.new_day(now)
        self.asleep = False
        self.equity = equity
        if equity > self.peak:
            self.peak = equity
        if self.state != OPEN:
            self.judge_equity(now)
        if self.halted_day != self.day:
            self.judge_halt()
        return 0

    cdef int shift(self, int128 amount) except -1:
        """Measure falls from where they would start had this been there all along."""
        if self.started:
            self.equity = i128_add(self.equity, amount)
            self.day_open = i128_add(self.day_open, amount)
            self.loss_base = i128_add(self.loss_base, amount)
            self.peak = i128_add(self.peak, amount)
        return 0

    cdef int128 bound(self, int128 whole, int64_t share) except? -1:
        """A share of what was there; never of less than nothing."""
        return i128_muldiv(larger(whole, 0), share, ONE, FLOOR)

    cdef int judge_halt(self) except -1:
        """The second tier of the day's loss, whatever the first has done."""
        cdef int128 loss = i128_sub(self.day_open, self.equity)
        cdef int128 bound
        if self.halt_max >= 0 and loss > self.halt_max:
            code, bound = "halt_daily_loss", self.halt_max
        elif self.halt_share >= 0 and loss > 0:
            code, bound = "halt_daily_loss_fraction", self.bound(self.day_open, self.halt_share)
            if loss <= bound:
                return 0
        else:
            return 0
        self.halted_day = self.day
        self.halt_reason = (
            f"{code}: loss {amount(loss)} is over the limit of {amount(bound)}"
        )
        return 0

    def take_halt(self):
        """Return why everything is to be halted, once; None if it is not."""
        reason, self.halt_reason = self.halt_reason, None
        return reason

    def nearness(self):
        """Return (limit, how much of it is used up) of each that is measured by equity."""
        cdef double equity = i128_to_double(self.equity)
        cdef double base = i128_to_double(self.loss_base), begun = i128_to_double(self.day_open)
        cdef double peak = i128_to_double(self.peak)
        cdef list found = []
        for name, whole, limit in (
            ("max_daily_loss", base, self.loss_max), ("halt_daily_loss", begun, self.halt_max),
        ):
            if limit > 0:
                found.append((name, (whole - equity) / i128_to_double(limit)))
        for name, whole, share in (
            ("max_daily_loss_fraction", base, self.loss_share),
            ("halt_daily_loss_fraction", begun, self.halt_share),
            ("max_drawdown", peak, self.drawdown_share),
        ):
            if share > 0 and whole > 0.0:
                found.append((name, (whole - equity) / (whole * share / 1e9)))
        return found

    cdef int new_day(self, int64_t now) except -1:
        """Begin a day with the last equity of the one before."""
        self.day = self.days.day(now)
        self.day_open = self.loss_base = self.equity
        if self.state != CLOSED and self.cause.startswith("max_daily_loss"):
            self.close()
        return 0

    def begin_day(self, int64_t now, equity):
        """Begin the day of `now` with the equity it began with, in base currency.

        For whoever has not seen it begin: what came before is no loss of this day. Nothing changes
        where the day is the last one known, or none is known yet.
        """
        if not self.started or self.days.day(now) == self.day:
            return
        self.equity = money_from_object(equity)
        self.peak = larger(self.peak, self.equity)
        self.new_day(now)

    cdef int judge_equity(self, int64_t now) except -1:
        cdef int128 loss = i128_sub(self.loss_base, self.equity)
        cdef int128 fall, bound
        if self.loss_max >= 0 and loss > self.loss_max:
            return self.trip(
                now, "max_daily_loss",
                f"loss {amount(loss)} is over the limit of {amount(self.loss_max)}",
            )
        if self.loss_share >= 0 and loss > 0:
            bound = self.bound(self.loss_base, self.loss_share)
            if loss > bound:
                return self.trip(
                    now, "max_daily_loss_fraction",
                    f"loss {amount(loss)} is over the limit of {amount(bound)}",
                )
        fall = i128_sub(self.peak, self.equity)
        if self.drawdown_share >= 0 and fall > 0:
            bound = self.bound(self.peak, self.drawdown_share)
            if fall > bound:
                return self.trip(
                    now, "max_drawdown",
                    f"fall of {amount(fall)} from {amount(self.peak)} is over the limit of "
                    f"{amount(bound)}",
                )
        return 0

    cdef int add_trade(self, int64_t now, int128 pnl) except -1:
        """Take in the net result of a round trip."""
        self.consecutive_losses = self.consecutive_losses + 1 if pnl < 0 else 0
        self.losses.add(pnl < 0)
        if self.state == HALF_OPEN:
            if pnl < 0:
                return self.trip(now, self.cause, "the trial after the cool-down lost again")
            self.close()
            return 0
        if self.state == OPEN:
            return 0
        if self.losses_max >= 0 and self.consecutive_losses > self.losses_max:
            return self.trip(
                now, "max_consecutive_losses",
                f"{self.consecutive_losses} losses in a row are over the limit of "
                f"{self.losses_max}",
            )
        bound = self.limits.max_loss_rate
        if bound is not None and self.losses.share() > bound:
            self.trip(
                now, "max_loss_rate",
                f"{self.losses.bad} losses in {self.losses.count} trades are over the limit of "
                f"{bound}",
            )
        return 0

    cdef int add_answer(self, int64_t now, bint is_rejected, int64_t latency_ns) except -1:
        """Take in how the venue answered a submission, and after how long."""
        self.rejects.add(is_rejected)
        if self.state == OPEN:
            return 0
        if self.state == HALF_OPEN and is_rejected and self.cause == "max_reject_rate":
            return self.trip(now, self.cause, "the trial after the cool-down was rejected again")
        bound = self.limits.max_reject_rate
        if self.state == CLOSED and bound is not None and self.rejects.share() > bound:
            return self.trip(
                now, "max_reject_rate",
                f"{self.rejects.bad} rejections in {self.rejects.count} answers are over the "
                f"limit of {bound}",
            )
        if 0 <= self.latency_max < latency_ns:
            self.trip(
                now, "max_latency",
                f"an answer after {latency_ns} ns is over the limit of {self.latency_max} ns",
            )
        return 0

    # -- state ---------------------------------------------------------------------------------

    cdef int trip(self, int64_t now, str code, str text) except -1:
        self.state = OPEN
        self.ts_open = now
        self.cause = code
        self.reason = f"{code}: circuit breaker open, {text}"
        self.trips.append((now, self.reason))
        return 0

    cdef int cool(self, int64_t now) except -1:
        """Half-open after the cool-down; falls are measured from here on."""
        if self.state == OPEN and 0 <= self.cooldown <= now - self.ts_open:
            self.state = HALF_OPEN
            self.end_trial()
            self.rebase()
        return 0

    cdef int rebase(self) except -1:
        """Measure the fall that opened the breaker from here on, or it would open at once.

        The second tier goes by what the day began with, whatever the first has gone through.
        """
        if self.cause.startswith("max_daily_loss"):
            self.loss_base = self.equity
        elif self.cause == "max_drawdown":
            self.peak = self.equity
        return 0

    cdef bint allows_entry(self, int64_t now):
        """Whether an order that raises exposure may leave; in HALF_OPEN one may."""
        if self.state == CLOSED:
            return True
        self.cool(now)
        return self.state == HALF_OPEN and self.probes == 0

    cdef bint would_admit(self, int64_t now):
        """What `allows_entry` would say, with nothing changed."""
        if self.state == OPEN:
            return 0 <= self.cooldown <= now - self.ts_open
        return self.state == CLOSED or self.probes == 0

    cdef int end_trial(self) except -1:
        """Let another entry leave while half-open: the one before has ended without a fill."""
        self.probes = 0
        self.trial = ""
        return 0

    def close(self):
        """Let everything pass again, with fresh counts of losses and rejections."""
        self.state = CLOSED
        self.rebase()
        self.cause = self.reason = ""
        self.consecutive_losses = 0
        self.losses = Outcomes(self.losses.capacity)
        self.rejects = Outcomes(self.rejects.capacity)

    # -- face ----------------------------------------------------------------------------------

    def note_equity(self, int64_t now, equity):
        """Take the account's equity in, in base currency."""
        self.observe(now, money_from_object(equity))

    def note_deposit(self, amount):
        """Take in cash that came from outside, negative where it left: no gain and no loss."""
        self.shift(money_from_object(amount))

    def note_trade(self, int64_t now, pnl):
        """Take in the net result of a round trip, in base currency."""
        self.add_trade(now, money_from_object(pnl))

    def note_answer(self, int64_t now, bint is_rejected, int64_t latency_ns=0):
        """Take in how the venue answered a submission, and after how long."""
        self.add_answer(now, is_rejected, latency_ns)

    def admits(self, int64_t now):
        """Return whether an entry may leave at `now`; may move OPEN to HALF_OPEN."""
        return self.allows_entry(now)

    @property
    def day_loss(self):
        """Fall of equity since the day began, as a float; negative for a gain."""
        return i128_to_double(i128_sub(self.day_open, self.equity))

    @property
    def drawdown(self):
        """Fall of equity from its highest, as a share of it."""
        peak = i128_to_double(self.peak)
        return 1.0 - i128_to_double(self.equity) / peak if peak > 0.0 else 0.0

    def save(self):
        """Return the state as plain values; a restart goes on from it."""
        return {
            "state": self.state, "cause": self.cause, "reason": self.reason,
            "ts_open": self.ts_open, "trips": [list(trip) for trip in self.trips],
            "consecutive_losses": self.consecutive_losses, "probes": self.probes,
            "losses": self.losses.save(), "rejects": self.rejects.save(),
            "started": self.started, "day": self.day,
            "trial": self.trial, "loss_base": str(i128_to_int(self.loss_base)),
            "day_open": str(i128_to_int(self.day_open)), "peak": str(i128_to_int(self.peak)),
            "equity": str(i128_to_int(self.equity)), "halted_day": self.halted_day,
            "asleep": self.asleep,
        }

    def restore(self, saved):
        """Take over what `save` returned; an open breaker stays open."""
        self.state = saved["state"]
        self.cause = saved["cause"]
        self.reason = saved["reason"]
        self.ts_open = saved["ts_open"]
        self.trips = [tuple(trip) for trip in saved["trips"]]
        self.consecutive_losses = saved["consecutive_losses"]
        self.probes = saved["probes"]
        self.losses = filled(saved["losses"], self.losses.capacity)
        self.rejects = filled(saved["rejects"], self.rejects.capacity)
        self.started = saved["started"]
        self.day = saved["day"]
        self.day_open = i128_from_int(int(saved["day_open"]))
        self.loss_base = i128_from_int(int(saved.get("loss_base", saved["day_open"])))
        self.trial = saved.get("trial", "")
        self.peak = i128_from_int(int(saved["peak"]))
        self.equity = i128_from_int(int(saved["equity"]))
        self.halted_day = saved.get("halted_day", INT64_MIN)
        self.asleep = saved.get("asleep", False) or not self.watches_equity

    def __repr__(self):
        return f"CircuitBreaker({BreakerState(self.state).name}, {self.reason!r})"


cdef Outcomes filled(list outcomes, Py_ssize_t capacity):
    cdef Outcomes made = Outcomes(capacity)
    for bad in outcomes[-capacity:]:
        made.add(bad)
    return made


cdef Outcomes resized(Outcomes old, Py_ssize_t capacity):
    return old if old.capacity == capacity else filled(old.save(), capacity)
