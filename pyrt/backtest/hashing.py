"""The run hash: one digest of everything that went in and came out, equal in any process."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from pyrt.kernel.kernel import Kernel

FORMAT = b"pyrt-run-1"


def _plain(value: Any) -> Any:
    """Stand-ins for values JSON does not know; never an address."""
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, value))
    if hasattr(value, "__qualname__"):
        return value.__qualname__
    return str(value)


def run_hash(kernel: Kernel, inputs: Iterable[bytes], settings: dict[str, Any]) -> str:
    """Return the hex digest of a finished run.

    Parameters
    ----------
    kernel : Kernel
    inputs : iterable of bytes
        Content hashes of the data, in any order.
    settings : dict
        Parameters, venue settings, seed: plain values.
    """
    digest = hashlib.blake2b(FORMAT, digest_size=32)
    for content in sorted(inputs):
        digest.update(content)
    text = json.dumps(settings, sort_keys=True, default=_plain, separators=(",", ":"))
    digest.update(text.encode())
    records = kernel.records
    for rows in (
        records.orders,
        records.order_events,
        records.fills,
        records.trips,
        records.ledger,
    ):
        digest.update(rows.count.to_bytes(8, "little"))
        digest.update(rows.tobytes())
    state = {
        "texts": records.texts.names,
        "positions": [p.to_dict() for p in kernel.cache.positions()],
        "balances": {c: str(v) for c, v in kernel.account.balances.items()},
    }
    digest.update(json.dumps(state, sort_keys=True, default=_plain).encode())
    return digest.hexdigest()
