"""Booking: order, position, account, ledger and round trip move together."""

from enum import IntEnum
from typing import final

from pyrt.core.accounts import Account
from pyrt.core.ledger import Ledger
from pyrt.core.records import Records

class EntryKind(IntEnum):
    DEPOSIT = 0
    DIVIDEND = 1
    CASH_IN_LIEU = 2
    FEE_ADJUSTMENT = 3
    BORROW_FEE = 4
    INTEREST = 5

@final
class Booking:
    @property
    def account(self) -> Account: ...
    @property
    def records(self) -> Records: ...
    @property
    def ledger(self) -> Ledger: ...
    def keep_ledger(self, ts: int = 0) -> Ledger: ...
    def __init__(self, account: Account, records: Records) -> None: ...
