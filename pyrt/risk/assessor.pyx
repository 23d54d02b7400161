"""Judging one order: state, limits and flow, each control over the facts of the order."""
from libc.stdint cimport INT64_MAX, INT64_MIN, int64_t

from pyrt.core.int128 cimport i128_to_double, i128_to_int
from pyrt.core.numbers cimport decimal_from_scaled
from pyrt.core.orders cimport Order
from pyrt.core.types cimport MARKET, RELEASED
from pyrt.risk.checks cimport FLAG, UNITS, Caps, Control
from pyrt.risk.facts cimport Facts
from pyrt.risk.states cimport HALTED, REDUCING

from pyrt.risk.checks import CODES, LABELS

# Decimal places of what a control compares, by `Unit`; units of quantity have the instrument's.
cdef tuple DIGITS = (0, 0, 18, 9, 5, 9, 0)


cdef bint takes_back(Assessor self, Order order) except -1:
    """Whether an exit that was kept here takes back no more than the account holds.

    What else works may come to more together with it. Denied, it would be lost all the same, where
    at a venue it would have left.
    """
    return (
        order.status_ == RELEASED and order.is_exit and not self.opens_own(order)
        and -order.side_sign * self.account.holdings[order.instrument.index].units
        >= self.terms.leaves
    )


cdef class Assessor(Facts):
    """Judges orders by what limits, states, breaker and traffic say of their facts."""

    # -- judging -------------------------------------------------------------------------------

    cdef str weigh(self, Order order, int64_t now):
        """Judge by everything but the grid; the terms are read already."""
        cdef Caps* caps = self.caps_of(order)
        cdef str reason
        self.read_terms(order)
        if caps.protection >= 0 and order.type == MARKET and self.terms.raises:
            reason = self.protect_market(order, caps)
            if reason is not None:
                return reason
        reason = self.judge_state(order, now)
        if reason is not None:
            return reason
        if self.terms.raises:
            reason = self.judge_known(order, caps, now)
            if reason is not None:
                return reason
            if self.adv_share is not None:
                reason = self.judge_volume(order, now)
                if reason is not None:
                    return reason
        self.fill_case(order, caps, now)
        if self.case.slippage > 0 and self.turned_into_limit(order, caps):
            # What leaves is another order: it can cost its limit, and rests where it is not filled.
            self.read_terms(order)
            self.fill_case(order, caps, now)
        self.is_weighed = True
        reason = self.judge_controls(order, caps, now)
        if reason is not None:
            return reason
        if self.terms.raises and not self.terms.is_change:
            reason = self.traffic.judge_flow(
                order, self.terms.limit_price, self.terms.stop_price,
                i128_to_double(self.terms.value), now, self.claims,
            )
            if reason is not None:
                return reason
        elif self.terms.is_change and self.traffic.self_match and self.enters(order):
            reason = self.traffic.judge_self_match(
                order, self.terms.limit_price, self.terms.stop_price, self.claims
            )
            if reason is not None:
                return reason
        if order.status_ == RELEASED and not self.terms.raises:
            # An exit that was kept here: denied, it would be lost, and its pair with it.
            return None
        return self.traffic.judge_rates(now, not self.terms.is_change)

    cdef str judge_state(self, Order order, int64_t now):
        """Trading states first, then the breaker."""
        cdef int state = self.states.of(order)
        if state == HALTED:
            return "trading_state: HALTED, only cancels leave"
        if state == REDUCING and not takes_back(self, order) and (
                self.enters(order) or self.opens_own(order)):
            return "trading_state: REDUCING, and this order could raise exposure"
        if self.called and self.enters(order):
            return "margin_call: equity is below what margin asks for"
        if self.breaker.would_admit(now) if self.is_preview else self.breaker.allows_entry(now):
            return None
        if self.enters(order) or self.limits.on_trip == "halted":
            return self.breaker.reason
        return None

    cdef str judge_known(self, Order order, Caps* caps, int64_t now):
        """Deny what cannot be judged: a missing limit, no price or rate to value the order at."""
        cdef int currency
        if self.missing is not None:
            return f"{self.missing}: no limit is set, and this gate is strict"
        if self.caps.needs_value:
            currency = self.account.holdings[order.instrument.index].currency
            if self.terms.price <= 0:
                return f"{self.caps.value_code}: {order.symbol} has no price to value the order at"
            if self.account.rate[currency] <= 0:
                name = order.instrument.currency
                return f"{self.caps.value_code}: there is no rate to value {name} at"
        if self.strict and self.stops.needs_range(order.instrument, now):
            return f"max_position_loss_atr: no average range of {order.symbol} is known"
        if self.strict and self.reads_portfolio and self.readings.ts == INT64_MIN:
            return "max_risk_age: portfolio risk has not been computed yet"
        return None

    cdef str judge_volume(self, Order order, int64_t now):
        """Deny what is large against what the symbol trades in a day."""
        volume = self.volumes.get(order.instrument.id, self.volumes.get(order.instrument.symbol))
        if volume is None and self.daily_volume is not None:
            volume = self.daily_volume(order.instrument, now)
        if volume is None:
            if self.strict:
                return f"max_adv_share: no daily volume of {order.symbol} is known"
            return None
        units = max(self.terms.units, self.terms.leaves)
        quantity = decimal_from_scaled(units, order.instrument.decimals)
        if quantity <= self.adv_share * volume:
            return None
        return (
            f"max_adv_share: quantity {quantity.normalize():f} is over {self.adv_share:f} of the "
            f"average daily volume {volume:f}"
        )

    cdef str judge_controls(self, Order order, Caps* caps, int64_t now):
        cdef int i
        cdef Control* control
        for i in range(self.caps.n_enabled):
            control = &self.caps.enabled[i]
            if not (self.terms.raises or control.always):
                continue
            if control.check(caps, &self.case):
                if self.pardons and self.is_pardoned(order, CODES[control.code], now):
                    continue
                return self.control_reason(order, i)
        return None

    cdef bint is_pardoned(self, Order order, str code, int64_t now) except -1:
        """Use up a pardon for this control, if there is one in time."""
        found = self.pardons.get(code)
        if found is None or self.is_preview:
            return found is not None and now < <int64_t>found[0]
        del self.pardons[code]
        if now >= <int64_t>found[0]:
            return False
        self.states.note(now, f"override {code}", "denied", "let pass", found[1], (
            f"{found[2]}: order {order.client_order_id}"
        ))
        return True

    cdef str control_reason(self, Order order, int place):
        """Say which control failed, with what it saw and its limit."""
        cdef int unit = self.caps.enabled[place].unit
        cdef str code = CODES[self.caps.enabled[place].code]
        cdef str label = LABELS[code]
        if unit == FLAG:
            return f"{code}: {label}"
        if self.case.observed == INT64_MAX and code == "max_risk_age":
            return f"{code}: portfolio risk has not been computed yet"
        if self.case.observed == INT64_MAX:
            return f"{code}: {order.symbol} has no price or quote to judge by"
        digits = order.instrument.decimals if unit == UNITS else DIGITS[unit]
        observed = decimal_from_scaled(i128_to_int(self.case.observed), digits)
        limit = decimal_from_scaled(i128_to_int(self.case.limit), digits)
        return f"{code}: {label} {observed:f} is over the limit of {limit:f}"
