"""A live day against its backtest: kinds and costs by hand, and a recorded day end to end."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pyrt.cli.days import parity_of
from pyrt.live.journal.files import RealFiles
from pyrt.live.replay.parity import Leg, compare_days
from tests.live import strategies
from tests.live.whole import Node, World

SECOND = 1_000_000_000
T = 1_381_152_600 * SECOND


def leg(**changes) -> Leg:
    values = {
        "strategy": "S",
        "symbol": "SPY",
        "side": "buy",
        "quantity": Decimal(10),
        "price": Decimal("100.00"),
        "ts_sent": T,
        "ts_filled": T + SECOND,
        "client_order_id": "a",
    }
    return Leg(**{**values, **changes})


CASES = [
    # live, backtest, odd bars, kind, cost
    (leg(), leg(), (), None, None),
    (leg(ts_filled=T + 2 * SECOND), leg(), (), None, None),
    (leg(ts_filled=T + 9 * SECOND), leg(), (), "timing", "0"),
    (leg(price=Decimal("100.05")), leg(), (), "fill_price", "0.50"),
    (leg(price=Decimal("99.90")), leg(), (), "fill_price", "-1.00"),
    (leg(side="sell", price=Decimal("99.90")), leg(side="sell"), (), "fill_price", "1.00"),
    (leg(price=Decimal("100.05")), leg(), [("SPY", T)], "data", "0.50"),
    (leg(price=Decimal("100.05")), leg(), [("QQQ", T)], "fill_price", "0.50"),
    (leg(price=Decimal("100.05")), leg(), [("SPY", T + 99 * SECOND)], "fill_price", "0.50"),
    # Bought live only; the last price is 101: live is 10 better off.
    (leg(), None, (), "missing", "-10.00"),
    (None, leg(), (), "missing", "10.00"),
    (None, leg(fee=Decimal("0.25")), (), "missing", "9.75"),
    (leg(quantity=Decimal(4)), leg(), (), "quantity", "6.00"),
    (
        leg(quantity=Decimal(0), price=Decimal(0), ts_filled=0, status="REJECTED", reason="no"),
        leg(),
        (),
        "reject",
        "10.00",
    ),
    # Never filled anywhere: nothing to compare.
    (leg(quantity=Decimal(0), ts_filled=0, status="CANCELED"), None, (), None, None),
]


@pytest.mark.parametrize(("live", "tested", "odd", "kind", "cost"), CASES)
def test_each_difference_has_its_kind_and_cost(live, tested, odd, kind, cost):
    report = compare_days(
        [live] if live else [],
        [tested] if tested else [],
        last_prices={"SPY": Decimal(101)},
        odd_bars=odd,
    )
    if kind is None:
        assert report.is_clean
        return
    (difference,) = report.differences
    assert (difference.kind, difference.cost) == (kind, Decimal(cost))
    assert report.by_kind() == {kind: (1, Decimal(cost))}
    assert report.cost == Decimal(cost)


def test_orders_are_paired_with_the_nearest_of_their_kind():
    minute = 60 * SECOND
    live = [leg(ts_sent=T + i * minute, price=Decimal(100 + i)) for i in range(3)]
    tested = [leg(ts_sent=T + i * minute + SECOND, price=Decimal(100 + i)) for i in range(3)]
    report = compare_days(live, tested, last_prices={})
    assert (report.orders, report.matched) == (3, 3)
    late = [leg(ts_sent=T + 10 * minute)]
    report = compare_days([leg()], late, last_prices={"SPY": Decimal(100)})
    assert [d.kind for d in report.differences] == ["missing", "missing"]


@pytest.mark.parametrize("pieces", [[], [95], [50, 60]])
def test_a_day_that_crashes_have_cut_is_compared_whole(tmp_path, pieces):
    """What was traded before the crash stood in the backtest only."""
    data = [strategies.walk(3, "SPY", 60)]
    world = World(data)
    for at, instants in enumerate([*pieces, None]):
        files, cross = RealFiles(tmp_path / "state"), strategies.Cross()
        node = Node(world, files, [cross], run_id=f"run-{at}")
        node.start()
        node.run(instants)
        node.journal.commit(sync_inputs=True)
    node.stop()
    source = f"{strategies.__file__}:Cross"
    report = parity_of(tmp_path / "state", data, strategy=source, venue="sim")
    assert report.orders > 5
    assert (report.matched, report.differences) == (report.orders, [])
    # What is asked of the run that was cut off alone is only its own.
    first = parity_of(tmp_path / "state", data, strategy=source, venue="sim", run_id="run-0")
    assert (first.orders < report.orders) == bool(pieces)
