"""An account's books: cash, holdings at their marks, what is unpaid, what margin asks for."""
from libc.stdlib cimport free, realloc
from libc.string cimport memset

from pyrt.core.int128 cimport (
    AWAY_FROM_ZERO, HALF_EVEN, TOWARD_ZERO, i128_add, i128_muldiv, i128_neg, i128_notional,
    i128_sub, i128_to_i64, i128_to_int,
)
from pyrt.core.margin cimport INITIAL, INTRADAY, MAINTENANCE, opened_units, required
from pyrt.core.numbers cimport money_from_object, nano_from_object

from pyrt.core.account_rules import account_rules
from pyrt.errors import ConfigError

cdef int64_t ONE = 1_000_000_000
# A year of interest has 360 days, as US brokers count.
cdef int64_t YEAR = 360


cdef int128 yearly(int128 amount, int64_t rate, int nights) except? -1:
    """Interest on an amount for some nights at a yearly rate in 1e-9, rounded half to even."""
    return i128_muldiv(
        amount, <int128>rate * nights, <int128>ONE * YEAR, HALF_EVEN
    )


cdef class AccountBooks:
    """Balances, holdings and their sums by currency; no judgment."""

    def __init__(self, cash, str currency="USD", rules=None):
        self.base_currency = currency
        self.currencies = [currency]
        self.rate[0] = ONE
        self.balance[0] = self.last_equity = money_from_object(cash)
        self.single = True
        self.take_account_rules(account_rules(rules))

    cdef int take_account_rules(self, object rules) except -1:
        """Read what the rules say of the account as a whole."""
        self.rules = rules
        self.kind = rules.kind_number
        self.multiplier = rules.multiplier
        self.settlement_days = rules.settlement_days
        self.day_rate = i128_to_i64(i128_muldiv(
            nano_from_object(rules.initial), 2, rules.multiplier, AWAY_FROM_ZERO
        ))
        self.margin_equity_min = money_from_object(rules.margin_equity_min)
        self.tiers.long_price_min = nano_from_object(rules.long_price_min)
        self.tiers.short_price_min = nano_from_object(rules.short_price_min)
        self.tiers.short_floor_below = nano_from_object(rules.short_floor_below)
        self.tiers.short_floor = nano_from_object(rules.short_floor)
        self.shorting = rules.shorting
        return 0

    def change_rules(self, rules, instruments):
        """Judge the account by other rules from now on; what it has stays as it is.

        Parameters
        ----------
        rules : AccountRules, str or mapping
        instruments : iterable of Instrument
            All that were registered here.

        Raises
        ------
        ConfigError
            If the rules make no sense; nothing is changed.
        """
        cdef Py_ssize_t i
        cdef Instrument instrument
        other = account_rules(rules)
        if self.kind != CASH_ACCOUNT:
            for i in range(self.n_holdings):
                self.weigh(i, False)
        self.take_account_rules(other)
        for instrument in instruments:
            self.take_rules(instrument)
        if self.kind != CASH_ACCOUNT:
            for i in range(self.n_holdings):
                self.weigh(i, True)

    def state_day(self, last_equity, last_maintenance):
        """State with what equity and maintenance margin the last day has ended, as its broker does.

        Parameters
        ----------
        last_equity, last_maintenance : number
        """
        cdef int128 equity = money_from_object(last_equity)
        self.last_maintenance = money_from_object(last_maintenance)
        self.last_equity = equity

    def begin_day(self, last_equity, last_maintenance, unsettled=0):
        """Take up a day that has begun without this account.

        Parameters
        ----------
        last_equity, last_maintenance : number
            At the end of the day before.
        unsettled : number
            What sales since then will pay, in base currency; nothing else is taken to be due.
        """
        cdef int128 due = money_from_object(unsettled)
        self.state_day(last_equity, last_maintenance)
        self.day_deposits = 0
        memset(self.unsettled, 0, sizeof(self.unsettled))
        memset(self.proceeds_by_age, 0, sizeof(self.proceeds_by_age))
        if self.settlement_days:
            self.unsettled[0] = self.proceeds_by_age[0][0] = due

    def carry(self, Instrument instrument not None, quantity):
        """State what of an instrument was held when the day began: signed units.

        Parameters
        ----------
        instrument : Instrument
            Registered here.
        quantity : number
        """
        cdef int64_t units = instrument.quantity_raw(quantity)
        if self.kind != CASH_ACCOUNT:
            self.weigh(instrument.index, False)
        self.holdings[instrument.index].carried = units
        if self.kind != CASH_ACCOUNT:
            self.weigh(instrument.index, True)

    def split_carried(self, Py_ssize_t index, int64_t before, int64_t new, int64_t old):
        """Restate what was held when the day began, after the units of a holding were split.

        Parameters
        ----------
        index : int
            Of the instrument.
        before : int
            Units held just before the split.
        new, old : int
            `old` units have become `new` ones.
        """
        cdef Holding* holding = &self.holdings[index]
        # All of it held overnight stays all of it, however fractions were rounded and paid out.
        cdef int64_t carried = holding.units
        if holding.carried != before:
            carried = i128_to_i64(i128_muldiv(holding.carried, new, old, TOWARD_ZERO))
        if self.kind != CASH_ACCOUNT:
            self.weigh(index, False)
        holding.carried = carried
        if self.kind != CASH_ACCOUNT:
            self.weigh(index, True)

    def __dealloc__(self):
        free(self.holdings)

    cdef int currency_number(self, str currency) except -1:
        if currency in self.currencies:
            return self.currencies.index(currency)
        if len(self.currencies) == 16:
            raise ConfigError(f"an account holds at most 16 currencies; {currency!r} is one more")
        self.currencies.append(currency)
        self.single = False
        return len(self.currencies) - 1

    cdef int add_instrument(self, Instrument instrument) except -1:
        """Make room for an instrument at its dense index."""
        cdef Py_ssize_t index = instrument.index
        cdef Holding* holdings
        if index >= self.n_holdings:
            holdings = <Holding*>realloc(self.holdings, (index + 1) * sizeof(Holding))
            if holdings == NULL:
                raise MemoryError
            memset(&holdings[self.n_holdings], 0, (index + 1 - self.n_holdings) * sizeof(Holding))
            self.holdings = holdings
            self.n_holdings = index + 1
        self.holdings[index].factor = instrument.factor
        self.holdings[index].currency = self.currency_number(instrument.currency)
        return self.take_rules(instrument)

    cdef int take_rules(self, Instrument instrument) except -1:
        """Look up what an instrument asks for; what is not marginable is paid in full."""
        cdef Holding* holding = &self.holdings[instrument.index]
        rules = self.rules
        own = rules.instruments.get(instrument.id) or rules.instruments.get(instrument.symbol)
        holding.settles = instrument.kind != "crypto"
        holding.lends = instrument.marginable and self.kind != CASH_ACCOUNT
        holding.initial = nano_from_object(rules.initial) if self.multiplier > 1 else ONE
        holding.intraday = self.day_rate
        holding.maintenance_long = nano_from_object(rules.maintenance_long)
        holding.maintenance_short = nano_from_object(rules.maintenance_short)
        holding.borrow = nano_from_object(rules.borrow_rate)
        if own is not None and own.initial is not None:
            holding.initial = holding.intraday = nano_from_object(own.initial)
        if own is not None and own.maintenance is not None:
            holding.maintenance_long = holding.maintenance_short = nano_from_object(
                own.maintenance
            )
        holding.floor_long = self.floor_of(instrument.margin_long, own, rules.maintenance_long)
        holding.floor_short = self.floor_of(instrument.margin_short, own, rules.maintenance_short)
        if own is not None and own.borrow_rate is not None:
            holding.borrow = nano_from_object(own.borrow_rate)
        if not holding.lends:
            holding.initial = holding.intraday = ONE
            holding.maintenance_long = holding.maintenance_short = ONE
        return 0

    cdef int64_t floor_of(self, object asked, object own, object usual) except -1:
        """What the broker asks of an instrument where that is more than of others; else 0.

        What the rules themselves name for it goes first.
        """
        if asked is None or (own is not None and own.maintenance is not None):
            return 0
        return nano_from_object(asked) if asked > usual else 0

    cdef int revalue(self, Py_ssize_t index, int64_t price) except -1:
        cdef Holding* holding = &self.holdings[index]
        cdef int128 change = i128_notional(price - holding.mark, holding.units, holding.factor)
        cdef int c = holding.currency
        if self.kind != CASH_ACCOUNT:
            self.weigh(index, False)
        if holding.units > 0:
            self.long_value[c] = i128_add(self.long_value[c], change)
        else:
            self.short_value[c] = i128_sub(self.short_value[c], change)
        if self.kind != CASH_ACCOUNT:
            holding.mark = price
            self.weigh(index, True)
        return 0

    cdef int weigh(self, Py_ssize_t index, bint adds) except -1:
        """Add what a holding asks for to the sums by currency, or take it off them."""
        cdef Holding* holding = &self.holdings[index]
        cdef int c = holding.currency
        cdef int64_t units = holding.units, mark = holding.mark
        cdef int128 initial = required(holding, &self.tiers, units, mark, INITIAL)
        cdef int128 intraday = required(holding, &self.tiers, units, mark, INTRADAY)
        cdef int128 maintenance = required(holding, &self.tiers, units, mark, MAINTENANCE)
        cdef int128 opened = required(
            holding, &self.tiers, opened_units(holding, units), mark, INTRADAY
        )
        if not adds:
            initial, intraday = i128_neg(initial), i128_neg(intraday)
            maintenance, opened = i128_neg(maintenance), i128_neg(opened)
        self.initial[c] = i128_add(self.initial[c], initial)
        self.intraday[c] = i128_add(self.intraday[c], intraday)
        self.maintenance[c] = i128_add(self.maintenance[c], maintenance)
        self.opened[c] = i128_add(self.opened[c], opened)
        return 0

    cdef int set_units(self, Py_ssize_t index, int64_t units, int64_t mark) except -1:
        """Replace a holding and its mark, keeping the sums by currency."""
        cdef Holding* holding = &self.holdings[index]
        cdef int128 old = i128_notional(holding.mark, holding.units, holding.factor)
        cdef int128 new = i128_notional(mark, units, holding.factor)
        cdef int c = holding.currency
        cdef int128 longs = i128_sub(self.long_value[c], old if old > 0 else 0)
        cdef int128 shorts = i128_add(self.short_value[c], old if old < 0 else 0)
        if self.kind != CASH_ACCOUNT:
            self.weigh(index, False)
        self.long_value[c] = i128_add(longs, new if new > 0 else 0)
        self.short_value[c] = i128_sub(shorts, new if new < 0 else 0)
        self.open_holdings += (units != 0) - (holding.units != 0)
        holding.units = units
        holding.mark = mark
        if self.kind != CASH_ACCOUNT:
            self.weigh(index, True)
        return 0

    cdef int trade(self, Py_ssize_t index, int side, int64_t quantity, int64_t price) except -1:
        """Book an execution: units against cash; the fee is paid apart."""
        cdef Holding* holding = &self.holdings[index]
        cdef int128 notional = i128_notional(price, quantity, holding.factor)
        cdef int128 balance = self.balance[holding.currency]
        balance = i128_sub(balance, notional) if side > 0 else i128_add(balance, notional)
        if self.settlement_days and holding.settles:
            self.settle_later(holding, side, quantity, price)
        self.set_units(index, holding.units + side * quantity, price)
        self.balance[holding.currency] = balance
        return 0

    cdef int settle_later(self, Holding* holding, int side, int64_t quantity,
                          int64_t price) except -1:
        """Note what an execution will pay or receive; only what closes a long is proceeds."""
        cdef int c = holding.currency
        cdef int64_t sold = 0
        cdef int128 flow = i128_notional(price, quantity, holding.factor)
        cdef int128 proceeds
        if side > 0:
            flow = i128_neg(flow)
        elif holding.units > 0:
            sold = min(holding.units, quantity)
        proceeds = i128_notional(price, sold, holding.factor)
        self.unpaid[c] = i128_add(self.unpaid[c], flow)
        self.flows_by_age[0][c] = i128_add(self.flows_by_age[0][c], flow)
        self.unsettled[c] = i128_add(self.unsettled[c], proceeds)
        self.proceeds_by_age[0][c] = i128_add(self.proceeds_by_age[0][c], proceeds)
        return 0

    cdef int pay(self, int currency, int128 amount) except -1:
        """Add a signed amount of cash."""
        self.balance[currency] = i128_add(self.balance[currency], amount)
        return 0

    cdef int reserve(self, int128 change) except -1:
        """Add to what waiting orders will cost, or take off it."""
        self.reserved = i128_add(self.reserved, change)
        return 0

    cdef int take_rate(self, int currency, int64_t rate) except -1:
        """Convert a currency at a rate in 1e-9 from here on."""
        self.rate[currency] = rate
        self.rate_changes += 1
        return 0

    cdef int128 to_base(self, int currency, int128 amount) except? -1:
        """Convert at the last known rate, rounded toward zero; nothing without a rate."""
        if currency == 0:
            return amount
        return i128_muldiv(amount, self.rate[currency], 1_000_000_000, TOWARD_ZERO)

    cdef int128 cash_raw(self) except? -1:
        cdef int i
        cdef int128 total = self.balance[0]
        if not self.single:
            for i in range(1, len(self.currencies)):
                total = i128_add(total, self.to_base(i, self.balance[i]))
        return total

    cdef int128 equity_raw(self) except? -1:
        cdef int i
        cdef int128 value, total = i128_add(
            self.balance[0], i128_sub(self.long_value[0], self.short_value[0])
        )
        if not self.single:
            for i in range(1, len(self.currencies)):
                value = i128_add(
                    self.balance[i], i128_sub(self.long_value[i], self.short_value[i])
                )
                total = i128_add(total, self.to_base(i, value))
        return total

    cdef int128 exposure_raw(self) except? -1:
        """Long plus short value, in base currency."""
        cdef int i
        cdef int128 total = i128_add(self.long_value[0], self.short_value[0])
        if not self.single:
            for i in range(1, len(self.currencies)):
                total = i128_add(
                    total, self.to_base(i, i128_add(self.long_value[i], self.short_value[i]))
                )
        return total

    cdef int128 from_base(self, int currency, int128 amount) except? -1:
        """Convert from base currency at the last known rate; what is missing is rounded up."""
        if currency == 0:
            return amount
        return i128_muldiv(
            amount, ONE, self.rate[currency], AWAY_FROM_ZERO if amount > 0 else TOWARD_ZERO
        )

    cdef int128 need_in_base(self, const int128* sums) except? -1:
        """Requirements by currency as one amount in base currency, rounded up."""
        cdef int i
        cdef int128 total = sums[0]
        if not self.single:
            for i in range(1, len(self.currencies)):
                total = i128_add(
                    total, i128_muldiv(sums[i], self.rate[i], ONE, AWAY_FROM_ZERO)
                )
        return total

    # -- the end of a day ----------------------------------------------------------------------

    cdef list end_day(self, int nights):
        """Charge the nights to come, let what is due settle, and begin another day.

        Returns
        -------
        list of (str, int, int, int)
            What was charged: "interest" or "borrow", instrument or -1, currency, amount in 1e-18
            (signed as cash).
        """
        cdef list charges = []
        cdef Py_ssize_t i
        cdef int128 need
        if nights > 0:
            self.charge_interest(nights, charges)
            self.charge_borrow(nights, charges)
        self.let_settle()
        self.last_equity = self.equity_raw()
        self.last_maintenance = need = self.need_in_base(self.maintenance)
        self.call_is_initial = False
        if self.multiplier == 4 and self.need_in_base(self.opened) > 0:
            # What was bought today on the day's credit has to meet Regulation T overnight.
            self.call_is_initial = self.need_in_base(self.initial) > need
            if self.call_is_initial:
                need = self.need_in_base(self.initial)
        self.call = 0
        if self.kind != CASH_ACCOUNT and need > self.last_equity:
            self.call = i128_sub(need, self.last_equity)
        self.day_deposits = 0
        for i in range(self.n_holdings):
            if self.holdings[i].carried == self.holdings[i].units:
                continue
            if self.kind != CASH_ACCOUNT:
                self.weigh(i, False)
            self.holdings[i].carried = self.holdings[i].units
            if self.kind != CASH_ACCOUNT:
                self.weigh(i, True)
        return charges

    cdef int charge_interest(self, int nights, list charges) except -1:
        """Interest on paid cash: on a debit to the broker, on a credit to us."""
        cdef int c
        cdef int128 paid, amount
        cdef int64_t debit = nano_from_object(self.rules.debit_rate)
        cdef int64_t credit = nano_from_object(self.rules.credit_rate)
        for c in range(len(self.currencies)):
            paid = i128_sub(self.balance[c], self.unpaid[c])
            amount = yearly(paid, debit if paid < 0 else credit, nights)
            if amount != 0:
                self.pay(c, amount)
                charges.append(("interest", -1, c, i128_to_int(amount)))
        return 0

    cdef int charge_borrow(self, int nights, list charges) except -1:
        """The fee for borrowed shares, on their value at the last price."""
        cdef Py_ssize_t i
        cdef Holding* holding
        cdef int128 amount
        for i in range(self.n_holdings):
            holding = &self.holdings[i]
            if holding.units >= 0 or holding.borrow == 0:
                continue
            amount = yearly(
                i128_notional(holding.mark, holding.units, holding.factor), holding.borrow, nights
            )
            if amount != 0:
                self.pay(holding.currency, amount)
                charges.append(("borrow", i, holding.currency, i128_to_int(amount)))
        return 0

    cdef int let_settle(self) except -1:
        """Let the oldest day's trades be paid; the others get a day older."""
        cdef int c, age
        if self.settlement_days == 0:
            return 0
        for c in range(len(self.currencies)):
            age = self.settlement_days - 1
            self.unsettled[c] = i128_sub(self.unsettled[c], self.proceeds_by_age[age][c])
            self.unpaid[c] = i128_sub(self.unpaid[c], self.flows_by_age[age][c])
            while age > 0:
                self.proceeds_by_age[age][c] = self.proceeds_by_age[age - 1][c]
                self.flows_by_age[age][c] = self.flows_by_age[age - 1][c]
                age -= 1
            self.proceeds_by_age[0][c] = self.flows_by_age[0][c] = 0
        return 0
