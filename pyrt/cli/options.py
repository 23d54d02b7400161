"""Options that commands share: what data, which venue, which account.

Values are passed on as texts wherever the library reads texts itself; names are those of
`pyrt.backtest`. Choices are written out here, because importing them would cost start-up time.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from pyrt.cli.choices import Choice, StrategySpec

Command = TypeVar("Command", bound=Callable[..., Any])
Decorator = Callable[[Command], Command]

FILLS = ("next_open", "same_close", "next_close")
PATHS = ("adverse_first", "open_high_low_close", "open_low_high_close", "nearest_first")
CHILDREN = ("rest_of_bar", "next_bar")
VENUES = ("sim", "alpaca")
LABELS = ("open", "close")
REPAIRS = ("utc", "drop_nan", "sort", "drop_duplicates", "ffill", "clip", "drop_invalid")
KINDS = ("bars", "quotes", "trades", "book", "quotebars", "closes")
PRICES = ("bid", "ask", "mid")
COSTS = ("average", "fifo")
ON_ERROR = ("raise", "halt", "log")

journal_argument: Decorator[Any] = click.argument(
    "folder", metavar="JOURNAL", type=click.Path(path_type=Path, exists=True, file_okay=False)
)
strategy_argument: Decorator[Any] = click.argument(
    "strategy", type=StrategySpec(), metavar="FILE.py[:Class]"
)
json_option: Decorator[Any] = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object and nothing else."
)


def _stack(*options: Decorator[Any]) -> Decorator[Any]:
    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


set_option: Decorator[Any] = click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of the strategy; CLASS.NAME=VALUE where several run.",
)

loading_options = _stack(
    click.option(
        "--symbol",
        multiple=True,
        help="The symbol of a table that names none; of one that does, a symbol to keep.",
    ),
    click.option("--timeframe", help="Of the data, such as 1m; by default its most frequent step."),
    click.option("--label", type=Choice(LABELS), help="Which end of its bar a stamp marks."),
    click.option("--tz", metavar="ZONE", help="Time zone of stamps that name none."),
    click.option("--repair", multiple=True, type=Choice(REPAIRS), help="Mend faults of a table."),
    click.option("--kind", type=Choice(KINDS), help="What a table holds, where that is unclear."),
    click.option("--price", type=Choice(PRICES), help="Which price bars of quotes are made of."),
    click.option("--adjusted", is_flag=True, default=None, help="Scale prices to Adj Close."),
    click.option("--calendar", metavar="NAME", help="Sessions, such as XNYS; by default 24/7."),
)
"""How `pyrt.data.load` is to read a table."""

data_options = _stack(
    click.option(
        "--data",
        multiple=True,
        required=True,
        metavar="PATH",
        help="Parquet, CSV or catalog; SYMBOL=PATH for a file of one symbol; "
        "sample:GOOG for the bars that bokeh_sampledata ships. Repeat for several.",
    ),
    loading_options,
    click.option(
        "--corporate-actions",
        metavar="PATH",
        help="Parquet table of splits and dividends: symbol ex_date kind split_ratio cash_amount.",
    ),
)
"""Which data, and how to read them."""

span_options = _stack(
    click.option("--start", metavar="TIME", help="Handlers see bars from here, in --tz or UTC."),
    click.option("--end", metavar="TIME", help="The end of the run; a date is the whole day."),
    click.option("--warmup", type=int, metavar="BARS", help="Bars before --start for indicators."),
)
"""Which part of the data."""

venue_options = _stack(
    click.option("--venue", type=Choice(VENUES), help="Whose rules, fees and sessions apply."),
    click.option("--fill", type=Choice(FILLS), help="When market orders meet the market."),
    click.option("--path", type=Choice(PATHS), help="The way of the price inside a bar."),
    click.option("--children", type=Choice(CHILDREN), help="When exits of a bracket are in play."),
    click.option(
        "--touch-fills", is_flag=True, default=None, help="A limit that is only touched fills."
    ),
    click.option(
        "--fees", metavar="MODEL", help="bps:2, per_share:0.005/1, fixed:1, us, alpaca; a+b."
    ),
    click.option("--slippage", metavar="MODEL", help="ticks:1/0.01, bps:2 or range:0.1."),
    click.option("--latency", metavar="TIME", help="From command to effect, such as 50ms."),
    click.option("--participation", type=float, help="Largest share of a bar's volume to fill."),
)
"""How the simulated venue behaves; what is not given is as in `pyrt.backtest`."""

account_options = _stack(
    click.option("--cash", metavar="AMOUNT", help="Opening balance.  [100000]"),
    click.option("--currency", metavar="CODE", help="Of the account.  [USD]"),
    click.option("--cost", type=Choice(COSTS), help="How closed units are costed."),
    click.option("--seed", type=int, help="Of random models; part of the run hash.  [0]"),
    click.option("--speed", metavar="1x", help="Replay at this pace, with the data's own gaps."),
    click.option("--on-error", type=Choice(ON_ERROR), help="What an exception in a handler does."),
)
"""Account, seed and policy of a run."""
