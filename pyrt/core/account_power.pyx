"""What an account can afford by its broker's rules: cash, margin and buying power."""
from pyrt.core.int128 cimport (
    AWAY_FROM_ZERO, TOWARD_ZERO, i128_add, i128_mul, i128_muldiv, i128_neg, i128_notional,
    i128_sub, i128_to_i64,
)
from pyrt.core.margin cimport INTRADAY, required, share_of
from pyrt.core.numbers cimport nano_from_object
from pyrt.core.orders cimport no_price

cdef int64_t ONE = 1_000_000_000


cdef int64_t marked_up(int64_t price, int64_t factor) except? -1:
    """A price times a factor in 1e-9, rounded up."""
    return i128_to_i64(i128_muldiv(price, factor, ONE, AWAY_FROM_ZERO))


cdef class AccountPower(AccountBooks):
    """Judges what orders need by cash, equity and margin; keeps nothing but the books."""

    cdef int128 free_raw(self, int currency) except? -1:
        """Paid cash that is neither spent nor locked behind shorts, in that currency."""
        cdef int128 paid = self.balance[currency]
        if self.settlement_days and self.kind == CASH_ACCOUNT:
            paid = i128_sub(paid, self.unsettled[currency])
        return i128_sub(paid, i128_mul(self.short_value[currency], 2))

    cdef bint lends(self) except -1:
        """Whether the account may borrow money and shares now."""
        return self.kind != CASH_ACCOUNT and self.equity_raw() >= self.margin_equity_min

    cdef bint shorts(self) except -1:
        """Whether the account may sell short now; a cash account may, with the value in cash."""
        if not self.shorting or self.kind == CASH_ACCOUNT:
            return self.shorting
        return self.multiplier > 1 and self.lends()

    cdef int128 regt_raw(self) except? -1:
        """Equity that no holding needs overnight; negative where there is too little."""
        return i128_sub(self.equity_raw(), self.need_in_base(self.initial))

    cdef int128 unmargined_raw(self) except? -1:
        """What can be spent on what nothing is lent on: cash, and no more than free equity."""
        cdef int128 cash = self.cash_raw(), room
        if self.kind == CASH_ACCOUNT:
            return self.free_raw(0)
        room = self.regt_raw()
        return cash if cash < room else room

    cdef int128 power_raw(self) except? -1:
        """Buying power in base currency before waiting orders; may be negative."""
        cdef int128 room
        if self.kind == CASH_ACCOUNT:
            return self.free_raw(0)
        if self.multiplier == 1 or not self.lends():
            return i128_sub(self.cash_raw(), i128_mul(self.need_in_base(self.short_value), 2))
        if self.kind == MARGIN_ACCOUNT:
            room = i128_sub(self.equity_raw(), self.need_in_base(self.intraday))
            return i128_muldiv(room, ONE, self.day_rate, TOWARD_ZERO)
        if self.multiplier == 2:
            return i128_mul(self.regt_raw(), 2)
        room = i128_sub(self.last_equity, self.last_maintenance)
        return i128_mul(i128_sub(room, self.need_in_base(self.opened)), 4)

    cdef int128 deficit_raw(self) except? -1:
        """What equity lacks to maintenance now; <= 0 when it suffices.

        While an account has four times its equity for the day, half of the overnight maintenance
        is asked for until the day ends.
        """
        cdef int128 need
        if self.kind == CASH_ACCOUNT:
            return 0
        need = self.need_in_base(self.maintenance)
        if self.multiplier == 4:
            need = i128_muldiv(need, 1, 2, AWAY_FROM_ZERO)
        return i128_sub(need, self.equity_raw())

    cdef int128 call_raw(self) except? -1:
        """What equity lacks now, or still lacks to the last day's end; 0 without a call."""
        cdef int128 lacking = self.deficit_raw(), need
        if self.call != 0:
            if self.call_is_initial:
                need = self.need_in_base(self.initial)
            else:
                need = self.need_in_base(self.maintenance)
            need = i128_sub(need, self.equity_raw())
            if need <= 0:
                self.call = 0
            elif need > lacking:
                lacking = need
        return lacking if lacking > 0 else 0

    cdef int128 shortfall(self, Py_ssize_t index, int side, int64_t quantity, int64_t price,
                          int128 fee) except? -1:
        """What is missing to execute this, in the quote currency; <= 0 when it can be afforded.

        What only shrinks a holding is always affordable. Waiting orders are not counted.
        """
        cdef Holding* holding = &self.holdings[index]
        cdef int64_t held = holding.units
        cdef int64_t after = held + side * quantity
        cdef int64_t opening = quantity
        if held != 0 and (held > 0) != (side > 0):
            if (after >= 0) == (held > 0) or after == 0:
                return 0
            opening = after if after >= 0 else -after
        if side < 0 and not self.shorts():
            return i128_add(i128_notional(price, opening, holding.factor), fee)
        if self.kind == CASH_ACCOUNT or self.multiplier == 1 or not self.lends():
            return self.cash_shortfall(holding, side, quantity, after, price, fee)
        if self.rate[holding.currency] <= 0 or (side < 0 and not holding.lends):
            return i128_add(i128_notional(price, opening, holding.factor), fee)
        if self.kind == MARGIN_ACCOUNT:
            return self.margin_shortfall(holding, after, price, fee)
        return self.power_shortfall(holding, side, opening, price, fee)

    cdef int128 cash_shortfall(self, Holding* holding, int side, int64_t quantity, int64_t after,
                               int64_t price, int128 fee) except? -1:
        """Free cash after the trade, at the trade's own price, must not be negative."""
        cdef int128 notional = i128_notional(price, quantity, holding.factor)
        cdef int128 free_cash = self.free_raw(holding.currency)
        if holding.units < 0:
            free_cash = i128_add(
                free_cash, i128_mul(i128_notional(holding.mark, -holding.units, holding.factor), 2)
            )
        free_cash = i128_sub(free_cash, notional) if side > 0 else i128_add(free_cash, notional)
        if after < 0:
            free_cash = i128_sub(
                free_cash, i128_mul(i128_notional(price, -after, holding.factor), 2)
            )
        return i128_sub(fee, free_cash)

    cdef int128 margin_shortfall(self, Holding* holding, int64_t after, int64_t price,
                                 int128 fee) except? -1:
        """The day's requirement after the trade, at its price, must not pass the equity then."""
        cdef int c = holding.currency
        cdef int128 kept = self.intraday[c], equity, missing, change
        try:
            self.intraday[c] = i128_add(
                i128_sub(kept, required(
                    holding, &self.tiers, holding.units, holding.mark, INTRADAY
                )),
                required(holding, &self.tiers, after, price, INTRADAY),
            )
            missing = self.need_in_base(self.intraday)
        finally:
            self.intraday[c] = kept
        change = i128_sub(i128_notional(price - holding.mark, holding.units, holding.factor), fee)
        equity = i128_add(self.equity_raw(), self.to_base(c, change))
        return self.from_base(c, i128_sub(missing, equity))

    cdef int128 power_shortfall(self, Holding* holding, int side, int64_t opening, int64_t price,
                                int128 fee) except? -1:
        """The power that is used must not pass the buying power; what is not lent on needs cash."""
        cdef int128 room = self.power_raw() if holding.lends else self.unmargined_raw()
        cdef int128 cost = i128_add(self.power_used(
            holding, side, price, i128_notional(price, opening, holding.factor)
        ), fee)
        return i128_add(cost, self.from_base(holding.currency, i128_neg(room)))

    cdef int128 power_used(self, Holding* holding, int side, int64_t price,
                           int128 value) except? -1:
        """What opening a value takes of the buying power: more than it where more is asked for."""
        cdef int64_t share
        if self.kind != ALPACA_ACCOUNT or not (holding.lends and self.lends()):
            return value
        share = share_of(holding, &self.tiers, side, price, INTRADAY)
        if share <= self.day_rate:
            return value
        return i128_muldiv(value, share, self.day_rate, AWAY_FROM_ZERO)

    cdef int128 power_of_waiting(self, Py_ssize_t index, int side, int64_t units,
                                 int128 value) except? -1:
        """What waiting orders take of what `shortfall` compares: cash, margin or buying power.

        They open `units` worth `value`, in base currency as is the answer.
        """
        cdef Holding* holding
        cdef int64_t price
        if value == 0 or self.kind == CASH_ACCOUNT or self.multiplier == 1 or not self.lends():
            return value
        holding = &self.holdings[index]
        if self.rate[holding.currency] <= 0:
            return value
        price = i128_to_i64(i128_muldiv(
            self.from_base(holding.currency, value), 1, i128_notional(1, units, holding.factor),
            TOWARD_ZERO,
        ))
        if self.kind == ALPACA_ACCOUNT:
            return self.power_used(holding, side, price, value)
        return i128_muldiv(
            value, share_of(holding, &self.tiers, side, price, INTRADAY), ONE, AWAY_FROM_ZERO
        )

    cdef int128 order_value(self, Instrument instrument, int side, int64_t quantity,
                            int64_t limit, int64_t stop, int64_t last) except? -1:
        """What a waiting order that opens reserves, in the quote currency; 0 without a price.

        A buy: its limit, or trigger or last price plus the collar. A short: the larger of limit
        and marked-up last price.
        """
        cdef int64_t price = limit
        rules = self.rules
        if side > 0 and limit == no_price():
            price = last if stop == no_price() else stop
            share = rules.collar_above
            if price < nano_from_object(rules.collar_threshold):
                share = rules.collar_below
            price = marked_up(price, ONE + nano_from_object(share))
        elif side < 0:
            price = max(price, marked_up(last, nano_from_object(rules.short_markup)))
        return 0 if price <= 0 else i128_notional(price, quantity, instrument.factor)

    cdef int128 reserve_of(self, Instrument instrument, int side, int64_t leaves, int64_t limit,
                           int64_t stop, int64_t last) except? -1:
        """What a waiting order reserves in base currency: the power that it would use."""
        cdef Holding* holding = &self.holdings[instrument.index]
        cdef int64_t held = holding.units if side < 0 else -holding.units
        cdef int64_t opening = leaves - held if held > 0 else leaves
        cdef int128 value
        if opening <= 0:
            return 0
        value = self.power_used(
            holding, side, last if limit == no_price() else limit,
            self.order_value(instrument, side, opening, limit, stop, last),
        )
        if holding.currency == 0:
            return value
        return i128_muldiv(value, self.rate[holding.currency], ONE, AWAY_FROM_ZERO)
