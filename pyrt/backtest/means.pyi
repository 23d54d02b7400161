from typing import final

from pyrt.core.accounts import Account
from pyrt.core.ports import FeeModel

@final
class Means:
    @property
    def reserves(self) -> bool: ...
    def __init__(self, account: Account, fees: FeeModel) -> None: ...
