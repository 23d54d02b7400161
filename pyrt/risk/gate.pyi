"""The gate every order passes: is it well-formed for its instrument and this position?"""

from pyrt.core.orders import Order
from pyrt.core.ports import RiskGate

class BasicGate(RiskGate):
    def halts(self, order: Order) -> bool: ...
