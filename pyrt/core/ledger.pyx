"""The ledger: double entry, every entry balanced in every currency to the last 1e-18."""
cimport cython
from libc.string cimport memset

from pyrt.core.int128 cimport i128_add, i128_from_int, i128_neg, i128_to_int
from pyrt.core.numbers cimport decimal_from_scaled
from pyrt.core.positions cimport Position

import numpy as np

from pyrt.errors import LedgerError

NAMES = tuple(LedgerAccount(i).name.lower() for i in range(9))
POSTING_DTYPE = [
    ("amount_low", "<u8"), ("amount_high", "<i8"), ("ts_event", "<i8"), ("entry", "<i4"),
    ("instrument", "<i4"), ("strategy", "<i4"), ("account", "<i2"), ("currency", "<i2"),
    ("reserved", "<i8"),
]


@cython.final
cdef class Ledger:
    """Every change of money as an entry of lines that sum to zero in each currency.

    Cash and what holdings cost are positive; capital, profits and charges are where they came
    from and went to: ``trading`` is the gross profit of closed units, negative for a gain.
    """

    def __init__(self):
        self.rows = Rows(sizeof(Posting))

    cdef int add(self, int account, int currency, int128 amount) except -1:
        """Add a line to the entry under way; one without an amount says nothing."""
        if amount == 0:
            return 0
        if self.n_lines == LINES_MAX:
            self.n_lines = 0
            raise LedgerError(f"an entry has more than {LINES_MAX} lines")
        self.lines[self.n_lines].account = account
        self.lines[self.n_lines].currency = currency
        self.lines[self.n_lines].amount = amount
        self.n_lines += 1
        return 0

    cdef int close(self, int64_t ts, int instrument, int strategy) except -1:
        """Post the entry under way; LedgerError, and nothing posted, if it does not balance."""
        cdef int128 totals[16]
        cdef Posting* row
        cdef int i, c
        cdef int n = self.n_lines
        self.n_lines = 0
        memset(totals, 0, sizeof(totals))
        for i in range(n):
            c = self.lines[i].currency
            totals[c] = i128_add(totals[c], self.lines[i].amount)
        for c in range(N_CURRENCIES):
            if totals[c] != 0:
                raise LedgerError(
                    f"entry {self.entries + 1} is off by {money(totals[c])} in currency {c}",
                    code="unbalanced",
                )
        if n == 0:
            return 0
        self.entries += 1
        for i in range(n):
            row = <Posting*>self.rows.append()
            row[0] = self.lines[i]
            row.ts_event = ts
            row.entry = self.entries
            row.instrument = instrument
            row.strategy = strategy
            c = row.currency
            self.sums[row.account][c] = i128_add(self.sums[row.account][c], row.amount)
        return 0

    cdef int fill(self, int64_t ts, int instrument, int strategy, int currency, int128 cash,
                  int128 cost, int128 gross, int128 fee, int fee_currency) except -1:
        """An execution: cash and cost of holdings change, closed units earn, the fee is paid."""
        self.add(CASH, currency, cash)
        self.add(HOLDINGS, currency, cost)
        self.add(TRADING, currency, i128_neg(gross))
        self.add(CASH, fee_currency, i128_neg(fee))
        self.add(FEES, fee_currency, fee)
        return self.close(ts, instrument, strategy)

    cdef int movement(self, int64_t ts, int account, int instrument, int strategy, int currency,
                      int128 amount) except -1:
        """Cash that came (or went) for a reason that is no trade."""
        self.add(CASH, currency, amount)
        self.add(account, currency, i128_neg(amount))
        return self.close(ts, instrument, strategy)

    # -- face ----------------------------------------------------------------------------------

    def __len__(self):
        return self.entries

    def post(self, int64_t ts, lines, *, int instrument=-1, int strategy=-1):
        """Post one entry by hand: (account, currency number, amount in 1e-18) lines.

        LedgerError, and nothing posted, if they do not sum to zero in each currency, or name an
        account or a currency that there is none of.
        """
        try:
            for account, currency, amount in lines:
                if account not in NAMES or not 0 <= currency < N_CURRENCIES:
                    raise LedgerError(
                        f"there is no account {account!r} in currency {currency!r}",
                        remedy=f"Accounts: {', '.join(NAMES)}; currencies: 0 to {N_CURRENCIES - 1}",
                    )
                self.add(NAMES.index(account), currency, i128_from_int(amount))
            self.close(ts, instrument, strategy)
        finally:
            self.n_lines = 0

    def balances(self, currencies):
        """Return (account, currency) → Decimal of all that are not zero.

        Parameters
        ----------
        currencies : sequence of str
            Names by number, such as `Account.currencies`.
        """
        cdef int a, c
        found = {}
        for a in range(N_ACCOUNTS):
            for c in range(len(currencies)):
                if self.sums[a][c] != 0:
                    found[NAMES[a], currencies[c]] = money(self.sums[a][c])
        return found

    def differences(self, AccountBooks account, positions):
        """Return what ledger, account and positions do not agree on; empty when all is well.

        Cash is compared by currency with the account, the cost of holdings and all that trading,
        fees and dividends made with the positions.

        Parameters
        ----------
        account : Account
        positions : sequence of Position
            All there have been, closed ones too.
        """
        cdef Position position
        cdef int128 costs[16]
        cdef int128 earned[16]
        cdef int128 made
        cdef int c
        found = {}
        memset(costs, 0, sizeof(costs))
        memset(earned, 0, sizeof(earned))
        for position in positions:
            c = account.currencies.index(position.instrument.currency)
            costs[c] = i128_add(costs[c], position.open_cost)
            earned[c] = i128_add(earned[c], position.realized)
        for c in range(len(account.currencies)):
            made = i128_add(self.sums[<int>TRADING][c], self.sums[<int>FEES][c])
            made = i128_neg(i128_add(made, self.sums[<int>DIVIDENDS][c]))
            for what, mine, theirs in (
                ("cash", money(self.sums[<int>CASH][c]), money(account.balance[c])),
                ("holdings", money(self.sums[<int>HOLDINGS][c]), money(costs[c])),
                ("realized", money(made), money(earned[c])),
            ):
                if mine != theirs:
                    found[what, account.currencies[c]] = (mine, theirs)
        return found

    def table(self):
        """Return the lines as a NumPy record array; a copy."""
        return np.frombuffer(self.rows.tobytes(), dtype=POSTING_DTYPE)


cdef object money(int128 amount):
    return decimal_from_scaled(i128_to_int(amount), 18)
