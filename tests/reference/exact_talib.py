"""TA-Lib's functions over numbers of any kind: exact where TA-Lib rounds.

`exact(name, columns)` computes with the parameters' defaults unless told otherwise. Patterns of
candles and the Hilbert transform's family, whose outputs are decisions or chaos, are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.reference.exact_blocks import (
    Row,
    average,
    cumulative,
    dema,
    each,
    ema,
    fold,
    greatest,
    head,
    joint,
    lag,
    least,
    line,
    moves,
    one,
    rma,
    share,
    sma,
    tema,
    total,
    trima,
    true_range,
    variance,
    window,
    wma,
)

FUNCTIONS: dict[str, Callable[..., Any]] = {}


def talib(f: Callable[..., Any]) -> Callable[..., Any]:
    """File a function under its name."""
    FUNCTIONS[f.__name__] = f
    return f


def exact(name: str, columns: list[Row], **parameters: Any) -> tuple[Row, ...]:
    """Return a function's outputs; rows of any output's warm-up are None in all."""
    result = FUNCTIONS[name](*columns, **parameters)
    outputs = result if isinstance(result, tuple) else (result,)
    ready = [all(v is not None for v in row) for row in zip(*outputs)]
    return tuple([v if ok else None for v, ok in zip(out, ready)] for out in outputs)


def middle(high: Row, low: Row) -> Row:
    return each(lambda h, b: (h + b) / 2, high, low)


def typical(high: Row, low: Row, close: Row) -> Row:
    return each(lambda h, b, c: (h + b + c) / 3, high, low, close)


def minus(a: Row, b: Row) -> Row:
    return each(lambda p, q: p - q, a, b)


def rise(x: Row) -> Row:
    return each(lambda m: max(m, m * 0), moves(x))


def fall(x: Row) -> Row:
    return each(lambda m: max(-m, m * 0), moves(x))


# ---- averages -----------------------------------------------------------------------------------

FUNCTIONS |= {
    "SMA": lambda x, timeperiod=30: sma(x, timeperiod),
    "EMA": lambda x, timeperiod=30: ema(x, timeperiod),
    "WMA": lambda x, timeperiod=30: wma(x, timeperiod),
    "RMA": lambda x, timeperiod=30: rma(x, timeperiod),
    "DEMA": lambda x, timeperiod=30: dema(x, timeperiod),
    "TEMA": lambda x, timeperiod=30: tema(x, timeperiod),
    "TRIMA": lambda x, timeperiod=30: trima(x, timeperiod),
    "MA": lambda x, timeperiod=30, matype=0: average(matype, x, timeperiod),
}


@talib
def T3(x: Row, timeperiod: int = 5, vfactor: float = 0.7) -> Row:
    v, chain = one(x) * vfactor, [x]
    for _ in range(6):
        chain.append(ema(chain[-1], timeperiod))
    weights = (-(v**3), 3 * v**2 * (1 + v), -3 * v * (1 + v) ** 2, (1 + v) ** 3)
    return each(
        lambda a, b, c, d: sum(w * y for w, y in zip(weights, (a, b, c, d))),
        *chain[:2:-1],
    )


@talib
def ZLEMA(x: Row, timeperiod: int = 30) -> Row:
    return ema(each(lambda a, b: 2 * a - b, x, lag(x, (timeperiod - 1) // 2)), timeperiod)


@talib
def HMA(x: Row, timeperiod: int = 20) -> Row:
    ahead = each(lambda a, b: 2 * a - b, wma(x, timeperiod // 2), wma(x, timeperiod))
    return wma(ahead, int(timeperiod**0.5))


@talib
def VWMA(x: Row, volume: Row, timeperiod: int = 30) -> Row:
    money = total(each(lambda p, v: p * v, x, volume), timeperiod)
    return each(lambda m, v: share(m, v, None), money, total(volume, timeperiod))


@talib
def KAMA(x: Row, timeperiod: int = 30) -> Row:
    n = timeperiod
    path = total(each(abs, moves(x)), n)
    y, result = x[head(x) + n - 1], [None] * len(x)
    for i in range(head(x) + n, len(x)):
        distance = abs(x[i] - x[i - n])
        efficiency = one(x) if path[i] <= distance else distance / path[i]
        weight = (efficiency * (one(x) * 2 / 3 - one(x) * 2 / 31) + one(x) * 2 / 31) ** 2
        y = y + (x[i] - y) * weight
        result[i] = y
    return result


@talib
def MAVP(x: Row, periods: Row, minperiod: int = 2, maxperiod: int = 30, matype: int = 0) -> Row:
    known = {n: average(matype, x, n) for n in range(minperiod, maxperiod + 1)}
    first = next(i for i, v in enumerate(known[maxperiod]) if v is not None)
    return [
        known[min(max(int(n), minperiod), maxperiod)][i] if i >= first else None
        for i, n in enumerate(periods)
    ]


# ---- differences of averages --------------------------------------------------------------------


def convergence(x: Row, fast: Row, slow: Row, smooth: Callable[[Row], Row]) -> tuple[Row, Row, Row]:
    difference = minus(fast, slow)
    signal = smooth(difference)
    return difference, signal, minus(difference, signal)


@talib
def MACD(x: Row, fastperiod: int = 12, slowperiod: int = 26, signalperiod: int = 9) -> Any:
    a, b = sorted((fastperiod, slowperiod))
    start = head(x) + b - 1
    return convergence(x, ema(x, a, start), ema(x, b, start), lambda d: ema(d, signalperiod))


@talib
def MACDFIX(x: Row, signalperiod: int = 9) -> Any:
    start, unit = head(x) + 25, one(x)
    fast = fold(x, 12, unit * 0.15, start)
    slow = fold(x, 26, unit * 0.075, start)
    return convergence(x, fast, slow, lambda d: ema(d, signalperiod))


@talib
def MACDEXT(
    x: Row, fastperiod=12, fastmatype=0, slowperiod=26, slowmatype=0, signalperiod=9, signalmatype=0
) -> Any:
    fast, slow = average(fastmatype, x, fastperiod), average(slowmatype, x, slowperiod)
    return convergence(x, fast, slow, lambda d: average(signalmatype, d, signalperiod))


@talib
def APO(x: Row, fastperiod: int = 12, slowperiod: int = 26, matype: int = 1) -> Row:
    a, b = sorted((fastperiod, slowperiod))
    return minus(average(matype, x, a), average(matype, x, b))


@talib
def PPO(x: Row, fastperiod: int = 12, slowperiod: int = 26, matype: int = 1) -> Row:
    a, b = sorted((fastperiod, slowperiod))
    return each(lambda f, s: 100 * share(f - s, s), average(matype, x, a), average(matype, x, b))


FUNCTIONS["PVO"] = PPO


@talib
def AO(high: Row, low: Row, fastperiod: int = 5, slowperiod: int = 34) -> Row:
    return minus(sma(middle(high, low), fastperiod), sma(middle(high, low), slowperiod))


@talib
def AC(high: Row, low: Row, fastperiod=5, slowperiod=34, signalperiod=5) -> Row:
    swing = AO(high, low, fastperiod, slowperiod)
    return minus(swing, sma(swing, signalperiod))


@talib
def QSTICK(first: Row, close: Row, timeperiod: int = 10) -> Row:
    return sma(minus(close, first), timeperiod)


@talib
def IMI(first: Row, close: Row, timeperiod: int = 14) -> Row:
    body = minus(close, first)
    up = total(each(lambda b: max(b, b * 0), body), timeperiod)
    return each(
        lambda u, t: 100 * share(u, t, one(body) / 2), up, total(each(abs, body), timeperiod)
    )


# ---- momentum -----------------------------------------------------------------------------------

FUNCTIONS |= {
    "MOM": lambda x, timeperiod=10: minus(x, lag(x, timeperiod)),
    "ROC": lambda x, timeperiod=10: each(lambda a, b: 100 * share(a - b, b), x, lag(x, timeperiod)),
    "ROCP": lambda x, timeperiod=10: each(lambda a, b: share(a - b, b), x, lag(x, timeperiod)),
    "ROCR": lambda x, timeperiod=10: each(share, x, lag(x, timeperiod)),
    "ROCR100": lambda x, timeperiod=10: each(lambda a, b: 100 * share(a, b), x, lag(x, timeperiod)),
}


@talib
def RSI(x: Row, timeperiod: int = 14) -> Row:
    return each(
        lambda u, d: 100 * share(u, u + d), rma(rise(x), timeperiod), rma(fall(x), timeperiod)
    )


@talib
def CMO(x: Row, timeperiod: int = 14) -> Row:
    return each(
        lambda u, d: 100 * share(u - d, u + d), rma(rise(x), timeperiod), rma(fall(x), timeperiod)
    )


@talib
def CMOU(x: Row, timeperiod: int = 14) -> Row:
    return each(
        lambda u, d: 100 * share(u - d, u + d),
        total(rise(x), timeperiod),
        total(fall(x), timeperiod),
    )


@talib
def ER(x: Row, timeperiod: int = 10) -> Row:
    path = total(each(abs, moves(x)), timeperiod)
    return each(lambda a, b, p: share(abs(a - b), p, one(x)), x, lag(x, timeperiod), path)


@talib
def TRIX(x: Row, timeperiod: int = 30) -> Row:
    triple = ema(ema(ema(x, timeperiod), timeperiod), timeperiod)
    return FUNCTIONS["ROC"](triple, 1)


@talib
def TSI(x: Row, firstperiod: int = 25, secondperiod: int = 13) -> Row:
    move = ema(ema(moves(x), firstperiod), secondperiod)
    size = ema(ema(each(abs, moves(x)), firstperiod), secondperiod)
    return each(lambda m, s: 100 * share(m, s), move, size)


@talib
def DPO(x: Row, timeperiod: int = 20) -> Row:
    return minus(lag(x, timeperiod // 2 + 1), sma(x, timeperiod))


@talib
def COPPOCK(x: Row, wmaperiod: int = 10, roc1period: int = 11, roc2period: int = 14) -> Row:
    rates = (FUNCTIONS["ROC"](x, n) for n in (roc1period, roc2period))
    return wma(each(lambda a, b: a + b, *rates), wmaperiod)


@talib
def VHF(x: Row, timeperiod: int = 28) -> Row:
    path = total(each(abs, moves(x)), timeperiod)
    return each(
        lambda h, b, p: share(h - b, p), greatest(x, timeperiod), least(x, timeperiod), path
    )


# ---- statistics ---------------------------------------------------------------------------------


def root(x: Any) -> Any:
    """Square root in the number's own digits."""
    return x.sqrt() if hasattr(x, "sqrt") else x**0.5


FUNCTIONS |= {
    "VAR": lambda x, timeperiod=5, nbdev=1.0: window(x, timeperiod, variance),
    "LINEARREG_SLOPE": lambda x, timeperiod=14: window(x, timeperiod, lambda w: line(w)[1]),
    "LINEARREG_INTERCEPT": lambda x, timeperiod=14: window(x, timeperiod, lambda w: line(w)[0]),
}


def at(row: int) -> Callable[[Row], Any]:
    """Return the height of a window's line `row` rows after its last."""
    return lambda w: line(w)[0] + line(w)[1] * (len(w) - 1 + row)


FUNCTIONS |= {
    "LINEARREG": lambda x, timeperiod=14: window(x, timeperiod, at(0)),
    "TSF": lambda x, timeperiod=14: window(x, timeperiod, at(1)),
}


@talib
def STDDEV(x: Row, timeperiod: int = 5, nbdev: float = 1.0) -> Row:
    return each(lambda v: root(v) * nbdev, window(x, timeperiod, variance))


@talib
def AVGDEV(x: Row, timeperiod: int = 14) -> Row:
    return window(x, timeperiod, lambda w: sum(abs(v - sum(w) / len(w)) for v in w) / len(w))


def pairs(x: Row, y: Row, n: int, f: Callable[[Any, Any, Any], Any]) -> Row:
    both = each(lambda a, b: (a, b), x, y)
    return window(both, n, lambda w: f(*joint([a for a, _ in w], [b for _, b in w])))


@talib
def CORREL(x: Row, y: Row, timeperiod: int = 30) -> Row:
    return pairs(x, y, timeperiod, lambda a, b, c: share(c, root(a * b)))


@talib
def BETA(x: Row, y: Row, timeperiod: int = 5) -> Row:
    first, second = FUNCTIONS["ROCP"](x, 1), FUNCTIONS["ROCP"](y, 1)
    return pairs(first, second, timeperiod, lambda a, b, c: share(c, a))


@talib
def FOSC(x: Row, timeperiod: int = 5) -> Row:
    guess = lag(FUNCTIONS["TSF"](x, timeperiod), 1)
    return each(lambda a, b: 100 * share(a - b, a), x, guess)


@talib
def PERCENTILE(x: Row, timeperiod: int = 30, percentile: float = 50.0) -> Row:
    rank = min(max(-int(-percentile * timeperiod // 100), 1), timeperiod) - 1
    return window(x, timeperiod, lambda w: sorted(w)[rank])


@talib
def PERCENTRANK(x: Row, timeperiod: int = 100) -> Row:
    return window(
        x,
        timeperiod + 1,
        lambda w: one(x) * 100 * sum(v < w[-1] for v in w[:-1]) / timeperiod,
    )


# ---- arithmetic and prices ----------------------------------------------------------------------

FUNCTIONS |= {
    "ADD": lambda x, y: each(lambda a, b: a + b, x, y),
    "SUB": minus,
    "MULT": lambda x, y: each(lambda a, b: a * b, x, y),
    "DIV": lambda x, y: each(lambda a, b: a / b, x, y),
    "SUM": lambda x, timeperiod=30: total(x, timeperiod),
    "CUMSUM": cumulative,
    "SQRT": lambda x: each(root, x),
    "AVGPRICE": lambda o, h, b, c: each(lambda *row: sum(row) / 4, o, h, b, c),
    "MEDPRICE": middle,
    "TYPPRICE": typical,
    "WCLPRICE": lambda h, b, c: each(lambda p, q, r: (p + q + 2 * r) / 4, h, b, c),
    # A bar whose high is not above its low has no balance.
    "BOP": lambda o, h, b, c: each(lambda p, q, r, s: share(s - p, max(q - r, 0)), o, h, b, c),
}


@talib
def HA(first: Row, high: Row, low: Row, close: Row) -> Any:
    closes = FUNCTIONS["AVGPRICE"](first, high, low, close)
    opens: Row = []
    for i in range(len(first)):
        if first[i] is None:
            opens.append(None)
        elif not opens or opens[-1] is None:
            opens.append((first[i] + close[i]) / 2)
        else:
            opens.append((opens[-1] + closes[i - 1]) / 2)
    return opens, each(max, high, opens, closes), each(min, low, opens, closes), closes


# ---- extremes -----------------------------------------------------------------------------------

FUNCTIONS |= {
    "MAX": lambda x, timeperiod=30: greatest(x, timeperiod),
    "MIN": lambda x, timeperiod=30: least(x, timeperiod),
    "MINMAX": lambda x, timeperiod=30: (least(x, timeperiod), greatest(x, timeperiod)),
    "MIDPOINT": lambda x, timeperiod=14: middle(greatest(x, timeperiod), least(x, timeperiod)),
    "MIDPRICE": lambda h, b, timeperiod=14: middle(greatest(h, timeperiod), least(b, timeperiod)),
}


@talib
def DONCHIAN(high: Row, low: Row, timeperiod: int = 20) -> Any:
    top, bottom = greatest(high, timeperiod), least(low, timeperiod)
    return top, middle(top, bottom), bottom


@talib
def AROON(high: Row, low: Row, timeperiod: int = 14) -> Any:
    def recent(w: Row, best: Any) -> Any:
        return one(w) * 100 * max(k for k, v in enumerate(w) if v == best) / timeperiod

    return (
        window(low, timeperiod + 1, lambda w: recent(w, min(w))),
        window(high, timeperiod + 1, lambda w: recent(w, max(w))),
    )


@talib
def AROONOSC(high: Row, low: Row, timeperiod: int = 14) -> Row:
    return each(lambda d, u: u - d, *AROON(high, low, timeperiod))


# ---- ranges and directions ----------------------------------------------------------------------

FUNCTIONS |= {
    "TRANGE": true_range,
    "ATR": lambda h, b, c, timeperiod=14: rma(true_range(h, b, c), timeperiod),
    "ADR": lambda h, b, timeperiod=14: sma(minus(h, b), timeperiod),
}


@talib
def NATR(high: Row, low: Row, close: Row, timeperiod: int = 14) -> Row:
    ranges = rma(true_range(high, low, close), timeperiod)
    return each(lambda a, c: 100 * share(a, c), ranges, close)


@talib
def CVI(high: Row, low: Row, timeperiod: int = 10, rocperiod: int = 10) -> Row:
    return FUNCTIONS["ROC"](ema(minus(high, low), timeperiod), rocperiod)


@talib
def MASSI(high: Row, low: Row, fastperiod: int = 9, slowperiod: int = 25) -> Row:
    once = ema(minus(high, low), fastperiod)
    return total(each(lambda a, b: share(a, b, one(once)), once, ema(once, fastperiod)), slowperiod)


@talib
def RVI(x: Row, timeperiod: int = 14, stddevperiod: int = 10) -> Row:
    spread = STDDEV(x, stddevperiod)
    up = each(lambda s, m: s if m > 0 else s * 0, spread, moves(x))
    down = each(lambda s, m: s if m < 0 else s * 0, spread, moves(x))
    return each(
        lambda u, d: 100 * share(u, u + d, one(x) / 2), rma(up, timeperiod), rma(down, timeperiod)
    )


def wilder_sum(x: Row, n: int) -> Row:
    """Sum of the first n - 1 values, then less its n-th part plus the newest."""
    if n == 1:
        return x
    first, result = head(x), [None] * len(x)
    y = sum(x[first : first + n - 1])
    result[first + n - 2] = y
    for i in range(first + n - 1, len(x)):
        y = y - y / n + x[i]
        result[i] = y
    return result


def movement(high: Row, low: Row) -> tuple[Row, Row]:
    up, down = moves(high), each(lambda m: -m, moves(low))
    return (
        each(lambda u, d: u if u > d and u > 0 else u * 0, up, down),
        each(lambda u, d: d if d > u and d > 0 else d * 0, up, down),
    )


FUNCTIONS |= {
    "PLUS_DM": lambda h, b, timeperiod=14: wilder_sum(movement(h, b)[0], timeperiod),
    "MINUS_DM": lambda h, b, timeperiod=14: wilder_sum(movement(h, b)[1], timeperiod),
}


def indicators(high: Row, low: Row, close: Row, n: int) -> tuple[Row, Row]:
    ranges = wilder_sum(true_range(high, low, close), n)
    first = head(ranges) + (1 if n > 1 else 0)
    ranges = [v if i >= first else None for i, v in enumerate(ranges)]
    up, down = (wilder_sum(part, n) for part in movement(high, low))
    factor = 100 if n > 1 else 1
    return (
        each(lambda m, r: factor * share(m, r), up, ranges),
        each(lambda m, r: factor * share(m, r), down, ranges),
    )


FUNCTIONS |= {
    "PLUS_DI": lambda h, b, c, timeperiod=14: indicators(h, b, c, timeperiod)[0],
    "MINUS_DI": lambda h, b, c, timeperiod=14: indicators(h, b, c, timeperiod)[1],
}


def index(high: Row, low: Row, close: Row, n: int) -> Row:
    """Directional index; NaN's stand-in, -1, where nothing moved."""
    plus, less = indicators(high, low, close, n)
    return each(
        lambda p, m: 100 * share(abs(p - m), p + m) if p + m != 0 else -one(plus), plus, less
    )


@talib
def DX(high: Row, low: Row, close: Row, timeperiod: int = 14) -> Row:
    result, last = [], 0
    for value in index(high, low, close, timeperiod):
        last = value if value is not None and value >= 0 else last
        result.append(None if value is None else last)
    return result


@talib
def ADX(high: Row, low: Row, close: Row, timeperiod: int = 14) -> Row:
    found, n = index(high, low, close, timeperiod), timeperiod
    first, result = head(found), [None] * len(found)
    y = sum(max(v, v * 0) for v in found[first : first + n]) / n
    result[first + n - 1] = y
    for i in range(first + n, len(found)):
        y = y if found[i] < 0 else (y * (n - 1) + found[i]) / n
        result[i] = y
    return result


@talib
def ADXR(high: Row, low: Row, close: Row, timeperiod: int = 14) -> Row:
    strength = ADX(high, low, close, timeperiod)
    return middle(strength, lag(strength, timeperiod - 1))


@talib
def VORTEX(high: Row, low: Row, close: Row, timeperiod: int = 14) -> Any:
    ranges = total(true_range(high, low, close), timeperiod)
    up = total(each(lambda h, b: abs(h - b), high, lag(low, 1)), timeperiod)
    down = total(each(lambda b, h: abs(b - h), low, lag(high, 1)), timeperiod)
    return each(share, up, ranges), each(share, down, ranges)
