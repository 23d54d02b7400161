"""Data, orders and events to dict, MessagePack and Arrow, and back without loss."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from pyrt.core.data import (
    Bar,
    BookDelta,
    CorporateAction,
    CustomData,
    Quote,
    Signal,
    Status,
    Trade,
)
from pyrt.core.instruments import Instrument
from pyrt.core.order_forms import event_from_dict, fill_from_dict, order_from_dict
from pyrt.core.orders import Fill, Order, OrderEvent
from pyrt.errors import DataError, UnknownName

if TYPE_CHECKING:
    import pyarrow as pa

DATA_TYPES: dict[str, type] = {
    cls.__name__: cls
    for cls in (Bar, Quote, Trade, BookDelta, Status, CorporateAction, CustomData, Signal)
}
"""Types that are rebuilt from their own fields alone."""

Instruments = Mapping[str, Instrument]


def to_dict(value: Any) -> dict[str, Any]:
    """Return plain values by name, with the type's name under ``"type"``.

    Exact numbers of orders and fills are decimal text.

    Raises
    ------
    DataError
        If the value is of no type of pyrt.
    """
    name = type(value).__name__
    if name in DATA_TYPES or isinstance(value, (Instrument, Fill, OrderEvent)):
        return {"type": name, **value.to_dict()}
    if isinstance(value, Order):
        # An order has a "type" of its own.
        return {**value.to_dict(), "type": name, "order_type": value.order_type}
    raise DataError(f"{name} is not serializable", type=name)


def from_dict(
    values: Mapping[str, Any],
    *,
    instruments: Instruments | None = None,
    orders: Mapping[str, Order] | None = None,
) -> Any:
    """Return the object that `to_dict` described.

    Parameters
    ----------
    values : mapping
    instruments : mapping of id to Instrument, optional
        Orders and fills refer to theirs by id.
    orders : mapping of client order id to Order, optional
        Order events refer to theirs by id. So do fills, and exits to what they belong to; these
        are read without it too, and then know no more of it than the id.

    Raises
    ------
    UnknownName
        If the type, instrument or order is not known.
    """
    fields = dict(values)
    name = fields.pop("type", None)
    if name in DATA_TYPES:
        return DATA_TYPES[name](**fields)
    if name == "Instrument":
        return Instrument(**fields)
    if name == "Order":
        return order_from_dict(fields, _find(instruments, fields["symbol"], "instrument"), orders)
    if name == "OrderEvent":
        return event_from_dict(fields, _find(orders, fields["client_order_id"], "order"))
    if name == "Fill":
        return fill_from_dict(fields, _find(instruments, fields["symbol"], "instrument"), orders)
    raise UnknownName(f"{name!r} is no type of pyrt", name=name)


def _find(known: Mapping[str, Any] | None, name: str, what: str) -> Any:
    if known is None or name not in known:
        raise UnknownName(f"no {what} {name!r} was given to read it with", name=name)
    return known[name]


def encode(value: Any) -> bytes:
    """Return the MessagePack form of `to_dict`."""
    return msgspec.msgpack.encode(to_dict(value))


def decode(data: bytes, **known: Any) -> Any:
    """Return the object of `encode`; arguments as for `from_dict`.

    Raises
    ------
    DataError
        If the bytes are no MessagePack map.
    """
    try:
        values = msgspec.msgpack.decode(data, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise DataError(f"not a MessagePack map: {error}") from None
    return from_dict(values, **known)


def to_arrow(values: Sequence[Any]) -> pa.Table:
    """Return an Arrow table, one row each; all values must be of one type.

    Values that are not scalars (of CustomData) are kept as MessagePack.
    """
    import pyarrow as pa

    rows = [to_dict(value) for value in values]
    names = {row.pop("type") for row in rows}
    if len(names) != 1:
        raise DataError(f"a table holds one type, not {sorted(names) or 'none'}")
    (name,) = names
    if name == "CustomData":
        for row in rows:
            row["value"] = msgspec.msgpack.encode(row["value"])
    return pa.Table.from_pylist(rows).replace_schema_metadata({"pyrt.type": name})


def from_arrow(table: pa.Table, **known: Any) -> list[Any]:
    """Return the objects of `to_arrow`; arguments as for `from_dict`."""
    metadata = table.schema.metadata or {}
    name = metadata.get(b"pyrt.type", b"").decode()
    rows: Iterable[dict[str, Any]] = table.to_pylist()
    if name == "CustomData":
        rows = ({**row, "value": msgspec.msgpack.decode(row["value"])} for row in rows)
    return [from_dict({"type": name, **row}, **known) for row in rows]
