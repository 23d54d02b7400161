"""Which module holds which indicator: the list behind lazy exports and the catalog."""

from __future__ import annotations

FAMILIES: dict[str, tuple[str, ...]] = {
    "averages": ("SMA", "EMA", "WMA", "RMA", "DEMA", "TEMA", "T3", "TRIMA", "ZLEMA", "HMA", "VWMA"),
    "adaptive": ("KAMA",),
    "cycles": (
        "MAMA", "HT_DCPERIOD", "HT_DCPHASE", "HT_PHASOR", "HT_SINE", "HT_TRENDLINE",
        "HT_TRENDMODE",
    ),
    "choice": ("MA", "MAVP"),
    "oscillators": (
        "MACD", "MACDEXT", "MACDFIX", "APO", "PPO", "PVO", "AO", "AC", "QSTICK", "IMI",
    ),
    "statistics": (
        "STDDEV", "VAR", "AVGDEV", "CORREL", "BETA", "LINEARREG", "LINEARREG_SLOPE",
        "LINEARREG_ANGLE", "LINEARREG_INTERCEPT", "TSF", "FOSC", "PERCENTILE", "PERCENTRANK",
    ),
    "arithmetic": (
        "ADD", "SUB", "MULT", "DIV", "SUM", "CUMSUM", "ACOS", "ASIN", "ATAN", "CEIL", "COS", "COSH",
        "EXP", "FLOOR", "LN", "LOG10", "SIN", "SINH", "SQRT", "TAN", "TANH",
    ),
    "prices": ("AVGPRICE", "MEDPRICE", "TYPPRICE", "WCLPRICE", "BOP", "HA"),
    "extremes": (
        "MAX", "MIN", "MINMAX", "MAXINDEX", "MININDEX", "MINMAXINDEX", "MIDPOINT", "MIDPRICE",
        "DONCHIAN", "AROON", "AROONOSC", "FRACTAL",
    ),
    "volatility": ("TRANGE", "ATR", "NATR", "ADR", "CVI", "MASSI", "RVI"),
    "directional": (
        "PLUS_DM", "MINUS_DM", "PLUS_DI", "MINUS_DI", "DX", "ADX", "ADXR", "VORTEX",
    ),
    "stochastics": (
        "STOCH", "STOCHF", "STOCHRSI", "KDJ", "SMI", "WILLR", "CCI", "ULTOSC",
    ),
    "bands": ("BBANDS", "ACCBANDS", "KC"),
    "stops": ("SAR", "SAREXT", "SUPERTREND"),
    "volume": (
        "AD", "ADOSC", "OBV", "MFI", "CMF", "EFI", "ERI", "MARKETFI", "NVI", "PVI", "PVT", "RVOL",
        "VWAP", "WAD",
    ),
    "candles_one": (
        "CDLBELTHOLD", "CDLCLOSINGMARUBOZU", "CDLDOJI", "CDLDRAGONFLYDOJI", "CDLGRAVESTONEDOJI",
        "CDLHIGHWAVE", "CDLLONGLEGGEDDOJI", "CDLLONGLINE", "CDLMARUBOZU", "CDLRICKSHAWMAN",
        "CDLSHORTLINE", "CDLSPINNINGTOP", "CDLTAKURI",
    ),
    "candles_two": (
        "CDLCOUNTERATTACK", "CDLDARKCLOUDCOVER", "CDLDOJISTAR", "CDLENGULFING", "CDLHAMMER",
        "CDLHANGINGMAN", "CDLHARAMI", "CDLHARAMICROSS", "CDLHOMINGPIGEON", "CDLINNECK",
        "CDLINVERTEDHAMMER", "CDLKICKING", "CDLKICKINGBYLENGTH", "CDLMATCHINGLOW", "CDLONNECK",
        "CDLPIERCING", "CDLSEPARATINGLINES", "CDLSHOOTINGSTAR", "CDLTHRUSTING",
    ),
    "candles_three": (
        "CDL2CROWS", "CDL3INSIDE", "CDL3OUTSIDE", "CDL3STARSINSOUTH", "CDL3WHITESOLDIERS",
        "CDLABANDONEDBABY", "CDLADVANCEBLOCK", "CDLEVENINGDOJISTAR", "CDLEVENINGSTAR",
        "CDLGAPSIDESIDEWHITE", "CDLIDENTICAL3CROWS", "CDLMORNINGDOJISTAR", "CDLMORNINGSTAR",
        "CDLSTALLEDPATTERN", "CDLSTICKSANDWICH", "CDLTASUKIGAP", "CDLTRISTAR", "CDLUNIQUE3RIVER",
        "CDLUPSIDEGAP2CROWS", "CDLXSIDEGAP3METHODS",
    ),
    "candles_more": (
        "CDL3BLACKCROWS", "CDL3LINESTRIKE", "CDLBREAKAWAY", "CDLCONCEALBABYSWALL", "CDLHIKKAKE",
        "CDLHIKKAKEMOD", "CDLLADDERBOTTOM", "CDLMATHOLD", "CDLRISEFALL3METHODS",
    ),
    "momentum": (
        "MOM", "ROC", "ROCP", "ROCR", "ROCR100", "RSI", "CMO", "CMOU", "ER", "TRIX", "TSI", "DPO",
        "COPPOCK", "VHF",
    ),
}
"""Names by family; a family is a module of this package."""

OTHERS = {"PyIndicator": "custom"}

MODULES: dict[str, str] = {name: family for family, names in FAMILIES.items() for name in names}
MODULES |= OTHERS
"""Module by name."""
