"""Order book: time per change over recorded feeds, beside hftbacktest on the same changes.

Run a release build: `python benchmarks/book.py`. With `--structures` the candidates of
`docs/decisions/0010-order-book-structure.md` are compiled (c++) and timed on the same changes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pyrt.core.book import OrderBook

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("PYRT_SHARED_DATA", HERE.parents[1] / "shared" / "data"))
CAPTURES = {
    "usdm": ("crypto_l2_BTCUSDT_binance_usdm_20240808", 0.1),
    "spot": ("crypto_l2_BTCUSDT_binance_spot_20240808_09", 0.01),
    "coinm": ("crypto_l2_BTCUSDPERP_binance_coinm_20240808_09", 0.1),
}
ORDER_FEEDS = {
    "es": "fut_mbo_ESH4_20231225",
    "msft": "lob_orders_MSFT_20120621_0930_1030",
}
REPEATS = 15


def load(name: str) -> Any:
    """Return a recorded table; a capture from its snapshot on."""
    path = DATA / f"{name}.parquet"
    if not path.exists():
        raise FileNotFoundError(f"{path}: set PYRT_SHARED_DATA to the folder of the recorded data")
    table = pd.read_parquet(path)
    if name.startswith("crypto_l2"):
        table = table[int(np.flatnonzero(table["action"] == "snapshot")[0]) :]
    return table


def fastest(run: Callable[[], float], rows: int, repeats: int = REPEATS) -> float:
    """Return the least ns per row of several runs, each giving its seconds."""
    return min(run() for _ in range(repeats)) / rows * 1e9


def apply_seconds(columns: Any, level: Any) -> float:
    """Apply prepared columns to an empty book: one call into the compiled loop."""
    book = OrderBook("X", level)
    start = time.perf_counter()
    book.apply(columns)
    return time.perf_counter() - start


def hftbacktest_runs(table: Any, tick: float) -> dict[str, Callable[[], float]]:
    """Return timed runs of hftbacktest: its two depths, and the same rows without effect.

    Each run is one `elapse` over events marked local only, so that a single depth is kept; the
    rows without effect (trades that are not stored) are what reading its feed costs.
    """
    import hftbacktest as hft
    from hftbacktest.types import event_dtype

    def events(kind: int) -> Any:
        rows = np.zeros(len(table), event_dtype)
        side = np.where(table["side"] == "B", hft.BUY_EVENT, hft.SELL_EVENT)
        rows["ev"] = kind | hft.LOCAL_EVENT | side
        rows["exch_ts"] = rows["local_ts"] = 10**9 + np.arange(len(table))
        rows["px"] = table["price"]
        rows["qty"] = np.where(table["action"] == "delete", 0.0, table["size"])
        return rows

    def timed(make: Any, rows: Any) -> Callable[[], float]:
        def run() -> float:
            asset = (
                hft.BacktestAsset()
                .data(rows)
                .linear_asset(1.0)
                .constant_order_latency(0, 0)
                .risk_adverse_queue_model()
                .no_partial_fill_exchange()
                .trading_value_fee_model(0, 0)
                .tick_size(tick)
                .lot_size(1e-5)
                .last_trades_capacity(0)
                .roi_lb(50_000.0)
                .roi_ub(70_000.0)
            )
            engine = make([asset])
            start = time.perf_counter()
            engine.elapse(10**15)
            spent = time.perf_counter() - start
            engine.close()
            return spent

        return run

    depth, none = events(hft.DEPTH_EVENT), events(hft.TRADE_EVENT)
    return {
        "hftbacktest_hashmap": timed(hft.HashMapMarketDepthBacktest, depth),
        "hftbacktest_vector": timed(hft.ROIVectorMarketDepthBacktest, depth),
        "hftbacktest_no_depth": timed(hft.HashMapMarketDepthBacktest, none),
    }


def measure_l2() -> list[dict[str, Any]]:
    """Time changes by price, each feed in turn, pyrt and hftbacktest alternating."""
    results: dict[str, list[float]] = {}
    rows = 0
    for feed, (name, tick) in CAPTURES.items():
        table = load(name)
        columns = OrderBook("X").prepare(table)
        runs: dict[str, Callable[[], float]] = {
            "pyrt": lambda columns=columns: apply_seconds(columns, "L2")  # type: ignore[misc]
        }
        try:
            runs |= hftbacktest_runs(table, tick)
        except ImportError:
            print("hftbacktest is not installed: pyrt alone is timed", file=sys.stderr)
        best = dict.fromkeys(runs, float("inf"))
        for _ in range(REPEATS):
            for label, run in runs.items():
                best[label] = min(best[label], run())
        for label, seconds in best.items():
            results.setdefault(f"{label} {feed}", []).append(seconds / len(table) * 1e9)
            results.setdefault(label, []).append(seconds)
        rows += len(table)
    labels = [label for label in results if " " not in label]
    total = {label: sum(results[label]) / rows * 1e9 for label in labels}
    measured = [row("book_delta", total.pop("pyrt"), "ns/delta")]
    measured += [row(f"l2_delta {label}", value) for label, value in total.items()]
    return measured + [row(f"l2_delta {k}", v[0]) for k, v in results.items() if " " in k]


def measure_l3() -> list[dict[str, Any]]:
    """Time changes by order; the slower of the two feeds is the row that has a budget."""
    measured = []
    for feed, name in ORDER_FEEDS.items():
        columns = OrderBook("X", "L3").prepare(load(name))
        value = fastest(lambda columns=columns: apply_seconds(columns, "L3"), len(columns))  # type: ignore[misc]
        measured.append(row(f"l3_event {feed}", value))
    worst = max(each["value"] for each in measured)
    return [row("book_order_event", worst, "ns/event"), *measured]


def row(name: str, value: float, unit: str = "ns") -> dict[str, Any]:
    return {"name": name, "value": round(value, 1), "unit": unit}


def measure() -> list[dict[str, Any]]:
    """Return rows of name, value and unit; `book_delta` and `book_order_event` have budgets.

    Raises
    ------
    FileNotFoundError
        If the recorded data are not there.
    """
    return measure_l2() + measure_l3()


def level_changes(feed: str) -> Any:
    """Return a feed as (side, price, new total) triples, what every structure can take."""
    by_order = feed in ORDER_FEEDS
    table = load(ORDER_FEEDS[feed] if by_order else CAPTURES[feed][0])
    side = np.where(table["side"] == "B", 1, -1)
    price = np.rint(table["price"].to_numpy() * 1e4).astype(np.int64) * 100_000
    book = OrderBook("X", "L3" if by_order else "L2", size_decimals=9)
    if not by_order:
        size = np.where(table["action"] == "delete", 0.0, table["size"])
        return np.stack([side, price, np.rint(size * 1e9).astype(np.int64)], axis=1)
    columns = book.prepare(table)
    totals = np.zeros(len(table), dtype=np.int64)
    for i in range(len(table)):
        book.apply(columns, i, i + 1)
        if side[i]:
            totals[i] = round(book.size_at(int(side[i]), price[i] / 1e9) * 1e9)
    return np.stack([side, price, totals], axis=1)


def print_structures() -> None:
    """Compile the candidate structures and time them on each feed."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "structures"
        source = HERE / "book_structures.cpp"
        subprocess.run(["c++", "-std=c++17", "-O3", "-o", program, source], check=True)
        for feed in (*CAPTURES, *ORDER_FEEDS):
            changes = level_changes(feed)
            path = Path(folder) / feed
            changes.astype(np.int64).tofile(path)
            print(f"{feed}: {len(changes)} changes", flush=True)
            subprocess.run([program, path], check=True)


if __name__ == "__main__":
    if "--structures" in sys.argv[1:]:
        print_structures()
    else:
        for each in measure():
            print(f"{each['name']:<40} {each['value']:8.1f} {each['unit']}")
