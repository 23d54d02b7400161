"""Market data received come back as they came; old days are one file, and nothing is doubled."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow.parquet as pq
import pytest

from pyrt import backtest, load
from pyrt.adapters.alpaca.core.events import AnswerEvent, BarEvent, QuoteEvent, TradeEvent
from pyrt.live.process import market_log
from pyrt.live.process.market_log import MarketLog, compact
from tests.live.strategies import Cross

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
START = 1_381_152_600 * SECOND
DAY = "2013-10-07"


def quote(number, symbol="SPY"):
    ts = START + number * SECOND
    return QuoteEvent(symbol, ts, 100 + number, 1.0, 100.5 + number, 2.0)


def written(folder, events, run_id="one"):
    log = MarketLog(folder, run_id)
    for event in events:
        log.take(event, getattr(event, "ts_event", getattr(event, "ts_close", START)) + 5)
    log.write(log.cut())
    return log


def test_quotes_prints_and_bars_come_back_as_they_came(tmp_path):
    bars = [
        BarEvent("SPY", START + i * MINUTE, START + (i + 1) * MINUTE, (1, 4, 0.5, 1 + i, 9))
        for i in range(3)
    ]
    trades = [TradeEvent("BTC/USD", START + i, 50.25 + i, 0.5) for i in range(4)]
    other = AnswerEvent("accepted", 1, START)
    daily = BarEvent("SPY", START, START + 1, (1, 1, 1, 1, 1), "daily")
    written(tmp_path, [*bars, *trades, *map(quote, range(5)), other, daily])
    (day,) = tmp_path.iterdir()
    assert day.name == DAY
    files = {path.name.rsplit("-", 2)[0]: path for path in day.iterdir()}
    assert sorted(files) == ["bars-SPY", "quotes-SPY", "trades-BTC_USD"]
    (quotes,) = load(str(files["quotes-SPY"])).columns
    assert quotes.ts_event.tolist() == [START + i * SECOND for i in range(5)]
    assert quotes.ts_init.tolist() == [START + i * SECOND + 5 for i in range(5)]
    assert quotes.bid_price.tolist() == [100.0 + i for i in range(5)]
    (found,) = load(str(files["bars-SPY"])).columns
    assert found.ts_close.tolist() == [bar.ts_close for bar in bars]
    assert found.close.tolist() == [1.0, 2.0, 3.0]
    assert pq.read_table(files["trades-BTC_USD"])["symbol"].to_pylist() == ["BTC/USD"] * 4
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in files.values())


def test_a_side_of_a_quote_without_anybody_has_no_price(tmp_path):
    """It was written as a price of 0, and no backtest read a recording with one such quote."""
    sides = [(100.0, 3.0, 0.0, 0.0), (0.0, 0.0, 100.5, 2.0), (0.0, 0.0, 0.0, 0.0)]
    written(tmp_path, [QuoteEvent("SPY", START + i, *side) for i, side in enumerate(sides)])
    (path,) = (tmp_path / DAY).iterdir()
    (quotes,) = load(str(path)).columns
    np.testing.assert_equal(quotes.bid_price.tolist(), [100.0, np.nan, np.nan])
    np.testing.assert_equal(quotes.ask_price.tolist(), [np.nan, 100.5, np.nan])
    assert quotes.bid_size.tolist() == [3.0, 0.0, 0.0]


def test_who_acted_in_a_print_comes_back(tmp_path):
    """Imbalance bars and order flow of a backtest on a recording were all of unknown prints."""
    told = [1, -1, 0, 1]
    written(tmp_path, [TradeEvent("BTC/USD", START + i, 50.0, 0.5, a) for i, a in enumerate(told)])
    (path,) = (tmp_path / DAY).iterdir()
    (trades,) = load(str(path)).columns
    assert trades.aggressor.tolist() == told


def test_prints_that_an_older_version_has_written_are_merged_with_those_of_this_one(tmp_path):
    for number, run_id in enumerate(("a", "b")):
        written(tmp_path, [TradeEvent("BTC/USD", START + number, 50.0, 0.5, 1)], run_id)
    old, _ = sorted((tmp_path / DAY).iterdir())
    pq.write_table(pq.read_table(old).drop_columns(["aggressor"]), old)
    assert compact(tmp_path, datetime.date(2014, 1, 1)) == 1
    (path,) = (tmp_path / DAY).iterdir()
    (trades,) = load(str(path)).columns
    assert trades.aggressor.tolist() == [0, 1]


def test_a_day_becomes_one_file_after_a_week_and_not_before(tmp_path):
    written(tmp_path, [quote(i) for i in (3, 4)], "two")
    written(tmp_path, [quote(i) for i in (0, 1, 2)], "one")
    day = tmp_path / DAY
    assert compact(tmp_path, datetime.date(2013, 10, 13)) == 0
    assert len(list(day.iterdir())) == 2
    assert compact(tmp_path, datetime.date(2013, 10, 14)) == 1
    (path,) = day.iterdir()
    assert path.name == "quotes-SPY.parquet"
    (quotes,) = load(str(path)).columns
    assert quotes.bid_price.tolist() == [100.0, 101.0, 102.0, 103.0, 104.0]
    assert compact(tmp_path, datetime.date(2013, 10, 14)) == 0


def test_an_interrupted_merge_doubles_nothing(tmp_path, monkeypatch):
    written(tmp_path, [quote(i) for i in (0, 1)], "one")
    later = datetime.date(2014, 1, 1)
    monkeypatch.setattr(market_log.Path, "unlink", lambda self: (_ for _ in ()).throw(OSError()))
    with pytest.raises(OSError):  # noqa: PT011 - the one planted above
        compact(tmp_path, later)
    monkeypatch.undo()
    written(tmp_path, [quote(2)], "two")
    assert compact(tmp_path, later) == 1
    (path,) = (tmp_path / DAY).iterdir()
    (quotes,) = load(str(path)).columns
    assert quotes.bid_price.tolist() == [100.0, 101.0, 102.0]


@pytest.mark.parametrize("symbol", ["GS.PRA", "A-123456", "BTC/USD", "A-B"])
def test_files_of_a_symbol_are_its_own_however_it_is_written(tmp_path, symbol):
    """Six signs are as long as the number of a piece, and a run's name may have dashes as well."""
    later = datetime.date(2014, 1, 1)
    written(tmp_path, [quote(1, symbol)], "2013-10-07")
    written(tmp_path, [quote(0, symbol)], "b")
    written(tmp_path, [quote(0)], "b")
    for made in (2, 0):
        assert compact(tmp_path, later) == made
        names = {path.name for path in (tmp_path / DAY).iterdir()}
        assert names == {f"quotes-{symbol.replace('/', '_')}.parquet", "quotes-SPY.parquet"}
    table = pq.read_table(tmp_path / DAY / f"quotes-{symbol.replace('/', '_')}.parquet")
    assert table["bid_price"].to_pylist() == [100.0, 101.0]
    assert table["symbol"].to_pylist() == [symbol] * 2


def test_pieces_past_the_millionth_become_part_of_the_day(tmp_path):
    log = MarketLog(tmp_path, "one")
    log._serial = 999_998
    for number in range(3):
        log.take(quote(number), START + number)
        log.write(log.cut())
    assert compact(tmp_path, datetime.date(2014, 1, 1)) == 1
    (path,) = (tmp_path / DAY).iterdir()
    assert pq.read_table(path)["bid_price"].to_pylist() == [100.0, 101.0, 102.0]


def test_a_second_run_of_one_name_writes_over_nothing(tmp_path):
    written(tmp_path, [quote(0)])
    written(tmp_path, [quote(1), quote(2, "BAC")])
    found = sorted(path.name for path in (tmp_path / DAY).iterdir())
    assert [name[:10] for name in found] == ["quotes-BAC"] + ["quotes-SPY"] * 2


def test_pieces_lie_under_the_day_of_receipt(tmp_path):
    log = MarketLog(tmp_path / "state" / "market", "one")
    midnight = int(datetime.datetime(2013, 10, 8, tzinfo=datetime.UTC).timestamp()) * SECOND
    for number, now in enumerate(
        (midnight - 1, midnight, midnight + 1, midnight + 2 * 86_400 * SECOND)
    ):
        log.take(quote(number), now)
    assert (log.count, log.write(log.cut()), log.count) == (4, 3, 0)
    found = {}
    for path in sorted(tmp_path.rglob("*.parquet")):
        found[path.parent.name] = pq.read_table(path)["bid_price"].to_pylist()
    assert found == {"2013-10-07": [100.0], "2013-10-08": [101.0, 102.0], "2013-10-10": [103.0]}
    assert log.folder.joinpath(DAY).stat().st_mode & 0o777 == 0o700


def test_rows_that_cannot_be_written_are_counted_and_cost_no_other_symbol_its_own(
    tmp_path, monkeypatch
):
    log = MarketLog(tmp_path, "one")
    for number, symbol in enumerate(("BAC", "SPY", "BAC", "XOM")):
        log.take(quote(number, symbol), START)
    really = market_log._write

    def fails(table, path):
        symbol = table["symbol"][0].as_py()
        if symbol == "XOM":
            path.write_bytes(b"half")
        if symbol != "SPY":
            raise OSError(f"no room for {symbol}")
        really(table, path)

    monkeypatch.setattr(market_log, "_write", fails)
    with pytest.raises(OSError, match="no room for BAC"):
        log.write(log.cut())
    assert log.dropped == 3
    (path,) = (tmp_path / DAY).iterdir()
    assert pq.read_table(path)["symbol"].to_pylist() == ["SPY"]


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    synced = []
    really = market_log.os.fsync

    def fsync(descriptor):
        really(descriptor)
        synced.append([path.suffix for path in (tmp_path / DAY).iterdir()])

    monkeypatch.setattr(market_log.os, "fsync", fsync)
    written(tmp_path, [quote(0)])
    assert synced == [[".part"]]
    compact(tmp_path, datetime.date(2014, 1, 1))
    assert sorted(synced[1]) == [".parquet", ".part"]


def test_what_a_kill_in_the_midst_of_a_write_has_left_is_cleared_away_with_its_day(tmp_path):
    written(tmp_path, [quote(0)])
    left = tmp_path / DAY / "quotes-SPY-one-000002.part"
    left.write_bytes(b"half")
    assert compact(tmp_path, datetime.date(2013, 10, 13)) == 0
    assert left.exists()
    assert compact(tmp_path, datetime.date(2013, 10, 14)) == 1
    assert [path.name for path in (tmp_path / DAY).iterdir()] == ["quotes-SPY.parquet"]


def test_a_piece_that_cannot_be_read_stays_and_holds_no_other_up(tmp_path):
    written(tmp_path, [quote(0), quote(1, "BAC"), quote(2, "XOM")])
    (broken,) = tmp_path.rglob("quotes-BAC-*")
    broken.write_bytes(b"half a piece")
    with pytest.raises(OSError, match="2013-10-07/quotes-BAC: "):
        compact(tmp_path, datetime.date(2014, 1, 1))
    names = sorted(path.name for path in (tmp_path / DAY).iterdir())
    assert names == [broken.name, "quotes-SPY.parquet", "quotes-XOM.parquet"]


def test_what_does_not_fit_is_counted_and_waits_for_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(market_log, "BUFFERED_MAX", 3)
    log = written(tmp_path, [quote(i) for i in range(5)])
    assert log.dropped == 2
    log.take(quote(9), START)
    assert log.write(log.cut()) == 1


def test_two_million_rows_wait_for_a_write(tmp_path):
    log = MarketLog(tmp_path, "one")
    log.count = 1_999_999
    for _ in range(2):
        log.take(quote(0), START)
    assert (log.count, log.dropped) == (2_000_000, 1)


@pytest.mark.parametrize("runs", [("a9", "b0"), ("b0", "a9")])
def test_a_day_of_several_runs_is_read_in_the_order_in_which_it_came(tmp_path, runs):
    """The names of runs are drawn: every second restart made the day's pattern unreadable."""
    for number, run in enumerate(runs):
        written(tmp_path, [quote(2 * number), quote(2 * number + 1)], run)
    loaded = load(str(tmp_path / DAY / "quotes-SPY*.parquet"))
    assert loaded.columns[0].bid_price.tolist() == [100.0, 101.0, 102.0, 103.0]


def test_what_was_received_can_be_backtested(tmp_path):
    closes = np.sin(np.arange(90) / 6) + 100
    bars = [
        BarEvent("SPY", START + i * 60 * SECOND, START + (i + 1) * 60 * SECOND, (c, c, c, c, 100.0))
        for i, c in enumerate(closes)
    ]
    written(tmp_path, bars)
    (path,) = (tmp_path / DAY).iterdir()
    result = backtest(Cross(), str(path), timeframe="1m", progress=False)
    assert len(result.fills) > 2
