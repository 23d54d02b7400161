"""What exact indicators are made of: averages, windows and recursions over numbers of any kind.

A series is a list; None is a row without a value and stands only at the front. The numbers may be
floats, fractions or numbers of 200 digits: only +, -, *, / and comparisons are used. Every window
is taken from the whole prefix, and a recursion is the textbook's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Row = list[Any]


def head(x: Row) -> int:
    """Return the first row with a value; the length where none has."""
    return next((i for i, value in enumerate(x) if value is not None), len(x))


def each(f: Callable[..., Any], *series: Row) -> Row:
    """Apply a function row by row, where all series have a value."""
    return [None if any(v is None for v in row) else f(*row) for row in zip(*series, strict=True)]


def lag(x: Row, n: int) -> Row:
    """Return the values `n` rows before."""
    return [None] * min(n, len(x)) + x[: max(len(x) - n, 0)]


def window(x: Row, n: int, f: Callable[[Row], Any]) -> Row:
    """Apply a function to the last `n` values, oldest first."""
    first = head(x) + n - 1
    return [f(x[i - n + 1 : i + 1]) if i >= first else None for i in range(len(x))]


def total(x: Row, n: int) -> Row:
    return window(x, n, sum)


def sma(x: Row, n: int) -> Row:
    return window(x, n, lambda w: sum(w) / n)


def wma(x: Row, n: int) -> Row:
    scale = n * (n + 1) // 2
    return window(x, n, lambda w: sum((k + 1) * v for k, v in enumerate(w)) / scale)


def greatest(x: Row, n: int) -> Row:
    return window(x, n, max)


def least(x: Row, n: int) -> Row:
    return window(x, n, min)


def fold(x: Row, n: int, weight: Any, start: int | None = None) -> Row:
    """Average that starts from the mean of `n` values and then takes `weight` of each new one.

    `start` is the row of the first average, where it is later than can be.
    """
    first = head(x) + n - 1 if start is None else start
    result: Row = [None] * len(x)
    if first >= len(x):
        return result
    y = sum(x[first - n + 1 : first + 1]) / n
    result[first] = y
    for i in range(first + 1, len(x)):
        y = y + (x[i] - y) * weight
        result[i] = y
    return result


def ema(x: Row, n: int, start: int | None = None) -> Row:
    return fold(x, n, one(x) * 2 / (n + 1), start)


def rma(x: Row, n: int, start: int | None = None) -> Row:
    return fold(x, n, one(x) / n, start)


def one(x: Row) -> Any:
    """Return 1 in the numbers of the series."""
    value = x[head(x)] if head(x) < len(x) else 0
    return value * 0 + 1


def variance(w: Row) -> Any:
    mean = sum(w) / len(w)
    return sum((v - mean) ** 2 for v in w) / len(w)


def line(w: Row) -> tuple[Any, Any]:
    """Return height at the window's first row and slope of its least-squares line."""
    n = len(w)
    mean, middle = sum(w) / n, (one(w) * (n - 1)) / 2
    slope = sum((k - middle) * (v - mean) for k, v in enumerate(w))
    slope = slope / (one(w) * n * (n * n - 1) / 12)
    return mean - slope * middle, slope


def joint(x: Row, y: Row) -> tuple[Any, Any, Any]:
    """Return sums of squares and products about the means."""
    a, b = sum(x) / len(x), sum(y) / len(y)
    return (
        sum((v - a) ** 2 for v in x),
        sum((v - b) ** 2 for v in y),
        sum((v - a) * (w - b) for v, w in zip(x, y, strict=True)),
    )


def share(part: Any, whole: Any, otherwise: Any = 0) -> Any:
    return part / whole if whole != 0 else otherwise


def moves(x: Row) -> Row:
    return each(lambda a, b: a - b, x, lag(x, 1))


def true_range(high: Row, low: Row, close: Row) -> Row:
    return each(
        lambda h, l, c: max(h - l, abs(h - c), abs(l - c)),  # noqa: E741
        high,
        low,
        lag(close, 1),
    )


def cumulative(x: Row, start: Any = 0) -> Row:
    result, y = [], start
    for value in x:
        if value is None:
            result.append(None)
            continue
        y = y + value
        result.append(y)
    return result


def average(kind: int, x: Row, n: int, start: int | None = None) -> Row:
    """Average of TA-Lib's kind 0 to 5 or 13; a length of 1 is the series itself."""
    if n <= 1:
        return x
    if kind == 1:
        return ema(x, n, start)
    if kind == 13:
        return rma(x, n)
    return {0: sma, 2: wma, 3: dema, 4: tema, 5: trima}[kind](x, n)


def dema(x: Row, n: int) -> Row:
    first = ema(x, n)
    return each(lambda a, b: 2 * a - b, first, ema(first, n))


def tema(x: Row, n: int) -> Row:
    first = ema(x, n)
    second = ema(first, n)
    return each(lambda a, b, c: 3 * a - 3 * b + c, first, second, ema(second, n))


def trima(x: Row, n: int) -> Row:
    half = (n + 1) // 2
    return sma(sma(x, half), n + 1 - half)
