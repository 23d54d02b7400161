"""The trade-updates stream: its handshake, its frames, and what has to be read back after it."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from random import Random

import msgspec

from pyrt.adapters.alpaca.core.events import Alarm, Event
from pyrt.adapters.alpaca.core.ledger import Execution, Ledger
from pyrt.adapters.alpaca.core.messages import TradeUpdate, is_number
from pyrt.adapters.alpaca.core.stamps import text_ns
from pyrt.adapters.alpaca.core.streams import (
    ACTIVE,
    AUTHENTICATING,
    CONNECTING,
    SUBSCRIBING,
    Connection,
)
from pyrt.adapters.alpaca.credentials import Credentials
from pyrt.errors import DataError

KNOWN_EVENTS = frozenset(
    [
        "accepted",
        "pending_new",
        "new",
        "partial_fill",
        "fill",
        "canceled",
        "expired",
        "done_for_day",
        "replaced",
        "rejected",
        "held",
        "stopped",
        "calculated",
        "suspended",
        "pending_cancel",
        "pending_replace",
        "pending_review",
        "restated",
        "order_replace_rejected",
        "order_cancel_rejected",
    ]
)


class _Envelope(msgspec.Struct):
    stream: str
    data: msgspec.Raw = msgspec.Raw(b"{}")


class _Status(msgspec.Struct):
    status: str = ""


class TradeUpdates(Connection):
    """One account's order news; a hint that is fast, while REST is the proof.

    Parameters
    ----------
    credentials : Credentials
    ledger : Ledger
        Every update goes through its one apply.
    """

    def __init__(self, random: Random, credentials: Credentials, ledger: Ledger) -> None:
        super().__init__(random)
        self._credentials = credentials
        self._ledger = ledger
        self._envelopes = msgspec.json.Decoder(_Envelope)
        self._updates = msgspec.json.Decoder(TradeUpdate)
        self._wants_resync = False
        self.seen: list[TradeUpdate] = []

    def opened(self, now: int) -> None:
        """Note that the connection stands: authenticate."""
        key, secret = self._credentials.key, self._credentials.reveal_secret()
        self._send(msgspec.json.encode({"action": "auth", "key": key, "secret": secret}))
        self._move_to(AUTHENTICATING, now)

    def take_resync(self) -> bool:
        """Return, once, whether orders have to be read back: the stream replays nothing."""
        wanted, self._wants_resync = self._wants_resync, False
        return wanted

    def receive(self, frame: bytes | str, now: int) -> list[Event]:
        """Take a frame, text or binary; what makes no sense asks for a resync."""
        self.heard(now)
        raw = frame.encode() if isinstance(frame, str) else frame
        try:
            envelope = self._envelopes.decode(raw)
            if envelope.stream == "trade_updates":
                return self._on_update(self._updates.decode(envelope.data), now)
            return self._on_control(envelope, now)
        except (
            msgspec.DecodeError,
            DataError,
            InvalidOperation,
            UnicodeDecodeError,
            RecursionError,
        ) as error:
            self._wants_resync = True
            return [Alarm("bad_frame", f"trade update: {type(error).__name__}", now)]

    def _on_control(self, envelope: _Envelope, now: int) -> list[Event]:
        if envelope.stream == "authorization":
            status = msgspec.json.decode(envelope.data, type=_Status).status
            if status != "authorized":
                # The broker may leave the line open, and answers pings on it for ever.
                self._refused()
                return [Alarm("unauthorized", f"trade updates: {status}", now)]
            self._send(b'{"action":"listen","data":{"streams":["trade_updates"]}}')
            self._move_to(SUBSCRIBING, now)
        elif envelope.stream == "listening" and self.state in (CONNECTING, SUBSCRIBING):
            self._move_to(ACTIVE, now)
            self._wants_resync = True
        return []

    def _on_update(self, update: TradeUpdate, now: int) -> list[Event]:
        ts = text_ns(update.timestamp)
        numbers = (update.qty, update.price)
        if not update.order.is_sound or not all(map(is_number, numbers)):
            raise DataError("a number is none", code="no_number")
        self.seen.append(update)
        if update.event not in KNOWN_EVENTS or self._ledger.find(update.order) is None:
            self._wants_resync = True
        # `qty` is this execution's; a fill seen before is told apart by the cumulative quantity.
        execution = None
        if update.is_fill and update.qty and update.price:
            position = update.position_qty if is_number(update.position_qty) else None
            execution = Execution(Decimal(update.qty), Decimal(update.price), position or "")
        return self._ledger.apply(update.order, ts, execution=execution, reason=update.reason or "")

    def take_seen(self) -> list[TradeUpdate]:
        """Return the updates since the last call, oldest first."""
        taken, self.seen = self.seen, []
        return taken
