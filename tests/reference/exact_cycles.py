"""Elementary functions, indexes of extremes and Ehlers' cycles over numbers of 200 digits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath

from tests.reference.exact_blocks import Row, each, head, one, window
from tests.reference.exact_talib import FUNCTIONS, talib

ELEMENTARY = {
    "ACOS": mpmath.acos,
    "ASIN": mpmath.asin,
    "ATAN": mpmath.atan,
    "CEIL": mpmath.ceil,
    "COS": mpmath.cos,
    "COSH": mpmath.cosh,
    "EXP": mpmath.exp,
    "FLOOR": mpmath.floor,
    "LN": mpmath.log,
    "LOG10": mpmath.log10,
    "SIN": mpmath.sin,
    "SINH": mpmath.sinh,
    "SQRT": mpmath.sqrt,
    "TAN": mpmath.tan,
    "TANH": mpmath.tanh,
}


def elementary(f: Callable[[Any], Any]) -> Callable[[Row], Row]:
    """Apply a function of numbers; where its value is complex it has none."""

    def real(v: Any) -> Any:
        y = f(v)
        return y if isinstance(y, mpmath.mpf) else None

    return lambda x: each(real, x)


FUNCTIONS |= {name: elementary(f) for name, f in ELEMENTARY.items()}


@talib
def LINEARREG_ANGLE(x: Row, timeperiod: int = 14) -> Row:
    return each(
        lambda s: mpmath.degrees(mpmath.atan(s)), FUNCTIONS["LINEARREG_SLOPE"](x, timeperiod)
    )


def row_of(x: Row, n: int, sign: int) -> Row:
    """Row of the greatest (least) of the last `n` values.

    Of equal values TA-Lib takes the newest when it comes in, but the oldest when the one it held
    has left the window and it looks again.
    """
    best, result = -1, []
    for i in range(len(x)):
        if i < head(x) + n - 1:
            result.append(None)
            continue
        past = range(i - n + 1, i + 1)
        if best < past[0]:
            best = max(past, key=lambda k: (x[k] * sign, -k))
        elif x[i] * sign >= x[best] * sign:
            best = i
        result.append(one(x) * best)
    return result


FUNCTIONS |= {
    "MAXINDEX": lambda x, timeperiod=30: row_of(x, timeperiod, 1),
    "MININDEX": lambda x, timeperiod=30: row_of(x, timeperiod, -1),
    "MINMAXINDEX": lambda x, timeperiod=30: (row_of(x, timeperiod, -1), row_of(x, timeperiod, 1)),
}


@talib
def FRACTAL(high: Row, low: Row, leftbars: int = 2, rightbars: int = 2) -> Any:
    def turns(x: Row, sign: int) -> Row:
        def turn(w: Row) -> Any:
            others = [v for k, v in enumerate(w) if k != leftbars]
            return one(x) * 100 * all((w[leftbars] - v) * sign > 0 for v in others)

        return window(x, leftbars + rightbars + 1, turn)

    return turns(high, 1), turns(low, -1)


class Cycle:
    """Ehlers' homodyne discriminator, as TA-Lib reads it, row by row."""

    def __init__(self, x: Row, start: int) -> None:
        self.unit = one(x)
        self.x, self.first, self.start = x, head(x), head(x) + start
        self.memory: dict[str, list[Any]] = {}
        zero = self.unit * 0
        self.detrended: list[Any] = []
        self.in_phase, self.out_of_phase, self.period = zero, zero, zero
        self.i2, self.q2, self.re, self.im = zero, zero, zero, zero

    def decimal(self, text: str) -> Any:
        return self.unit * mpmath.mpf(float(text))

    def transform(self, name: str, x: Any, gain: Any) -> Any:
        """Four taps, two rows apart."""
        past = self.memory.setdefault(name, [self.unit * 0] * 6)
        a, b = self.decimal("0.0962"), self.decimal("0.5769")
        y = (a * x + b * past[-2] - b * past[-4] - a * past[-6]) * gain
        self.memory[name] = [*past[1:], x]
        return y

    def step(self, i: int) -> bool:
        """Take row `i`; return whether the transform has started."""
        if i < self.start:
            return False
        w = self.x[i - 3 : i + 1]
        self.smooth = (w[0] + 2 * w[1] + 3 * w[2] + 4 * w[3]) / 10
        gain = self.decimal("0.075") * self.period + self.decimal("0.54")
        past = self.detrended
        self.in_phase = past[-3] if len(past) > 2 else self.unit * 0
        detrended = self.transform("detrended", self.smooth, gain)
        past.append(detrended)
        self.out_of_phase = self.transform("quadrature", detrended, gain)
        ji = self.transform("ji", self.in_phase, gain)
        jq = self.transform("jq", self.out_of_phase, gain)
        new, old = self.decimal("0.2"), self.decimal("0.8")
        q2 = new * (self.out_of_phase + ji) + old * self.q2
        i2 = new * (self.in_phase - jq) + old * self.i2
        self.re = new * (i2 * self.i2 + q2 * self.q2) + old * self.re
        self.im = new * (i2 * self.q2 - q2 * self.i2) + old * self.im
        self.i2, self.q2 = i2, q2
        before = measured = self.period
        if self.im != 0 and self.re != 0:
            measured = 360 / mpmath.degrees(mpmath.atan(self.im / self.re))
        measured = min(measured, self.decimal("1.5") * before)
        measured = max(measured, self.decimal("0.67") * before)
        measured = min(max(measured, self.unit * 6), self.unit * 50)
        self.period = new * measured + old * before
        return True


def followed(x: Row, lookback: int, start: int, f: Callable[[Cycle, int], Any]) -> list[Row]:
    """Rows of what `f` makes of the cycle, after the warm-up."""
    cycle, rows = Cycle(x, start), []
    for i in range(len(x)):
        made = f(cycle, i) if i >= head(x) and cycle.step(i) else None
        rows.append(made if i >= head(x) + lookback else None)
    width = next((len(row) for row in rows if row is not None), 1)
    return [[None if row is None else row[k] for row in rows] for k in range(width)]


@talib
def HT_PHASOR(x: Row) -> Any:
    return tuple(followed(x, 32, 12, lambda c, i: (c.in_phase, c.out_of_phase)))


@talib
def HT_DCPERIOD(x: Row) -> Row:
    state = [one(x) * 0]

    def period(c: Cycle, i: int) -> tuple[Any]:
        state[0] = c.decimal("0.33") * c.period + c.decimal("0.67") * state[0]
        return (state[0],)

    return followed(x, 32, 12, period)[0]


@talib
def MAMA(x: Row, fastlimit: float = 0.5, slowlimit: float = 0.05) -> Any:
    zero = one(x) * 0
    state = [zero, zero, zero]  # phase, average, follower

    def averages(c: Cycle, i: int) -> tuple[Any, Any]:
        phase = zero
        if c.in_phase != 0:
            phase = mpmath.degrees(mpmath.atan(c.out_of_phase / c.in_phase))
        turn, state[0] = state[0] - phase, phase
        weight = zero + fastlimit
        if turn > 1:
            weight = max(fastlimit / turn, zero + slowlimit)
        state[1] = state[1] + weight * (x[i] - state[1])
        state[2] = state[2] + weight / 2 * (state[1] - state[2])
        return state[1], state[2]

    return tuple(followed(x, 32, 12, averages))


class Dominant:
    """Phase and trend line of the dominant cycle."""

    def __init__(self, x: Row) -> None:
        self.zero = one(x) * 0
        self.period = self.phase = self.zero
        self.smooth: list[Any] = [self.zero] * 50
        self.levels: list[Any] = [self.zero] * 3

    def follow(self, c: Cycle, i: int) -> None:
        self.smooth.append(c.smooth)
        self.period = c.decimal("0.33") * c.period + c.decimal("0.67") * self.period
        n = int(self.period + 0.5)
        angles = [2 * mpmath.pi * k / n for k in range(n)]
        past = self.smooth[: -n - 1 : -1]
        real = sum((mpmath.sin(a) * s for a, s in zip(angles, past)), self.zero)
        imaginary = sum((mpmath.cos(a) * s for a, s in zip(angles, past)), self.zero)
        if imaginary != 0:
            self.phase = mpmath.degrees(mpmath.atan(real / imaginary))
        elif real != 0:
            self.phase = self.phase + (90 if real > 0 else -90)
        self.phase = self.phase + 90 + 360 / self.period + (180 if imaginary < 0 else 0)
        self.phase = self.phase - (360 if self.phase > 315 else 0)
        level = sum(c.x[max(i - n + 1, 0) : i + 1]) / n if n else self.zero
        a, b, d = self.levels
        self.trend = (4 * level + 3 * a + 2 * b + d) / 10
        self.levels = [level, a, b]

    def sines(self) -> tuple[Any, Any]:
        return tuple(mpmath.sin(mpmath.radians(self.phase + ahead)) for ahead in (0, 45))


def dominated(x: Row, f: Callable[[Dominant, Cycle], Any]) -> list[Row]:
    state = Dominant(x)

    def made(c: Cycle, i: int) -> Any:
        state.follow(c, i)
        return f(state, c)

    return followed(x, 63, 37, made)


@talib
def HT_DCPHASE(x: Row) -> Row:
    return dominated(x, lambda d, c: (d.phase,))[0]


@talib
def HT_SINE(x: Row) -> Any:
    return tuple(dominated(x, lambda d, c: d.sines()))


@talib
def HT_TRENDLINE(x: Row) -> Row:
    return dominated(x, lambda d, c: (d.trend,))[0]


@talib
def HT_TRENDMODE(x: Row) -> Row:
    state = {"sines": (one(x) * 0,) * 2, "phase": one(x) * 0, "days": 0}

    def mode(d: Dominant, c: Cycle) -> tuple[Any]:
        sine, lead = d.sines()
        before, trend = state["sines"], 1
        crossed = (sine > lead and before[0] <= before[1]) or (
            sine < lead and before[0] >= before[1]
        )
        if crossed:
            state["days"], trend = 0, 0
        turn = d.phase - state["phase"]
        state["sines"], state["phase"] = (sine, lead), d.phase
        state["days"] += 1
        if state["days"] < d.period / 2:
            trend = 0
        rate = 360 / d.period
        if d.period != 0 and c.decimal("0.67") * rate < turn < c.decimal("1.5") * rate:
            trend = 0
        if d.trend != 0 and abs((c.smooth - d.trend) / d.trend) >= c.decimal("0.015"):
            trend = 1
        return (d.zero + trend,)

    return dominated(x, mode)[0]
