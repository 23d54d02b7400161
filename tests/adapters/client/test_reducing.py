"""Scripts cancel and close: they only reduce, and a node that holds the account keeps them out."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from pyrt import AlpacaAccount
from pyrt.adapters.alpaca.account.reducing import Reducer
from pyrt.adapters.alpaca.core.pacing import RetryPolicy
from pyrt.adapters.alpaca.shell.http import Answer
from pyrt.errors import BrokerError, ConfigError, ConnectionLost, JournalError, OrderError
from pyrt.live.journal.files import RealFiles
from pyrt.live.journal.verify import rows
from pyrt.live.process.lock import lock_account

pytest.importorskip("uvicorn")

from tests.adapters.client.bench import NUMBER, opened


@pytest.fixture
def bench(tmp_path, monkeypatch):
    yield from opened(tmp_path, monkeypatch)


def test_closing_cancels_what_holds_the_shares_and_never_sells_more(bench):
    bench.buy(10)
    bench.served.minutes(1)
    resting = bench.buy(10, side="sell", type="limit", limit_price="500")
    part = bench.run(lambda a: a.close("SPY", 4))
    bench.served.minutes(1)
    (position,) = bench.run(lambda a: a.positions())
    assert (part["side"], part["qty"], position["qty"]) == ("sell", "4", "6")
    assert bench.run(lambda a: a.order(resting["id"]))["status"] == "canceled"
    with pytest.raises(OrderError, match="would not reduce"):
        bench.run(lambda a: a.close("SPY", 7))
    for odd in ("many", "nan", "inf"):
        with pytest.raises(OrderError, match=f"quantity is {odd}; expected a number"):
            bench.run(lambda a, units=odd: a.close("SPY", units))
    with pytest.raises(OrderError, match="no position in QQQ"):
        bench.run(lambda a: a.close("QQQ"))
    bench.run(lambda a: a.close_all())
    bench.served.minutes(1)
    assert bench.run(lambda a: a.positions()) == []


def closes_while(bench, trades: list[tuple[str, int]], quantity: str | None = None) -> Any:
    """Close while an exit is canceled, and the position trades before that is through."""

    async def ask(a):
        send, left = a._reader._send, iter(trades)

        async def trading(request):
            answer = await send(request)
            if request.method == "DELETE":
                for side, units in left:
                    bench.buy(units, side=side)
                    bench.served.minutes(1)
            return answer

        a._reader._send = trading
        return await a.close("SPY", quantity, reason="left by the stop")

    bench.buy(10)
    bench.served.minutes(1)
    bench.buy(10, side="sell", type="limit", limit_price="500")
    return bench.run(ask)


def sent_by_scripts(bench) -> list[str]:
    orders = bench.run(lambda a: a.orders("all"))
    return [o["qty"] for o in orders if o["client_order_id"].startswith("script-")]


@pytest.mark.parametrize(
    ("trades", "quantity", "sent"),
    [
        ([("sell", 4)], None, "6"),
        ([("sell", 4)], "5", "5"),
        ([("sell", 8)], "5", "2"),
        # An entry that filled while it was canceled: all of it is all that is held.
        ([("buy", 5)], None, "15"),
        ([("buy", 5)], "5", "5"),
    ],
)
def test_what_exits_fill_while_they_are_canceled_is_not_closed_again(bench, trades, quantity, sent):
    order = closes_while(bench, trades, quantity)
    assert (order["side"], order["qty"]) == ("sell", sent)
    bench.served.minutes(1)
    held = 10 + sum(units if side == "buy" else -units for side, units in trades) - int(sent)
    assert [p["qty"] for p in bench.run(lambda a: a.positions())] == [str(held)] * bool(held)
    noted = [row["arguments"] for row in rows(RealFiles(bench.folder)) if row["action"] == "close"]
    # It never leaves unless it is written down as it leaves.
    assert [each["qty"] for each in noted] == [quantity or "10", *[sent] * (sent != quantity)]
    assert {each["client_order_id"] for each in noted} == {order["client_order_id"]}


@pytest.mark.parametrize(
    ("trades", "told"),
    [
        ([("sell", 10)], "to sell 10 of SPY was asked for, and nothing is held any more"),
        ([("sell", 10), ("sell", 3)], "to sell 10 of SPY was asked for, and -3 are held now"),
    ],
)
def test_a_position_that_its_exits_have_closed_is_not_reversed(bench, trades, told):
    with pytest.raises(OrderError, match=told):
        closes_while(bench, trades)
    assert sent_by_scripts(bench) == []


def test_nothing_is_sent_while_nobody_knows_what_exits_have_left(bench):
    bench.bracket()

    async def ask(a):
        a._reader._policy = RetryPolicy(initial_ns=1_000)
        send, looks = a._reader._send, []

        async def losing(request):
            looks.append(request.path) if "positions" in request.path else None
            return Answer(0) if len(looks) > 1 else await send(request)

        a._reader._send = losing
        return await a.close("SPY")

    with pytest.raises(ConnectionLost, match="exits of SPY are canceled, and its position is not"):
        bench.run(ask)
    assert sent_by_scripts(bench) == []


@pytest.mark.parametrize(("trades", "sent"), [([("sell", 4)], "6"), ([("buy", 5)], "10")])
def test_a_disk_that_fills_up_meanwhile_lets_leave_what_is_written_down(
    bench, trades, sent, monkeypatch, caplog
):
    """The exits are gone by then: a position that nothing protects would stay."""
    note, notes = Reducer._note, []

    def noting(reducer, action, *given):
        if action == "close":
            notes.append(given)
        if len(notes) > 1:
            raise JournalError("no space left", code="not_written")
        note(reducer, action, *given)

    monkeypatch.setattr(Reducer, "_note", noting)
    assert closes_while(bench, trades)["qty"] == sent
    assert "what is left to close is not written down" in caplog.text


def test_cancel_tells_what_the_order_came_to(bench):
    resting = bench.buy(5, type="limit", limit_price="50")
    assert bench.run(lambda a: a.cancel(resting["id"]))["status"] == "canceled"
    assert bench.run(lambda a: a.cancel(resting["id"]))["status"] == "canceled"
    with pytest.raises(BrokerError):
        bench.run(lambda a: a.cancel("00000000-0000-0000-0000-000000000000"))


def test_a_cancel_goes_on_to_what_has_replaced_the_order(bench):
    order = bench.buy(1, type="limit", limit_price=90)
    new = bench.other.patch(f"/v2/orders/{order['id']}", json={"limit_price": 91}).json()
    ended = bench.run(lambda account: account.cancel(order["id"]))
    assert (ended["id"], ended["status"]) == (new["id"], "canceled")


def test_a_cancel_asks_again_for_what_has_replaced_the_order(bench, monkeypatch):
    """Its first cancel, and the looks after it, are not answered."""
    monkeypatch.setattr("pyrt.adapters.alpaca.account.reducing.LOOK_S", 0.001)
    order = bench.buy(1, type="limit", limit_price=90)
    new = bench.other.patch(f"/v2/orders/{order['id']}", json={"limit_price": 91}).json()

    async def ask(a):
        send, left = a._reader._send, iter(range(1 + a._reader._policy.attempts))
        a._reader._policy = RetryPolicy(initial_ns=1_000)

        async def losing(request):
            is_lost = new["id"] in request.path and next(left, None) is not None
            return Answer(0) if is_lost else await send(request)

        a._reader._send = losing
        return await a.cancel(order["id"])

    ended = bench.run(ask)
    assert (ended["id"], ended["status"]) == (new["id"], "canceled")


def test_exits_whose_entry_has_filled_are_seen_and_canceled_too(bench):
    bench.bracket()
    resting = bench.buy(5, type="limit", limit_price="50")
    shown = bench.run(lambda a: a.orders())
    assert sorted(o["type"] for o in shown if o["side"] == "sell") == ["limit", "stop"]
    ended = bench.run(lambda a: a.cancel_all())
    assert {o["id"] for o in ended} >= {o["id"] for o in shown} >= {resting["id"]}
    assert bench.other.get("/v2/orders", params={"status": "open"}).json() == []


def test_more_orders_than_a_list_holds_are_all_canceled(bench, monkeypatch):
    for _ in range(3):
        bench.buy(1, type="limit", limit_price="50")
    first = AlpacaAccount.orders
    monkeypatch.setattr(AlpacaAccount, "orders", lambda self: first(self, limit=2))
    assert len(bench.run(lambda a: a.cancel_all())) == 3


def test_intents_are_written_down_before_they_are_acted_on(bench):
    resting = bench.buy(5, type="limit", limit_price="50")
    bench.run(lambda a: a.cancel(resting["id"], reason="tidy up"))
    held = b"".join(path.read_bytes() for path in bench.folder.iterdir() if path.is_file())
    assert b"tidy up" in held
    assert resting["id"].encode() in held


@pytest.mark.parametrize("fault", ["no folder", "no room"])
def test_a_disk_that_takes_no_record_keeps_no_cancel_back(bench, monkeypatch, caplog, fault):
    """A full disk has ended the node: its orders have to be canceled all the same."""
    bench.bracket()
    resting = bench.buy(5, type="limit", limit_price="50")
    if fault == "no folder":
        bench.folder.write_text("somebody's")
    else:

        def full(*_: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr("pyrt.live.journal.files.RealFile.write", full)
    # An order without a record never leaves, and then its exits stay.
    with pytest.raises((ConfigError, JournalError)):
        bench.run(lambda a: a.close("SPY"))
    assert len(bench.run(lambda a: a.orders())) == 3
    assert bench.run(lambda a: a.cancel(resting["id"]))["status"] == "canceled"
    assert "is not written down" in caplog.text
    assert len(bench.run(lambda a: a.cancel_all())) == 2


def test_while_a_node_holds_the_account_a_script_may_only_look(bench):
    resting = bench.buy(5, type="limit", limit_price="50")
    lock = lock_account(bench.served.urls["rest_url"], NUMBER)
    try:
        for ask in (lambda a: a.cancel(resting["id"]), lambda a: a.cancel_all()):
            with pytest.raises(ConfigError, match=r"another node .* --node or node_dir"):
                bench.run(ask)
        assert len(bench.run(lambda a: a.orders())) == 1
    finally:
        lock.release()
    assert bench.run(lambda a: a.cancel_all())[0]["status"] == "canceled"


def test_a_node_that_is_known_does_it_instead(bench, monkeypatch):
    asked = []

    def ask(folder, action, **given):
        what = given.get("symbol") or given.get("order")
        asked.append((folder.name, action, given["reason"], what))
        return {"done": action}

    monkeypatch.setattr("pyrt.adapters.alpaca.account.scripts.ask", ask)
    bench.buy(10)
    bench.served.minutes(1)
    bench.buy(5, type="limit", limit_price="50")
    lock = lock_account(bench.served.urls["rest_url"], NUMBER)
    try:
        known = {"node_dir": bench.folder / "node"}
        assert bench.run(lambda a: a.cancel("one"), **known) == {"done": "cancel"}
        assert bench.run(lambda a: a.cancel_all(reason="tidy"), **known) == [{"done": "cancel_all"}]
        assert bench.run(lambda a: a.close("SPY"), **known) == {"done": "close"}
        with pytest.raises(ConfigError, match="another node"):
            bench.run(lambda a: a.close("SPY", 4), **known)
    finally:
        lock.release()
    assert asked == [
        ("node", "cancel", "asked for", "one"),
        ("node", "cancel_all", "tidy", None),
        ("node", "close", "asked for", "SPY"),
    ]


def test_a_cancel_goes_on_while_nothing_is_heard(bench, monkeypatch):
    monkeypatch.setattr("pyrt.adapters.alpaca.account.reducing.LOOK_S", 0.001)
    order = bench.buy(1, type="limit", limit_price=90)

    async def ask(a):
        send, lost = a._reader._send, iter([True] * 5)
        a._reader._policy = RetryPolicy(initial_ns=1_000)

        async def losing(request):
            return type(await send(request))(0) if next(lost, False) else await send(request)

        a._reader._send = losing
        return await a.cancel(order["id"])

    assert bench.run(ask)["status"] == "canceled"


@pytest.mark.parametrize("garbled", [Answer(0), Answer(200, b"<html>"), Answer(200, b'{"id"')])
def test_a_closing_order_whose_answer_is_lost_is_found_and_not_sent_again(bench, garbled):
    bench.buy(10)
    bench.served.minutes(1)

    async def ask(a):
        send = a._reader._send

        async def losing(request):
            answer = await send(request)
            return garbled if request.method == "POST" else answer

        a._reader._send = losing
        return await a.close("SPY")

    order = bench.run(ask)
    assert (order["qty"], order["side"]) == ("10", "sell")
    sells = [o for o in bench.run(lambda a: a.orders("all")) if o["side"] == "sell"]
    assert len(sells) == 1


def closes_refused(bench, *refusals: Answer) -> tuple[Any, list[Any]]:
    """Close while the closing order is refused so before it gets through; return what was sent."""
    posted: list[Any] = []

    async def ask(a):
        a._reader._policy = RetryPolicy(initial_ns=1_000)
        send, left = a._reader._send, iter(refusals)

        async def refusing(request):
            if request.method != "POST":
                return await send(request)
            posted.append(request.body)
            return next(left, None) or await send(request)

        a._reader._send = refusing
        try:
            return await a.close("SPY")
        except BrokerError as error:
            return error

    return bench.run(ask), posted


BUSY = Answer(429, b'{"code":42910000,"message":"rate limit exceeded"}', {"retry-after": "0"})
FORBIDDEN = Answer(403, b'{"code":40310000,"message":"trading is blocked"}')


def test_a_closing_order_that_is_too_much_for_the_broker_is_sent_again(bench):
    """Its exits are gone by then."""
    bench.bracket()
    order, posted = closes_refused(bench, BUSY, BUSY)
    assert (order["qty"], order["side"]) == ("10", "sell")
    # Under one id none of them can fill beside another.
    assert (len(posted), len(set(posted))) == (3, 1)
    bench.served.minutes(1)
    assert bench.run(lambda a: a.positions()) == []


@pytest.mark.parametrize("refusals", [[FORBIDDEN], [BUSY] * 6])
def test_a_closing_order_that_is_refused_tells_that_the_exits_are_gone(bench, refusals):
    bench.bracket()
    error, posted = closes_refused(bench, *refusals)
    assert len(posted) == len(refusals)
    assert "the exits of SPY are canceled, and the order that closes it is refused" in str(error)
    assert "Nothing protects the position" in error.remedy
    assert error.values["status"] == refusals[-1].status


def test_a_refusal_says_nothing_of_exits_where_there_were_none(bench):
    bench.buy(10)
    bench.served.minutes(1)
    error, _ = closes_refused(bench, FORBIDDEN)
    assert "POST /v2/orders: trading is blocked" in str(error)
    assert "exits" not in str(error)
