"""The trading API: its routes, and the few lines between a request and the desk."""

from __future__ import annotations

from functools import partial
from typing import Any

from pyrt.adapters.alpaca.simulator.protocol.http import Refused, Response, answer, truth
from pyrt.adapters.alpaca.simulator.protocol.router import Request, Router
from pyrt.adapters.alpaca.simulator.trading import (
    account,
    activities,
    announcements,
    changing,
    markets,
    placing,
    portfolio,
    positions,
    reference,
    watchlists,
)
from pyrt.adapters.alpaca.simulator.trading.desk import Desk
from pyrt.adapters.alpaca.simulator.trading.listing import list_orders
from pyrt.adapters.alpaca.simulator.trading.records import OrderRecord
from pyrt.adapters.alpaca.simulator.trading.updates import Publisher

NO_CONTRACTS: dict[str, Any] = {"option_contracts": [], "next_page_token": None}
SECOND = 1_000_000_000
NAME = r"([^/]+)"
SYMBOL = r"([^/]+(?:/[^/]+)?)"


class TradingApi:
    """Answers what changes or shows the account.

    Parameters
    ----------
    desk : Desk
    publisher : Publisher
        Told of every order, so that trade updates follow the answer.
    """

    def __init__(self, desk: Desk, publisher: Publisher) -> None:
        self._desk = desk
        self._publisher = publisher

    def install(self, router: Router) -> None:
        """Add the routes."""
        orders, held = "/v2/orders", "/v2/positions"
        router.add("POST", orders, self._place)
        router.add("GET", orders, lambda r: answer(list_orders(self._desk, r.query)))
        router.add("DELETE", orders, self._cancel_all)
        router.add("GET", "/v2/orders:by_client_order_id", self._show_by_client)
        router.add("GET", f"{orders}/{NAME}", self._show)
        router.add("PATCH", f"{orders}/{NAME}", self._replace)
        router.add("DELETE", f"{orders}/{NAME}", self._cancel)
        router.add("GET", held, self._positions)
        router.add("DELETE", held, self._close_all)
        router.add("GET", f"{held}/{SYMBOL}", self._position)
        router.add("DELETE", f"{held}/{SYMBOL}", self._close)
        self._install_account(router)
        self._install_reference(router)

    def _install_account(self, router: Router) -> None:
        desk = self._desk
        router.add("GET", "/v2/account", lambda r: answer(account.account_body(desk)))
        settings = "/v2/account/configurations"
        router.add("GET", settings, lambda r: answer(desk.configurations))
        router.add("PATCH", settings, lambda r: answer(account.configure(desk, r.body)))
        log = "/v2/account/activities"
        router.add("GET", log, lambda r: answer(activities.list_activities(desk, r.query)))
        router.add(
            "GET",
            f"{log}/{NAME}",
            lambda r: answer(
                activities.list_activities(desk, {**r.query, "activity_types": r.parts[0]})
            ),
        )
        history = "/v2/account/portfolio/history"
        router.add("GET", history, lambda r: answer(portfolio.portfolio_history(desk, r.query)))

    def _install_reference(self, router: Router) -> None:
        desk = self._desk
        router.add("GET", "/v2/clock", lambda r: answer(reference.clock_body(desk)))
        router.add("GET", "/v2/calendar", lambda r: answer(reference.list_days(desk, r.query)))
        router.add("GET", "/v2/assets", lambda r: answer(reference.list_assets(desk, r.query)))
        router.add(
            "GET", f"/v2/assets/{SYMBOL}", lambda r: answer(reference.find_asset(desk, r.parts[0]))
        )
        router.add("GET", "/v3/clock", lambda r: answer(markets.clocks(desk, r.query)))
        router.add(
            "GET",
            f"/v3/calendar/{NAME}",
            lambda r: answer(markets.market_days(desk, r.parts[0], r.query)),
        )
        news = "/v2/corporate_actions/announcements"
        router.add("GET", news, lambda r: answer(announcements.list_announcements(desk, r.query)))
        router.add(
            "GET",
            f"{news}/{NAME}",
            lambda r: answer(announcements.find_announcement(desk, r.parts[0])),
        )
        # Options are not traded here: there are none to list.
        router.add("GET", "/v2/options/contracts", lambda r: answer(NO_CONTRACTS))
        watchlists.install(router, desk)

    # -- orders --------------------------------------------------------------------------------

    def _place(self, request: Request) -> Response:
        record = placing.place(self._desk, placing.read_order(self._desk, request.body))
        return self._send(record)

    def _send(self, record: OrderRecord) -> Response:
        # The answer shows the order before it met the market; what became of it is pushed.
        response = answer(record.body())
        if record.status == "pending_new" and self._desk.rules is not None:
            self._publisher.say("pending_new", record, self._desk.now)
        if record.opens is not None:
            self._desk.agenda.add(record.opens, partial(self._publisher.wake, record))
        if self._desk.faults.strikes("reject"):
            self._reject(record)
            return response
        placing.send(self._desk, record)
        self._publisher.publish()
        return response

    def _reject(self, record: OrderRecord) -> None:
        """Reject an order that was taken, and its exits with it."""
        now = self._desk.now
        for each in (record, *record.legs):
            each.status = "rejected"
            each.times.update(failed=now, updated=now)
        self._publisher.say("rejected", record, now)

    def _show(self, request: Request) -> Response:
        return answer(changing.find_order(self._desk, request.parts[0]).body())

    def _show_by_client(self, request: Request) -> Response:
        name = request.query.get("client_order_id", "")
        return answer(changing.find_order(self._desk, name).body())

    def _replace(self, request: Request) -> Response:
        desk = self._desk
        old = changing.find_order(desk, request.parts[0])
        asked = changing.replacement(desk, old, request.body)
        if desk.faults.strikes("slow_replace"):
            asked.begin(desk)
            later = desk.now + int(desk.faults.faults.replace_s * SECOND)
            desk.agenda.add(later, partial(self._end_replacement, asked))
            return answer(asked.new.body())
        asked.carry_out(desk)
        self._say_replaced(asked)
        return answer(asked.new.body())

    def _end_replacement(self, asked: changing.Replacement) -> None:
        if asked.end(self._desk):
            self._say_replaced(asked)
            return
        self._publisher.say("order_replace_rejected", asked.old, self._desk.now)
        self._publisher.say("rejected", asked.new, self._desk.now)

    def _say_replaced(self, asked: changing.Replacement) -> None:
        new, now = asked.new, self._desk.now
        self._publisher.say("replaced", asked.old, now)
        # In part filled is a state that a replacement may begin in; no event is called so.
        event = "new" if new.status == "partially_filled" else new.status
        self._publisher.say(event, new, now)
        self._publisher.publish()

    def _cancel(self, request: Request) -> Response:
        self._cancel_one(changing.find_order(self._desk, request.parts[0]))
        return Response(204, b"")

    def _cancel_one(self, record: OrderRecord) -> None:
        if record.status == "pending_cancel":
            return
        changing.cancel(self._desk, record)
        self._publisher.publish()
        if record.number in self._desk.exchange.live_numbers:
            # A fault has left it at the exchange.
            self._publisher.say(record.status, record, self._desk.now)

    def _cancel_all(self, request: Request) -> Response:
        return answer(self._cancel_open(), 207)

    def _cancel_open(self) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = []
        for record in list(self._desk.orders.values()):
            if record.is_final or record.parent is not None:
                continue
            try:
                self._cancel_one(record)
                rows.append({"id": record.id, "status": 200})
            except Refused as error:
                rows.append({"id": record.id, "status": error.status, "body": error.body})
            self._publisher.publish()
        for record in list(self._desk.orders.values()):
            # Exits whose entry has filled are left.
            if record.is_final or self._desk.is_replacing(record):
                continue
            if self._desk.exchange.cancel(record.number):
                rows.append({"id": record.id, "status": 200})
                self._publisher.publish()
        return rows

    # -- positions -----------------------------------------------------------------------------

    def _positions(self, request: Request) -> Response:
        desk = self._desk
        return answer([positions.position_body(desk, s) for s in positions.held_symbols(desk)])

    def _position(self, request: Request) -> Response:
        symbol = positions.find_symbol(self._desk, request.parts[0])
        return answer(positions.position_body(self._desk, symbol))

    def _close(self, request: Request) -> Response:
        symbol = positions.find_symbol(self._desk, request.parts[0])
        order = positions.closing_order(self._desk, symbol, request.query)
        return self._send(placing.place(self._desk, order))

    def _close_all(self, request: Request) -> Response:
        desk = self._desk
        if truth(request.query.get("cancel_orders")):
            self._cancel_open()
        rows = []
        for symbol in positions.held_symbols(desk):
            try:
                record = placing.place(desk, positions.closing_order(desk, symbol, {}))
                shown = record.body()
                self._send(record)
                rows.append({"symbol": symbol.replace("/", ""), "status": 200, "body": shown})
            except Refused as error:
                rows.append({"symbol": symbol, "status": error.status, "body": error.body})
        return answer(rows, 207)
