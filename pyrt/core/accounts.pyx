"""An account: what its broker's rules let it afford, and what it shows."""
cimport cython

from pyrt.core.int128 cimport (
    AWAY_FROM_ZERO, i128_add, i128_mul, i128_muldiv, i128_neg, i128_notional, i128_sub,
    i128_to_double, i128_to_int,
)
from pyrt.core.margin cimport INITIAL, MAINTENANCE, required
from pyrt.core.numbers cimport decimal_from_scaled, money_from_object, nano_from_object
from pyrt.core.orders cimport no_price

from pyrt.errors import UnknownName

cdef int64_t ONE = 1_000_000_000


cdef object exact(int128 raw):
    return decimal_from_scaled(i128_to_int(raw), 18)


@cython.final
cdef class Account(AccountPower):
    """Cash, holdings and their margin, judged by the rules of a broker; money is exact in 1e-18.

    Under the rules of a cash account buys need cash, and a short needs its value in cash on top
    of the proceeds: these are credited but locked, together with collateral of the short's full
    current value, so free cash is `cash - 2 × value of shorts`. For the others see
    `pyrt.core.account_rules.AccountRules`.

    Parameters
    ----------
    cash : number
        Opening balance in `currency`.
    currency : str
        Base currency; equity is stated in it. Other currencies are converted at the last rate
        that was stated, assets and debts rounded toward zero and requirements away from it; a
        currency without a rate counts as nothing, and nothing in it can be afforded on margin.
    rules : AccountRules, str or mapping
        ``"cash"``, ``"margin"``, ``"margin:4"``, ``"alpaca"``, ...
    """

    def register(self, Instrument instrument):
        """Make the instrument known; it needs a dense index already."""
        self.add_instrument(instrument)

    def set_rate(self, str currency, rate):
        """State how many units of base currency one unit of `currency` is worth."""
        self.take_rate(self.currency_number(currency), nano_from_object(rate))

    def deposit(self, amount, currency=None):
        """Add cash (negative to withdraw)."""
        cdef int c = self.currency_number(currency or self.base_currency)
        self.pay(c, money_from_object(amount))
        self.day_deposits = i128_add(self.day_deposits, self.to_base(c, money_from_object(amount)))

    def mark(self, Instrument instrument, price):
        """Take a new price of an instrument."""
        self.set_mark(instrument.index, nano_from_object(price))

    def execute(self, Instrument instrument, quantity, price, fee=0):
        """Book an execution: signed quantity against cash, and the fee."""
        cdef int64_t units = instrument.quantity_raw(quantity)
        cdef int128 paid = money_from_object(fee)
        self.trade(
            instrument.index, 1 if units > 0 else -1, units if units > 0 else -units,
            nano_from_object(price),
        )
        self.pay(self.holdings[instrument.index].currency, i128_neg(paid))

    def lacks(self, Instrument instrument, quantity, price, fee=0):
        """Return what is missing to execute a signed quantity, as a Decimal; 0 for nothing."""
        cdef int64_t units = instrument.quantity_raw(quantity)
        cdef int128 missing = self.shortfall(
            instrument.index, 1 if units > 0 else -1, units if units > 0 else -units,
            nano_from_object(price), money_from_object(fee),
        )
        return exact(missing if missing > 0 else 0)

    def set_reserved(self, amount):
        """State what waiting orders will cost in base currency: it is no buying power."""
        self.reserved = money_from_object(amount)

    def reserves(self, Instrument instrument, quantity, *, limit_price=None, stop_price=None,
                 last_price=None):
        """Return what a waiting order of a signed quantity reserves, as a Decimal.

        Nothing for what only shrinks a holding; see `AccountRules` for collar and mark-up.
        `last_price` is that of the last mark unless stated.
        """
        cdef int64_t units = instrument.quantity_raw(quantity)
        cdef int64_t last = self.holdings[instrument.index].mark
        return exact(self.reserve_of(
            instrument, 1 if units > 0 else -1, units if units > 0 else -units,
            no_price() if limit_price is None else nano_from_object(limit_price),
            no_price() if stop_price is None else nano_from_object(stop_price),
            last if last_price is None else nano_from_object(last_price),
        ))

    def reserves_value(self, Instrument instrument, value, *, last_price=None):
        """Return what a waiting order for a signed value reserves, as a Decimal.

        The value is in the quote currency and has come to no quantity yet; nothing is reserved
        for what only shrinks a holding. `last_price` is that of the last mark unless stated.
        """
        cdef Holding* holding = &self.holdings[instrument.index]
        cdef int128 worth = money_from_object(value)
        cdef int side = 1 if worth > 0 else -1
        cdef int64_t held = -side * holding.units
        cdef int64_t last = holding.mark if last_price is None else nano_from_object(last_price)
        if side < 0:
            worth = i128_neg(worth)
        if held > 0:
            worth = i128_sub(worth, i128_notional(last, held, holding.factor))
        if worth <= 0:
            return exact(0)
        worth = self.power_used(holding, side, last, worth)
        return exact(i128_muldiv(worth, self.rate[holding.currency], ONE, AWAY_FROM_ZERO))

    def close_day(self, int nights=1):
        """End a day: charge the nights to come, settle what is due, see whether margin suffices.

        Returns
        -------
        list of (str, int, str, Decimal)
            Charges: ``"interest"`` or ``"borrow"``, instrument index or -1, currency, amount as it
            changed cash.
        """
        return [
            (kind, index, self.currencies[c], decimal_from_scaled(raw, 18))
            for kind, index, c, raw in self.end_day(nights)
        ]

    def balance_exact(self, currency=None):
        """Return the cash balance of one currency as a Decimal; UnknownName if never held."""
        currency = currency or self.base_currency
        if currency not in self.currencies:
            raise UnknownName(f"the account holds no {currency!r}, only {self.currencies}")
        return exact(self.balance[<int>self.currencies.index(currency)])

    @property
    def balances(self):
        """Cash by currency, as Decimals."""
        return {currency: self.balance_exact(currency) for currency in self.currencies}

    @property
    def rates(self):
        """Units of base currency for one of each currency, as Decimals; 0 where none was stated."""
        return {
            currency: decimal_from_scaled(self.rate[i], 9)
            for i, currency in enumerate(self.currencies)
        }

    @property
    def cash(self):
        """Cash in base currency; other currencies at their last rate."""
        return i128_to_double(self.cash_raw())

    @property
    def cash_exact(self):
        """Cash in base currency, as a Decimal."""
        return exact(self.cash_raw())

    @property
    def equity(self):
        """Cash plus marked value of all holdings, in base currency."""
        return i128_to_double(self.equity_raw())

    @property
    def equity_exact(self):
        """Cash plus marked value of all holdings, as a Decimal."""
        return exact(self.equity_raw())

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
        """What can be bought with base currency now, waiting orders deducted; never negative."""
        return i128_to_double(self.open_power())

    @property
    def buying_power_exact(self):
        """`buying_power` as a Decimal."""
        return exact(self.open_power())

    cdef int128 open_power(self) except? -1:
        """Buying power that no waiting order has reserved."""
        cdef int128 room
        if self.waiting is not None:
            self.reserved = money_from_object(self.waiting())
        room = i128_sub(self.power_raw(), self.reserved)
        return room if room > 0 else 0

    @property
    def margin(self):
        """Whether money and shares may be borrowed."""
        return self.kind != CASH_ACCOUNT

    @property
    def can_short(self):
        """Whether shares can be borrowed now, to be sold short on margin."""
        return self.margin and bool(self.shorts())

    @property
    def settled_cash(self):
        """Cash in base currency without the proceeds of sales that are not paid yet."""
        return i128_to_double(i128_sub(self.cash_raw(), self.need_in_base(self.unsettled)))

    @property
    def margin_call(self):
        """What equity lacks to what margin asks for; 0.0 without a margin call.

        What a day's end asked for stays asked for until equity has it.
        """
        return i128_to_double(self.call_raw())

    @property
    def day_pnl(self):
        """Change of equity since the last day ended, deposits left out."""
        return i128_to_double(self.day_pnl_raw())

    @property
    def day_pnl_exact(self):
        """`day_pnl` as a Decimal."""
        return exact(self.day_pnl_raw())

    cdef int128 day_pnl_raw(self) except? -1:
        return i128_sub(i128_sub(self.equity_raw(), self.last_equity), self.day_deposits)

    def margin_state(self):
        """Return what a margin account shows, as Decimals in base currency.

        Returns
        -------
        dict
            ``multiplier`` (in force: 1 below the least equity), ``cash``, ``settled_cash``,
            ``equity``, ``last_equity``, ``long_market_value``, ``short_market_value`` (negative),
            ``initial_margin``, ``maintenance_margin``, ``last_maintenance_margin``,
            ``buying_power``, ``regt_buying_power``, ``daytrading_buying_power``,
            ``non_marginable_buying_power`` (all four without what waiting orders reserve, never
            negative), ``reserved``, ``sma`` (equity that no holding needs overnight),
            ``margin_call`` and ``can_short``.
        """
        cdef bint lends = self.lends() and self.multiplier > 1
        cdef int128 free = self.regt_raw()
        cdef int128 power = self.open_power()
        cdef int128 day = i128_sub(
            i128_sub(self.last_equity, self.last_maintenance), self.need_in_base(self.opened)
        )
        return {
            "multiplier": self.multiplier if lends else 1,
            "cash": self.cash_exact,
            "settled_cash": exact(i128_sub(self.cash_raw(), self.need_in_base(self.unsettled))),
            "equity": self.equity_exact,
            "last_equity": exact(self.last_equity),
            "long_market_value": exact(self.need_in_base(self.long_value)),
            "short_market_value": -exact(self.need_in_base(self.short_value)),
            "initial_margin": exact(self.need_in_base(self.initial)),
            "maintenance_margin": exact(self.need_in_base(self.maintenance)),
            "last_maintenance_margin": exact(self.last_maintenance),
            "buying_power": exact(power),
            "regt_buying_power": self.unreserved(i128_mul(free, 2 if lends else 1)),
            "daytrading_buying_power": self.unreserved(
                i128_mul(day, 4) if lends and self.multiplier == 4 else 0
            ),
            "non_marginable_buying_power": self.unreserved(self.unmargined_raw()),
            "reserved": exact(self.reserved),
            "sma": exact(free if free > 0 else 0),
            "margin_call": exact(self.call_raw()),
            "can_short": self.can_short,
        }

    cdef object unreserved(self, int128 room):
        room = i128_sub(room, self.reserved)
        return exact(room if room > 0 else 0)

    def requirement(self, Instrument instrument, quantity, price):
        """Return (initial, maintenance) margin of a holding of this account, as Decimals.

        Parameters
        ----------
        instrument : Instrument
            Registered here.
        quantity : number
            Signed.
        price : number
        """
        cdef Holding* holding = &self.holdings[instrument.index]
        cdef int64_t units = instrument.quantity_raw(quantity), raw = nano_from_object(price)
        return (
            exact(required(holding, &self.tiers, units, raw, INITIAL)),
            exact(required(holding, &self.tiers, units, raw, MAINTENANCE)),
        )

    def __repr__(self):
        return f"Account(cash={self.cash:.2f} {self.base_currency}, equity={self.equity:.2f})"
