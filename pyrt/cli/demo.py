"""`pyrt demo`, also `python -m pyrt.cli.demo`: a strategy on real bars, a table, a report."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import click

from pyrt.cli import options
from pyrt.cli.backtest import summary_object
from pyrt.cli.tables import sample_bars
from pyrt.core.data import Bar
from pyrt.indicators import SMA
from pyrt.strategy import Strategy

REPORT = Path("build/demo/report.html")
SYMBOL = "GOOG"


class SmaCross(Strategy):
    """All in while the fast average is above the slow one, out of the market otherwise."""

    symbol: str = SYMBOL
    fast: int = 20
    slow: int = 50

    def on_start(self) -> None:
        """Ask for daily bars and let the engine feed two averages from them."""
        bars = self.subscribe_bars(self.symbol, "1d")
        self.fast_ma = self.attach(SMA(self.fast), bars)
        self.slow_ma = self.attach(SMA(self.slow), bars)

    def on_bar(self, bar: Bar) -> None:
        """Enter or leave when the averages have crossed; it fills at the next open."""
        if not self.slow_ma.ready:
            return
        if self.fast_ma.value > self.slow_ma.value and self.position(self.symbol).is_flat:
            self.buy(self.symbol, int(0.98 * self.equity / bar.close))
        elif self.fast_ma.value < self.slow_ma.value and self.position(self.symbol).is_long:
            self.close(self.symbol)


@click.command()
@click.option("--report", default=str(REPORT), show_default=True, help="Where to write the report.")
@options.json_option
def demo(report: str, as_json: bool) -> None:
    """Backtest a moving-average cross on nine years of real daily bars.

    The bars are Google's, 2004 to 2013, public domain (Quandl WIKI), from the package
    bokeh_sampledata; nothing is downloaded.
    """
    from pyrt.facade import backtest

    began = time.perf_counter()
    bars = sample_bars(SYMBOL)
    result = backtest(
        SmaCross(), bars, calendar="XNYS", fees="per_share:0.005/1+us", slippage="bps:2"
    )
    target = Path(report)
    target.parent.mkdir(parents=True, exist_ok=True)
    result.report(target, timezone="America/New_York")
    if as_json:
        click.echo(json.dumps(summary_object(result), allow_nan=False))
        return
    click.echo(f"Daily bars of {SYMBOL}, public domain (Quandl WIKI), from bokeh_sampledata.\n")
    click.echo(str(result))
    click.echo(f"\nReport: {target}  (open it in a browser)")
    click.echo(f"Done in {time.perf_counter() - began:.1f} s. The strategy is in {_source()}.")


def _source() -> Path:
    """Return the path of this file, short where it is below the working directory."""
    path = Path(__file__)
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


if __name__ == "__main__":
    from pyrt.cli.entry import main

    sys.exit(main(["demo", *sys.argv[1:]]))
