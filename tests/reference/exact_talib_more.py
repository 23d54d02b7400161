"""TA-Lib's stochastics, bands, stops and volume functions over numbers of any kind."""

from __future__ import annotations

from typing import Any

import mpmath

from tests.reference.exact_blocks import (
    Row,
    average,
    cumulative,
    each,
    ema,
    fold,
    greatest,
    head,
    lag,
    least,
    moves,
    one,
    rma,
    share,
    sma,
    total,
    true_range,
    variance,
    window,
)
from tests.reference.exact_talib import FUNCTIONS, middle, minus, root, talib, typical


def place(high: Row, low: Row, close: Row, n: int) -> Row:
    """Where the close lies in the range of `n` bars, in percent."""
    return each(lambda h, b, c: 100 * share(c - b, h - b), greatest(high, n), least(low, n), close)


@talib
def STOCHF(h: Row, b: Row, c: Row, fastk_period=5, fastd_period=3, fastd_matype=0) -> Any:
    fast = place(h, b, c, fastk_period)
    return fast, average(fastd_matype, fast, fastd_period)


@talib
def STOCH(
    h: Row, b: Row, c: Row, fastk_period=5, slowk_period=3, slowk_matype=0, slowd_period=3,
    slowd_matype=0,
) -> Any:  # fmt: skip
    slow = average(slowk_matype, place(h, b, c, fastk_period), slowk_period)
    return slow, average(slowd_matype, slow, slowd_period)


@talib
def KDJ(
    h: Row, b: Row, c: Row, fastk_period=9, slowk_period=3, slowk_matype=13, slowd_period=3,
    slowd_matype=13,
) -> Any:  # fmt: skip
    k, d = STOCH(h, b, c, fastk_period, slowk_period, slowk_matype, slowd_period, slowd_matype)
    return k, d, each(lambda p, q: 3 * p - 2 * q, k, d)


@talib
def STOCHRSI(x: Row, timeperiod=14, fastk_period=5, fastd_period=3, fastd_matype=0) -> Any:
    strength = FUNCTIONS["RSI"](x, timeperiod)
    return STOCHF(strength, strength, strength, fastk_period, fastd_period, fastd_matype)


@talib
def SMI(h: Row, b: Row, c: Row, timeperiod=13, fastperiod=2, slowperiod=25, signalperiod=9) -> Any:
    top, bottom = greatest(h, timeperiod), least(b, timeperiod)
    off = minus(c, middle(top, bottom))
    off, span = (ema(ema(s, slowperiod), fastperiod) for s in (off, minus(top, bottom)))
    result = each(lambda o, s: 200 * share(o, s), off, span)
    return result, ema(result, signalperiod)


@talib
def WILLR(high: Row, low: Row, close: Row, timeperiod: int = 14) -> Row:
    top, bottom = greatest(high, timeperiod), least(low, timeperiod)
    return each(lambda h, b, c: -100 * min(max(share(h - c, h - b), 0), 1), top, bottom, close)


@talib
def CCI(high: Row, low: Row, close: Row, timeperiod: int = 14) -> Row:
    def off(w: Row) -> Any:
        mean = sum(w) / len(w)
        deviation = sum(abs(v - mean) for v in w) / len(w)
        return share(w[-1] - mean, deviation * 15 / 1000)

    return window(typical(high, low, close), timeperiod, off)


@talib
def ULTOSC(h: Row, b: Row, c: Row, timeperiod1=7, timeperiod2=14, timeperiod3=28) -> Row:
    bought = each(lambda p, q, r: p - min(q, r), c, b, lag(c, 1))
    ranges = true_range(h, b, c)
    parts = [
        each(share, total(bought, n), total(ranges, n))
        for n in sorted((timeperiod1, timeperiod2, timeperiod3))
    ]
    return each(lambda p, q, r: 100 * (4 * p + 2 * q + r) / 7, *parts)


# ---- bands --------------------------------------------------------------------------------------


@talib
def BBANDS(x: Row, timeperiod=20, nbdevup=2.0, nbdevdn=2.0, matype=0) -> Any:
    center = average(matype, x, timeperiod)
    spread = each(root, window(x, timeperiod, variance))
    return (
        each(lambda m, s: m + s * nbdevup, center, spread),
        center,
        each(lambda m, s: m - s * nbdevdn, center, spread),
    )


@talib
def ACCBANDS(high: Row, low: Row, close: Row, timeperiod: int = 20) -> Any:
    push = each(lambda h, b: 4 * share(h - b, h + b), high, low)
    return (
        sma(each(lambda h, p: h * (1 + p), high, push), timeperiod),
        sma(close, timeperiod),
        sma(each(lambda b, p: b * (1 - p), low, push), timeperiod),
    )


@talib
def KC(high: Row, low: Row, close: Row, timeperiod=20, atrperiod=10, nbdev=2.0) -> Any:
    start = head(high) + max(timeperiod - 1, atrperiod)
    center = ema(typical(high, low, close), timeperiod, start)
    span = rma(true_range(high, low, close), atrperiod, start)
    return (
        each(lambda m, s: m + s * nbdev, center, span),
        center,
        each(lambda m, s: m - s * nbdev, center, span),
    )


@talib
def SUPERTREND(high: Row, low: Row, close: Row, timeperiod=10, multiplier=3.0) -> Any:
    span = each(lambda s: s * multiplier, rma(true_range(high, low, close), timeperiod))
    upper = lower = None
    up, lines, trends = True, [], []
    for i, s in enumerate(span):
        if s is None:
            lines.append(None)
            trends.append(None)
            continue
        center = (high[i] + low[i]) / 2
        top, bottom = center + s, center - s
        if upper is None:
            upper, lower = top, bottom
        else:
            upper = top if top < upper or close[i - 1] > upper else upper
            lower = bottom if bottom > lower or close[i - 1] < lower else lower
            up = close[i] >= lower if up else close[i] > upper
        lines.append(lower if up else upper)
        trends.append(1 if up else -1)
    return lines, trends


def parabola(high: Row, low: Row, acceleration: float, maximum: float) -> tuple[Row, Row]:
    """Stops, and the side (1 long, -1 short) each belongs to."""
    unit, first = one(high), head(high) + 1
    step, limit = min(unit * acceleration, unit * maximum), unit * maximum
    up, down = high[first] - high[first - 1], low[first - 1] - low[first]
    long = not (down > 0 and up < down)
    stop = low[first - 1] if long else high[first - 1]
    extreme, factor = (high[first] if long else low[first]), step
    stops: Row = [None] * len(high)
    sides: Row = [None] * len(high)
    before_high, before_low = high[first], low[first]
    for i in range(first, len(high)):
        h, b = high[i], low[i]
        if (long and b <= stop) or (not long and h >= stop):
            long = not long
            stop = min(extreme, before_low, b) if long else max(extreme, before_high, h)
            factor, extreme = step, (h if long else b)
        elif (long and h > extreme) or (not long and b < extreme):
            extreme, factor = (h if long else b), min(factor + step, limit)
        stops[i], sides[i] = stop, 1 if long else -1
        stop = stop + factor * (extreme - stop)
        stop = min(stop, before_low, b) if long else max(stop, before_high, h)
        before_high, before_low = h, b
    return stops, sides


@talib
def SAR(high: Row, low: Row, acceleration: float = 0.02, maximum: float = 0.2) -> Row:
    return parabola(high, low, acceleration, maximum)[0]


@talib
def SAREXT(high: Row, low: Row) -> Row:
    """With the parameters' defaults: `SAR`, negative while short."""
    return each(lambda s, side: s * side, *parabola(high, low, 0.02, 0.2))


# ---- volume -------------------------------------------------------------------------------------


def flow(high: Row, low: Row, close: Row, volume: Row) -> Row:
    """Volume by the close's place in the bar; none of a bar whose high is not above its low."""
    return each(
        lambda h, b, c, v: ((c - b) - (h - c)) / (h - b) * v if h > b else v * 0,
        high, low, close, volume,
    )  # fmt: skip


def signed(x: Row, volume: Row) -> Row:
    """Volume with the sign of the move; whole on the first row."""
    first = head(x)
    return [
        None
        if x[i] is None
        else volume[i] * (1 if i == first else (x[i] > x[i - 1]) - (x[i] < x[i - 1]))
        for i in range(len(x))
    ]


FUNCTIONS |= {
    "AD": lambda h, b, c, v: cumulative(flow(h, b, c, v)),
    "OBV": lambda x, v: cumulative(signed(x, v)),
    "MARKETFI": lambda h, b, v: each(lambda p, q, r: share(p - q, r), h, b, v),
    "EFI": lambda x, v, timeperiod=13: ema(each(lambda m, q: m * q, moves(x), v), timeperiod),
}


@talib
def ADOSC(h: Row, b: Row, c: Row, v: Row, fastperiod: int = 3, slowperiod: int = 10) -> Row:
    whole = cumulative(flow(h, b, c, v))
    parts = [fold(whole, 1, one(whole) * 2 / (n + 1)) for n in (fastperiod, slowperiod)]
    first = head(whole) + max(fastperiod, slowperiod) - 1
    return [v if i >= first else None for i, v in enumerate(minus(*parts))]


@talib
def MFI(h: Row, b: Row, c: Row, v: Row, timeperiod: int = 14) -> Row:
    price = typical(h, b, c)
    still = each(lambda p, q: abs(p - q) <= (abs(p) + abs(q)) / 10**14, price, lag(price, 1))
    money = each(lambda p, q: p * q, price, v)
    up = each(lambda s, m, d: m if d > 0 and not s else m * 0, still, money, moves(price))
    down = each(lambda s, m, d: m if d < 0 and not s else m * 0, still, money, moves(price))
    return each(lambda p, q: 100 * share(p, p + q), total(up, timeperiod), total(down, timeperiod))


@talib
def CMF(h: Row, b: Row, c: Row, v: Row, timeperiod: int = 20) -> Row:
    return each(share, total(flow(h, b, c, v), timeperiod), total(v, timeperiod))


@talib
def ERI(high: Row, low: Row, close: Row, timeperiod: int = 13) -> Any:
    center = ema(close, timeperiod)
    return minus(high, center), minus(low, center)


def turnover(x: Row, volume: Row, sign: int) -> Row:
    result: Row = []
    for i in range(len(x)):
        if x[i] is None:
            result.append(None)
        elif i == head(x):
            result.append(one(x) * 1000)
        elif (volume[i] - volume[i - 1]) * sign > 0 and x[i - 1] != 0:
            result.append(result[-1] * (1 + (x[i] - x[i - 1]) / x[i - 1]))
        else:
            result.append(result[-1])
    return result


FUNCTIONS |= {
    "NVI": lambda x, v: turnover(x, v, -1),
    "PVI": lambda x, v: turnover(x, v, 1),
}


@talib
def PVT(x: Row, volume: Row) -> Row:
    rates = FUNCTIONS["ROCP"](x, 1)
    rates[head(x)] = one(x) * 0
    return cumulative(each(lambda v, r: v * r, volume, rates))


@talib
def RVOL(volume: Row, timeperiod: int = 20) -> Row:
    average = lag(sma(volume, timeperiod), 1)
    return each(lambda v, a: share(v, a, v * mpmath.inf if v else None), volume, average)


@talib
def VWAP(h: Row, b: Row, c: Row, v: Row) -> Row:
    money = each(lambda p, q: p * q, typical(h, b, c), v)
    return each(share, cumulative(money), cumulative(v))


@talib
def WAD(high: Row, low: Row, close: Row) -> Row:
    before = lag(close, 1)
    parts: Row = []
    for h, b, c, p in zip(high, low, close, before):
        if c is None:
            parts.append(None)
        elif p is None or c == p:
            parts.append(c * 0)
        else:
            parts.append(c - (min(b, p) if c > p else max(h, p)))
    return cumulative(parts)
