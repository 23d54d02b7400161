"""Feature sets: the same bits for bars and tables, nothing from the future, values as in pandas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pyrt.errors import ConfigError, DataError
from pyrt.indicators import RSI, SMA
from pyrt.indicators.features import Feature, FeatureMatrix, FeatureSet, standard_features
from pyrt.indicators.features_kernel import Cycle, LogReturn, Same
from tests.recorded import recorded

MINUTE_NS = 60_000_000_000
FIRST_NS = 1_709_900_000_000_000_000  # 2024-03-08, two days before New York's clocks change
FAMILIES = {"price", "return", "momentum", "volatility", "volume", "microstructure", "calendar"}


def bars(rows: int, seed: int = 1, step_ns: int = MINUTE_NS) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 1e-3, rows)))
    first = close * (1 + rng.normal(0, 3e-4, rows))
    return pd.DataFrame(
        {
            "ts_event": FIRST_NS + step_ns * np.arange(rows),
            "open": first,
            "high": np.maximum(first, close) * (1 + rng.uniform(0, 5e-4, rows)),
            "low": np.minimum(first, close) * (1 - rng.uniform(0, 5e-4, rows)),
            "close": close,
            "volume": rng.integers(1, 1_000, rows).astype(float),
        }
    )


def batch(features: FeatureSet, data: pd.DataFrame) -> FeatureMatrix:
    return features.batch(*(data[name] for name in data.columns))


def streamed(features: FeatureSet, data: pd.DataFrame) -> tuple[Any, list[bool]]:
    rows, ready = [], []
    for bar in data.itertuples(index=False):
        features.update(*bar)
        rows.append(features.values)
        ready.append(features.ready)
    return np.array(rows), ready


def with_gaps(data: pd.DataFrame) -> pd.DataFrame:
    gappy = data.copy()
    gappy.loc[gappy.index[70:73], "close"] = np.nan
    gappy.loc[gappy.index[120], "volume"] = np.nan
    gappy.loc[gappy.index[150:155], "volume"] = 0.0
    return gappy


def test_the_standard_set_has_at_least_forty_features_of_every_family() -> None:
    features = standard_features()
    assert len(features) >= 40
    assert {feature.family for feature in features} == FAMILIES
    assert all(feature.meaning for feature in features)


@pytest.mark.parametrize("normalize", [None, "zscore", "minmax"])
@pytest.mark.parametrize("fill", [None, "forward"])
def test_bars_and_tables_give_the_same_bits(normalize: str | None, fill: str | None) -> None:
    data = with_gaps(bars(400))
    features = FeatureSet(normalize=normalize, fill=fill)
    matrix = batch(features, data)
    rows, ready = streamed(features, data)
    assert rows.tobytes() == matrix.values.tobytes()
    assert ready == matrix.ready.tolist()


@pytest.mark.parametrize("normalize", [None, "zscore", "minmax"])
def test_later_bars_never_change_earlier_rows(normalize: str | None) -> None:
    data = with_gaps(bars(500, seed=2))
    features = FeatureSet(normalize=normalize, fill="forward")
    whole = batch(features, data)
    for rows in np.random.default_rng(3).integers(1, 500, 8):
        cut = batch(features, data.iloc[:rows])
        assert cut.values.tobytes() == whole.values[:rows].tobytes()
        assert cut.ready.tolist() == whole.ready[:rows].tolist()


def test_a_batch_leaves_the_set_as_it_was_and_reset_begins_anew() -> None:
    data = bars(100)
    features = FeatureSet()
    rows, _ = streamed(features, data)
    before = features.values.tobytes()
    batch(features, data.iloc[:50])
    assert features.values.tobytes() == before
    features.reset()
    assert not features.ready
    again, _ = streamed(features, data)
    assert again.tobytes() == rows.tobytes()


def expected(data: pd.DataFrame) -> dict[str, Any]:
    """Compute features the slow way, from whole columns."""
    o, h, low, c, v = (data[n] for n in ("open", "high", "low", "close", "volume"))
    r = np.log(c).diff()
    span = np.log(h / low)
    found = {f"return_{n}": np.log(c / c.shift(n)) for n in (1, 2, 5, 10, 20, 60)}
    return found | {
        "body": np.log(c / o),
        "range": span,
        "gap": np.log(o / c.shift()),
        "location": (c - low) / (h - low),
        "upper_wick": (h - np.maximum(o, c)) / (h - low),
        "lower_wick": (np.minimum(o, c) - low) / (h - low),
        "over_sma_10": c / c.rolling(10).mean() - 1,
        "over_sma_50": c / c.rolling(50).mean() - 1,
        "under_high_20": c / h.rolling(20).max() - 1,
        "over_low_20": c / low.rolling(20).min() - 1,
        "volatility_10": r.rolling(10).std(ddof=0),
        "volatility_ratio": r.rolling(10).std(ddof=0) / r.rolling(60).std(ddof=0),
        "parkinson_20": (span**2).rolling(20).mean(),
        "garman_klass_20": (span**2 / 2 - (2 * np.log(2) - 1) * np.log(c / o) ** 2)
        .rolling(20)
        .mean(),
        "bipower_20": (r.abs() * r.shift().abs()).rolling(20).mean(),
        "downside_20": (r.clip(upper=0) ** 2).where(r.notna()).rolling(20).mean(),
        "volume_ratio_20": v / v.rolling(20).mean() - 1,
        "over_vwap_20": c / ((c * v).rolling(20).sum() / v.rolling(20).sum()) - 1,
        "illiquidity_20": (r.abs() / (c * v)).rolling(20).mean(),
        "autocorrelation_20": r.rolling(20).corr(r.shift()),
        "volume_return_20": r.abs().rolling(20).corr(v),
    }


@pytest.mark.parametrize("name", sorted(expected(bars(2))))
def test_values_are_those_of_a_slow_reading(name: str) -> None:
    data = bars(300, seed=4)
    found = batch(FeatureSet(), data).column(name)
    np.testing.assert_allclose(found, expected(data)[name], rtol=1e-8, atol=1e-14)


def test_signed_flow_is_that_of_a_slow_reading_once_a_return_is_known() -> None:
    data = bars(300, seed=5)
    signed = np.sign(data.close.diff()) * data.volume
    slow = signed.rolling(20).sum() / data.volume.rolling(20).sum()
    found = batch(FeatureSet(), data).column("flow_imbalance_20")
    np.testing.assert_allclose(found[20:], slow[20:], rtol=1e-10)


def test_the_spread_of_two_equal_bars_by_hand() -> None:
    # Both bars span [99, 101]: beta = 2 s^2 and gamma = s^2 with s = ln(101/99), so
    # alpha = s (2 - sqrt 2) / k - s / sqrt k = s (2 - sqrt 2 - sqrt k) / k, k = 3 - 2 sqrt 2 =
    # (sqrt 2 - 1)^2, and 2 - sqrt 2 - (sqrt 2 - 1) = 3 - 2 sqrt 2 = k: alpha = s.
    feature = Feature(name="spread", family="x", make=Same, inputs=("corwin_schultz",))
    features = FeatureSet([feature])
    for row in range(2):
        features.update(row, 100.0, 101.0, 99.0, 100.0, 1.0)
    ratio = 101 / 99
    assert features.value("spread") == pytest.approx(2 * (ratio - 1) / (1 + ratio), rel=1e-12)


def test_the_calendar_follows_the_clock_of_the_place() -> None:
    data = bars(400, step_ns=17 * MINUTE_NS)
    names = ("minute", "weekday", "monthday", "month")
    features = FeatureSet([Feature(name=n, family="x", make=Same, inputs=(n,)) for n in names])
    local = pd.DatetimeIndex(pd.to_datetime(data.ts_event, utc=True)).tz_convert("America/New_York")
    matrix = batch(features, data)
    assert matrix.column("minute").tolist() == (local.hour * 60 + local.minute).tolist()
    assert matrix.column("weekday").tolist() == local.day_of_week.tolist()
    assert matrix.column("monthday").tolist() == local.day.tolist()
    assert matrix.column("month").tolist() == local.month.tolist()


def test_days_of_four_centuries_and_before_the_epoch() -> None:
    days = np.arange(-40_000, 120_000, 37)
    data = bars(len(days))
    data["ts_event"] = days * 86_400_000_000_000
    data = data[data.ts_event.abs() < 2**62]
    names = ("weekday", "monthday", "month")
    features = FeatureSet(
        [Feature(name=n, family="x", make=Same, inputs=(n,)) for n in names], tz="UTC"
    )
    utc = data.ts_event.to_numpy().astype("datetime64[ns]").astype("datetime64[D]")
    stamps = pd.DatetimeIndex(utc)
    matrix = batch(features, data)
    assert matrix.column("weekday").tolist() == stamps.day_of_week.tolist()
    assert matrix.column("monthday").tolist() == stamps.day.tolist()
    assert matrix.column("month").tolist() == stamps.month.tolist()


def test_cycles_are_places_on_the_circle() -> None:
    quarter = Feature(name="q", family="x", make=lambda: Cycle(1440.0, "sin"), inputs=("minute",))
    features = FeatureSet([quarter], tz="UTC")
    features.update(6 * 3_600_000_000_000, 1.0, 1.0, 1.0, 1.0, 1.0)
    assert features.value("q") == pytest.approx(1.0)


def test_a_gap_is_undefined_and_the_bar_before_it_stays_the_bar_before() -> None:
    data = bars(6)
    data.loc[3, "close"] = np.nan
    one = Feature(name="r", family="x", make=Same, inputs=("return",))
    found = batch(FeatureSet([one]), data).column("r")
    assert np.isnan(found[[0, 3]]).all()
    assert found[4] == np.log(data.close[4] / data.close[2])


def test_filling_repeats_the_last_defined_value_and_never_goes_back() -> None:
    data = bars(6)
    data.loc[[3, 4], "close"] = np.nan
    one = Feature(name="r", family="x", make=Same, inputs=("return",))
    plain = batch(FeatureSet([one]), data).column("r")
    filled = batch(FeatureSet([one], fill="forward"), data).column("r")
    assert np.isnan(filled[0])
    assert filled[1:].tolist() == [plain[1], plain[2], plain[2], plain[2], plain[5]]


def test_the_z_score_takes_the_rows_up_to_its_own() -> None:
    data = bars(200, seed=6)
    one = Feature(name="x", family="x", make=Same, inputs=("close",))
    found = batch(FeatureSet([one], normalize="zscore"), data).column("x")
    past = data.close.expanding()
    slow = ((data.close - past.mean()) / past.std(ddof=0)).fillna(0.0)
    np.testing.assert_allclose(found, slow, rtol=1e-9, atol=1e-12)


def test_min_max_takes_the_rows_up_to_its_own() -> None:
    data = bars(200, seed=7)
    one = Feature(name="x", family="x", make=Same, inputs=("close",))
    found = batch(FeatureSet([one], normalize="minmax"), data).column("x")
    low, high = data.close.cummin(), data.close.cummax()
    slow = ((data.close - low) / (high - low)).fillna(0.0)
    np.testing.assert_allclose(found, slow, rtol=1e-12)
    assert found.min() >= 0.0
    assert found.max() <= 1.0


def test_a_feature_that_never_moves_normalizes_to_zero() -> None:
    data = bars(20)
    data["volume"] = 5.0
    one = Feature(name="x", family="x", make=Same, inputs=("volume",))
    for normalize in ("zscore", "minmax"):
        found = batch(FeatureSet([one], normalize=normalize), data).column("x")
        assert found.tolist() == [0.0] * 20


def test_the_mask_ends_where_the_slowest_feature_begins() -> None:
    slow = Feature(name="a", family="x", make=lambda: SMA(30), inputs=("close",))
    quick = Feature(name="b", family="x", make=lambda: LogReturn(2), inputs=("close",))
    matrix = batch(FeatureSet([quick, slow]), bars(50))
    assert matrix.ready.tolist() == [False] * 29 + [True] * 21


def test_constant_and_extreme_bars_leave_nothing_infinite() -> None:
    data = bars(200)
    data[["open", "high", "low", "close"]] = 7.0
    data["volume"] = 0.0
    data.loc[150:, ["open", "high", "low", "close"]] = 1e300
    values = batch(FeatureSet(fill="forward"), data).values
    assert not np.isinf(values).any()


def test_the_hash_tells_sets_apart_and_nothing_else() -> None:
    plain = FeatureSet()
    assert plain.schema_hash == FeatureSet().schema_hash
    one = [Feature(name="a", family="x", make=lambda: RSI(14), inputs=("close",))]
    other = [Feature(name="a", family="x", make=lambda: RSI(15), inputs=("close",))]
    sets = [
        plain,
        FeatureSet(normalize="zscore"),
        FeatureSet(fill="forward"),
        FeatureSet(tz="UTC"),
        FeatureSet(one),
        FeatureSet(other),
        FeatureSet(list(reversed(standard_features()))),
    ]
    assert len({features.schema_hash for features in sets}) == len(sets)
    plain.require(FeatureSet().schema_hash)
    with pytest.raises(ConfigError, match="trained on features"):
        plain.require(sets[1].schema_hash)


def test_the_arrow_table_holds_the_same_and_the_hash() -> None:
    pytest.importorskip("pyarrow")
    matrix = batch(FeatureSet(), bars(100))
    table = matrix.to_arrow()
    assert table.column_names == ["ts_event", "ready", *matrix.names]
    assert table.schema.metadata[b"pyrt.schema_hash"].decode() == matrix.schema_hash
    for name in matrix.names:
        assert table[name].to_numpy().tobytes() == matrix.column(name).tobytes()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: FeatureSet([]),
        lambda: FeatureSet(standard_features() * 2),
        lambda: FeatureSet(normalize="rank"),
        lambda: FeatureSet(fill="backward"),
        lambda: FeatureSet(tz="Mars/Olympus"),
        lambda: FeatureSet([Feature(name="a", family="x", make=Same, inputs=("clsoe",))]),
        lambda: FeatureSet([Feature(name="a", family="x", make=Same, inputs=("open", "close"))]),
        lambda: FeatureSet(
            [Feature(name="a", family="x", make=Same, inputs=("close",), output="upper")]
        ),
        lambda: FeatureSet().value("rsi_15"),
        lambda: LogReturn(0),
        lambda: Cycle(7.0, "tan"),
    ],
)
def test_mistakes_are_told(wrong: Any) -> None:
    with pytest.raises(ConfigError):
        wrong()


def test_columns_of_different_lengths_are_refused() -> None:
    data = bars(10)
    with pytest.raises(DataError, match="equal length"):
        FeatureSet().batch(*(data[n] for n in data.columns[:-1]), data.volume[:9])


def test_real_bars_stream_as_they_batch() -> None:
    table = pd.read_parquet(recorded("eq_bars_1m_5us_20181112_20181121.parquet"))
    table = table[table.symbol == "AAPL"].head(1_500)
    data = table[["ts_close", "open", "high", "low", "close", "volume"]]
    features = FeatureSet(normalize="zscore", fill="forward")
    matrix = batch(features, data)
    rows, _ = streamed(features, data)
    assert rows.tobytes() == matrix.values.tobytes()
    assert matrix.ready.any()
    assert np.isfinite(matrix.values[matrix.ready]).all()
