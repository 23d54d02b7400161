"""The one way to send orders beside a node: under the account's lock, journaled, reducing."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import msgspec

from pyrt.adapters.alpaca.account.reading import Reader, refusal_of
from pyrt.adapters.alpaca.account.together import LOOK, Outcome, all_done, each_of
from pyrt.adapters.alpaca.core.pacing import RetryPolicy
from pyrt.adapters.alpaca.core.rest import HttpRequest
from pyrt.adapters.alpaca.shell.http import Answer
from pyrt.errors import (
    BrokerError,
    ConfigError,
    ConnectionLost,
    JournalError,
    OrderError,
    PyrtError,
)
from pyrt.live.journal.files import RealFiles
from pyrt.live.journal.journal import Journal
from pyrt.live.journal.records import Operation
from pyrt.live.process.lock import Lock, account_lock_path, lock_account

LOG = logging.getLogger("pyrt.live.scripts")
FINAL = frozenset({"filled", "canceled", "expired", "rejected", "replaced"})
LOOKS = 20
LOOK_S = 0.25
CANCELS = RetryPolicy(attempts=8)
CANCELS_AT_ONCE = 16


class Reducer:
    """Cancels orders and closes positions of an account that no node holds.

    Parameters
    ----------
    reader : Reader
    trading_url, account : str
        What is locked.
    folder : path, optional
        Of the journal; by default in the user's state folder.
    """

    def __init__(
        self, reader: Reader, trading_url: str, account: str, folder: Path | None = None
    ) -> None:
        self._reader = reader
        self._place = (trading_url, account)
        self._folder = folder
        self._lock: Lock | None = None
        self._journal: Journal | None = None
        self._at_once = asyncio.Semaphore(CANCELS_AT_ONCE)
        self._closing: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def close(self) -> None:
        """Let go of the account."""
        if self._journal is not None:
            self._journal.close()
        if self._lock is not None:
            self._lock.release()
        self._journal = self._lock = None

    # -- orders --------------------------------------------------------------------------------

    async def cancel(self, order_id: str, reason: str) -> dict[str, Any]:
        """Cancel until the outcome is known."""
        (ended,) = all_done(await self.cancel_each([order_id], reason))
        return ended

    async def cancel_each(self, order_ids: Iterable[str], reason: str) -> dict[str, Outcome]:
        """Ask for the end of every order, then wait for each; return what it came to, by its id.

        On a disk that takes no record too, as a node does.
        """
        self._hold()
        wanted = dict.fromkeys(order_ids)
        for order_id in wanted:
            try:
                self._note("cancel", reason, {"order_id": order_id})
            except (PyrtError, OSError) as error:
                LOG.warning("the cancel of %s is not written down: %s", order_id, error)
        # However long one takes to end: by then the others have been asked for.
        answers = await asyncio.gather(*(self._delete(_path_of(each)) for each in wanted))
        asked = zip(wanted, answers, strict=True)
        return await each_of({each: self._ended(each, answer) for each, answer in asked})

    async def _delete(self, path: str) -> Answer:
        async with self._at_once:
            return await self._reader.once(HttpRequest("DELETE", path, b""))

    async def _ended(self, order_id: str, answer: Answer) -> dict[str, Any]:
        """See an order to its end whose cancel was answered so, and cancel it again until then."""
        path, status, name = _path_of(order_id), "not known", f"order {order_id}"
        for attempt in range(1, CANCELS.attempts + 1):
            if attempt > 1:
                answer = await self._delete(path)
            if answer.status == 404:
                raise refusal_of(HttpRequest("DELETE", path, b""), answer)
            try:
                order = await self._settled(path)
            except ConnectionLost:
                # That nothing is heard says nothing of the order.
                order = {}
            status = order.get("status", status)
            successor = order.get("replaced_by")
            if status == "replaced" and successor:
                # Whatever has taken its place is what works now, and nothing is known of it yet.
                path, status = _path_of(successor), "not known"
                name = f"order {order_id}, replaced by {successor},"
                continue
            if status in FINAL:
                return order
            await asyncio.sleep(min(LOOK_S * 2**attempt, 5.0))
        raise ConnectionLost(
            f"{name} is {status} after {attempt} cancels", code="unknown_outcome", remedy=LOOK
        )

    async def _settled(self, path: str) -> dict[str, Any]:
        """Look until an order has come to its end, or has had the time to."""
        order: dict[str, Any] = {}
        for _ in range(LOOKS):
            order = await self._reader.get(path)
            if order["status"] in FINAL or order["status"] not in ("pending_cancel", "accepted"):
                return order
            await asyncio.sleep(LOOK_S)
        return order

    # -- positions -----------------------------------------------------------------------------

    async def close_position(
        self, symbol: str, quantity: Decimal | str | None, reason: str
    ) -> dict[str, Any]:
        """Send the one order that reduces a position, by what its exits have left of it."""
        position = await self._position(symbol)
        if position is None:
            raise OrderError(f"there is no position in {symbol}", code="no_position")
        # Named twice, the second goes by what the first has left.
        async with self._closing[position["symbol"]]:
            return await self._close(position, quantity, reason)

    async def _close(
        self, position: dict[str, Any], quantity: Decimal | str | None, reason: str
    ) -> dict[str, Any]:
        order = _closing(position, quantity)
        # Without a record it does not leave, and then its exits have to stay.
        self._note("close", reason, order)
        freed = await self._free(position["symbol"], reason)
        left = _left_of(order, await self._now_held(order), is_all=quantity is None)
        if left != order:
            left = self._note_rest(order, left, reason)
        try:
            return await self._send(left)
        except BrokerError as error:
            raise _unprotected(error, left["symbol"]) if freed else error from None

    async def _now_held(self, order: dict[str, Any]) -> Decimal:
        """Look again: what was canceled may have filled before it ended."""
        try:
            position = await self._position(order["symbol"])
        except (BrokerError, ConnectionLost) as error:
            raise ConnectionLost(
                f"the exits of {order['symbol']} are canceled, and its position is not known, so "
                f"nothing was sent: {error.message}",
                code="unknown_position",
                remedy="Look at the account, and close it again",
            ) from error
        return Decimal(0) if position is None else Decimal(position["qty"])

    def _note_rest(
        self, order: dict[str, Any], left: dict[str, Any], reason: str
    ) -> dict[str, Any]:
        """Note what has become of an order that is written down; return what may be sent."""
        try:
            self._note("close", reason, left)
        except (PyrtError, OSError) as error:
            # The exits are gone by now: what is written down leaves, as far as it is held.
            LOG.warning("what is left to close is not written down: %s", error)
            return min(order, left, key=lambda each: Decimal(each["qty"]))
        return left

    async def _send(self, order: dict[str, Any]) -> dict[str, Any]:
        """Send an order once it is granted; where no answer comes that can be read, look for it."""
        request = HttpRequest("POST", "/v2/orders", msgspec.json.encode(order))
        answer = await self._reader.when_granted(request)
        if answer.status == 200:
            with suppress(msgspec.DecodeError):
                placed: dict[str, Any] = msgspec.json.decode(answer.body)
                return placed
        if 400 <= answer.status < 500:
            raise refusal_of(request, answer)
        return await self._find(order["client_order_id"])

    async def _find(self, client_order_id: str) -> dict[str, Any]:
        """Look for an order whose answer did not come; it is not sent again."""
        path = f"/v2/orders:by_client_order_id?client_order_id={client_order_id}"
        for _ in range(LOOKS):
            try:
                found: dict[str, Any] = await self._reader.get(path)
            except BrokerError:
                await asyncio.sleep(LOOK_S)
            else:
                return found
        raise ConnectionLost(
            f"the outcome of order {client_order_id} is unknown",
            code="unknown_outcome",
            remedy=LOOK,
        )

    async def _position(self, symbol: str) -> dict[str, Any] | None:
        """Return a position as the broker states it; None where there is none."""
        try:
            # Positions in pairs are named without their slash.
            path = f"/v2/positions/{quote(symbol.replace('/', ''), safe='')}"
            found: dict[str, Any] = await self._reader.get(path)
        except BrokerError as error:
            if error.values.get("status") != 404:
                raise
            return None
        return found

    async def _free(self, symbol: str, reason: str) -> bool:
        """Cancel the orders that hold the position's units; return whether there were any."""
        plain = symbol.replace("/", "")
        found = await self._reader.get("/v2/orders?status=open&limit=500")
        held_by = [o["id"] for o in found if str(o["symbol"]).replace("/", "") == plain]
        all_done(await self.cancel_each(held_by, reason))
        return bool(held_by)

    # -- lock and journal ----------------------------------------------------------------------

    def _hold(self) -> None:
        """Take the account's lock; ConfigError says which process has it."""
        if self._lock is None:
            self._lock = lock_account(*self._place)

    def _note(self, action: str, reason: str, arguments: dict[str, Any]) -> None:
        """Make an intent durable before it is acted on."""
        self._hold()
        if self._journal is None:
            self._journal = Journal(RealFiles(self._folder or self._default_folder()))
        actor = f"script, user {os.geteuid()}, process {os.getpid()}"
        self._journal.record(
            Operation(
                ts=time.time_ns(),
                actor=actor,
                action=action,
                reason=reason or "asked for",
                arguments=arguments,
            )
        )
        self._journal.commit()
        failure = self._journal.failure
        if failure is not None:
            raise JournalError(
                f"what is asked for cannot be written down: {failure}", code="not_written"
            ) from failure

    def _default_folder(self) -> Path:
        try:
            base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
        except RuntimeError:
            raise ConfigError(
                "this user has no home", code="state_folder", remedy="Set XDG_STATE_HOME"
            ) from None
        return Path(base) / "pyrt" / "scripts" / account_lock_path(*self._place).stem


def _path_of(order_id: str) -> str:
    return f"/v2/orders/{quote(order_id, safe='')}"


def _closing(position: dict[str, Any], quantity: Decimal | str | None) -> dict[str, Any]:
    """Return the order that reduces a position by a quantity; None is all of it."""
    held = Decimal(position["qty"])
    asked = abs(held) if quantity is None else _units(quantity)
    if not 0 < asked <= abs(held):
        raise OrderError(
            f"{position['symbol']} holds {held:f}; {asked:f} would not reduce it",
            code="not_reducing",
            remedy="Give at most what is held, or nothing for all of it",
        )
    return {
        "symbol": position["symbol"],
        "qty": f"{asked:f}",
        "side": "sell" if held > 0 else "buy",
        "type": "market",
        "time_in_force": "gtc" if position.get("asset_class") == "crypto" else "day",
        "client_order_id": f"script-{uuid4().hex}",
    }


def _units(quantity: Decimal | str) -> Decimal:
    try:
        units = Decimal(quantity)
    except InvalidOperation:
        units = Decimal("NaN")
    if not units.is_finite():
        raise OrderError(f"quantity is {quantity}; expected a number", code="quantity")
    return units


def _unprotected(error: BrokerError, symbol: str) -> BrokerError:
    """Return the refusal of a closing order whose position has lost its exits for it."""
    return BrokerError(
        f"the exits of {symbol} are canceled, and the order that closes it is refused: "
        f"{error.message}",
        code=error.code,
        remedy="Nothing protects the position: close it again, or send new exits",
        **error.values,
    )


def _left_of(order: dict[str, Any], held: Decimal, *, is_all: bool) -> dict[str, Any]:
    """Return a closing order by what is held now; OrderError where it would not reduce that."""
    if (held > 0) != (order["side"] == "sell") or not held:
        said = "to {side} {qty} of {symbol} was asked for".format(**order)
        now = f"{held:f} are held now" if held else "nothing is held any more"
        raise OrderError(
            f"{said}, and {now}, so nothing was sent",
            code="not_reducing",
            remedy="Its exits may have filled while they were canceled: look at the account",
        )
    asked = abs(held) if is_all else min(Decimal(order["qty"]), abs(held))
    return order if asked == Decimal(order["qty"]) else {**order, "qty": f"{asked:f}"}
