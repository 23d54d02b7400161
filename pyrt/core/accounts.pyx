"""An account's cash by currency, what it holds, and what it can still afford."""
cimport cython
from libc.stdlib cimport free, realloc
from libc.string cimport memset

from pyrt.core.int128 cimport (
    TOWARD_ZERO, i128_add, i128_mul, i128_muldiv, i128_notional, i128_sub, i128_to_double,
    i128_to_int,
)
from pyrt.core.numbers cimport decimal_from_scaled, money_from_object, nano_from_object
from pyrt.errors import ConfigError, UnknownName


@cython.final
cdef class Account:
    """A cash account: buys need cash; a short needs its value in cash on top of the proceeds.

    Short proceeds are credited but locked, together with collateral of the short's full current
    value, so free cash is `cash - 2 × value of shorts`. Money is exact in 1e-18.

    Parameters
    ----------
    cash : number
        Opening balance in `currency`.
    currency : str
        Base currency; equity is stated in it.
    """

    def __init__(self, cash, str currency="USD"):
        self.base_currency = currency
        self.currencies = [currency]
        memset(self.balance, 0, sizeof(self.balance))
        memset(self.long_value, 0, sizeof(self.long_value))
        memset(self.short_value, 0, sizeof(self.short_value))
        memset(self.rate, 0, sizeof(self.rate))
        self.rate[0] = 1_000_000_000
        self.balance[0] = money_from_object(cash)
        self.single = True
        self.leverage = 1

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
        return 0

    cdef int revalue(self, Py_ssize_t index, int64_t price) except -1:
        cdef Holding* holding = &self.holdings[index]
        cdef int128 change = i128_notional(price - holding.mark, holding.units, holding.factor)
        cdef int c = holding.currency
        if holding.units > 0:
            self.long_value[c] = i128_add(self.long_value[c], change)
        else:
            self.short_value[c] = i128_sub(self.short_value[c], change)
        return 0

    cdef int set_units(self, Py_ssize_t index, int64_t units, int64_t mark) except -1:
        """Replace a holding and its mark, keeping the sums by currency."""
        cdef Holding* holding = &self.holdings[index]
        cdef int128 old = i128_notional(holding.mark, holding.units, holding.factor)
        cdef int128 new = i128_notional(mark, units, holding.factor)
        cdef int c = holding.currency
        cdef int128 longs = i128_sub(self.long_value[c], old if old > 0 else 0)
        cdef int128 shorts = i128_add(self.short_value[c], old if old < 0 else 0)
        self.long_value[c] = i128_add(longs, new if new > 0 else 0)
        self.short_value[c] = i128_sub(shorts, new if new < 0 else 0)
        self.open_holdings += (units != 0) - (holding.units != 0)
        holding.units = units
        holding.mark = mark
        return 0

    cdef int trade(self, Py_ssize_t index, int side, int64_t quantity, int64_t price) except -1:
        """Book an execution: units against cash; the fee is paid apart."""
        cdef Holding* holding = &self.holdings[index]
        cdef int128 notional = i128_notional(price, quantity, holding.factor)
        cdef int128 balance = self.balance[holding.currency]
        balance = i128_sub(balance, notional) if side > 0 else i128_add(balance, notional)
        self.set_units(index, holding.units + side * quantity, price)
        self.balance[holding.currency] = balance
        return 0

    cdef int pay(self, int currency, int128 amount) except -1:
        """Add a signed amount of cash."""
        self.balance[currency] = i128_add(self.balance[currency], amount)
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

    cdef int128 free_raw(self, int currency) except? -1:
        """Cash that is neither spent nor locked behind shorts, in that currency."""
        return i128_sub(self.balance[currency], i128_mul(self.short_value[currency], 2))

    cdef int128 shortfall(self, Py_ssize_t index, int side, int64_t quantity, int64_t price,
                          int128 fee) except? -1:
        """What is missing to execute this, in the quote currency; <= 0 when it can be afforded.

        What only shrinks a holding is always affordable. Otherwise free cash after the trade,
        at the trade's own price, must not be negative.
        """
        cdef Holding* holding = &self.holdings[index]
        cdef int64_t after = holding.units + side * quantity
        cdef int128 free_cash, notional
        if (holding.units != 0 and (after == 0 or (after > 0) == (holding.units > 0))
                and (after if after >= 0 else -after)
                <= (holding.units if holding.units >= 0 else -holding.units)):
            return 0
        notional = i128_notional(price, quantity, holding.factor)
        free_cash = self.free_raw(holding.currency)
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

    # -- face ----------------------------------------------------------------------------------

    def register(self, Instrument instrument):
        """Make the instrument known; it needs a dense index already."""
        self.add_instrument(instrument)

    def set_rate(self, str currency, rate):
        """State how many units of base currency one unit of `currency` is worth."""
        self.rate[self.currency_number(currency)] = nano_from_object(rate)

    def deposit(self, amount, currency=None):
        """Add cash (negative to withdraw)."""
        self.pay(self.currency_number(currency or self.base_currency), money_from_object(amount))

    def balance_exact(self, currency=None):
        """Return the cash balance of one currency as a Decimal; UnknownName if never held."""
        currency = currency or self.base_currency
        if currency not in self.currencies:
            raise UnknownName(f"the account holds no {currency!r}, only {self.currencies}")
        return decimal_from_scaled(
            i128_to_int(self.balance[<int>self.currencies.index(currency)]), 18
        )

    @property
    def balances(self):
        """Cash by currency, as Decimals."""
        return {currency: self.balance_exact(currency) for currency in self.currencies}

    @property
    def cash(self):
        """Cash in base currency; other currencies at their last rate."""
        return i128_to_double(self.cash_raw())

    @property
    def cash_exact(self):
        """Cash in base currency, as a Decimal."""
        return decimal_from_scaled(i128_to_int(self.cash_raw()), 18)

    @property
    def equity(self):
        """Cash plus marked value of all holdings, in base currency."""
        return i128_to_double(self.equity_raw())

    @property
    def equity_exact(self):
        """Cash plus marked value of all holdings, as a Decimal."""
        return decimal_from_scaled(i128_to_int(self.equity_raw()), 18)

    @property
    def market_value(self):
        """Long minus short value, in base currency."""
        return i128_to_double(i128_sub(self.equity_raw(), self.cash_raw()))

    @property
    def gross_exposure(self):
        """Long plus short value, in base currency."""
        return i128_to_double(self.exposure_raw())

    @property
    def buying_power(self):
        """What can be bought with base currency now; never negative."""
        cdef int128 raw = self.free_raw(0)
        return i128_to_double(raw) if raw > 0 else 0.0

    def __repr__(self):
        return f"Account(cash={self.cash:.2f} {self.base_currency}, equity={self.equity:.2f})"
