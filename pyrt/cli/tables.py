"""`--data`: paths, paths by symbol, and the bars that an installed package ships."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyrt.core.suggest import did_you_mean
from pyrt.errors import ConfigError, MissingExtra, UnknownName

if TYPE_CHECKING:
    import pandas as pd

SAMPLE = "sample:"
SAMPLE_SYMBOLS = ("AAPL", "FB", "GOOG", "IBM", "MSFT")
"""Symbols of the daily bars in bokeh_sampledata, 2000-03-01 (or listing) to 2013-03-01."""


def data_of(values: Sequence[str]) -> Any:
    """Return what `pyrt.backtest` takes as `data` for the values of `--data`.

    Raises
    ------
    ConfigError
        If some values name a symbol and others do not.
    """
    if len(values) == 1 and values[0].startswith(SAMPLE):
        return sample_bars(values[0].removeprefix(SAMPLE))
    named = {}
    for value in values:
        symbol, equals, path = value.partition("=")
        if equals and not Path(value).exists():
            named[symbol] = path
    if not named:
        return values[0] if len(values) == 1 else list(values)
    if len(named) < len(values):
        raise ConfigError(
            "some --data name a symbol and others do not, or one is named twice",
            remedy="Write SYMBOL=PATH for each",
        )
    return named


def sample_bars(text: str) -> pd.DataFrame:
    """Return real daily bars of some of `SAMPLE_SYMBOLS`, with a column ``ticker``.

    They are unadjusted prices with the adjusted close beside them, public domain (Quandl WIKI),
    as bokeh_sampledata ships them; nothing is downloaded.

    Parameters
    ----------
    text : str
        Symbols joined by commas, or ``"all"``.

    Raises
    ------
    UnknownName
        If there is no such symbol; close names are suggested.
    MissingExtra
        If bokeh_sampledata is not installed.
    """
    wanted = SAMPLE_SYMBOLS if text == "all" else text.split(",")
    for symbol in wanted:
        if symbol not in SAMPLE_SYMBOLS:
            raise UnknownName(
                f"there are no sample bars of {symbol!r}",
                remedy=did_you_mean(symbol, SAMPLE_SYMBOLS),
                symbol=symbol,
            )
    try:
        from bokeh_sampledata.stocks import data
    except ImportError as error:
        raise MissingExtra(
            "the sample bars are those of bokeh_sampledata, which is not installed",
            remedy="Run: pip install bokeh_sampledata",
            package="bokeh_sampledata",
        ) from error
    frame: pd.DataFrame = data[data["ticker"].isin(wanted)]
    return frame
