"""Booking executions: order, position, account, ledger and round trip move together or not at all."""

from enum import IntEnum
from typing import final

from pyrt.core.accounts import Account
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
    def __init__(self, account: Account, records: Records) -> None: ...
