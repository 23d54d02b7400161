"""Queue models: how much of a price level trades before an order that rests there.

An order joins behind all that is shown at its price. Prints at that price take from the front.
Where the level shrinks without a print, somebody has canceled, and a model says who it was:
somebody behind the order (risk-averse), somebody at a place drawn towards the back
(probabilistic), or, where single orders are shown, the very order that left (exact).

Sizes are in the instrument's quantity (shares, coins), as floats; `ahead` below zero is what a
print has left over for the order.
"""

from typing import Any, final

SHAPES: dict[str, int]

class QueueModel:
    def on_join(self, shown: float) -> float: ...
    def on_trade(self, ahead: float, size: float) -> float: ...
    def on_change(self, ahead: float, before: float, after: float, traded: float) -> float: ...

class RiskAverse(QueueModel): ...

@final
class Probabilistic(QueueModel):
    @property
    def shape(self) -> int: ...
    @property
    def power(self) -> float: ...
    def __init__(self, shape: str = "power", n: float = 1.0) -> None: ...

@final
class Exact(RiskAverse): ...

def queue_model(value: Any) -> QueueModel: ...
