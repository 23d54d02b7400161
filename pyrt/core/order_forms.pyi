"""Orders, what happened to them and their fills, read back from plain values."""

from collections.abc import Mapping
from typing import Any

from pyrt.core.instruments import Instrument
from pyrt.core.orders import Fill, Order, OrderEvent

def order_from_dict(
    values: Mapping[str, Any], instrument: Instrument, orders: Mapping[str, Order] | None = None
) -> Order: ...
def event_from_dict(values: Mapping[str, Any], order: Order) -> OrderEvent: ...
def fill_from_dict(
    values: Mapping[str, Any], instrument: Instrument, orders: Mapping[str, Order] | None = None
) -> Fill: ...
