"""Streaming and batch indicators, TA-Lib's names first; modules load on first use."""

from pyrt.indicators.adaptive import (
    KAMA as KAMA,
)
from pyrt.indicators.arithmetic import (
    ACOS as ACOS,
)
from pyrt.indicators.arithmetic import (
    ADD as ADD,
)
from pyrt.indicators.arithmetic import (
    ASIN as ASIN,
)
from pyrt.indicators.arithmetic import (
    ATAN as ATAN,
)
from pyrt.indicators.arithmetic import (
    CEIL as CEIL,
)
from pyrt.indicators.arithmetic import (
    COS as COS,
)
from pyrt.indicators.arithmetic import (
    COSH as COSH,
)
from pyrt.indicators.arithmetic import (
    CUMSUM as CUMSUM,
)
from pyrt.indicators.arithmetic import (
    DIV as DIV,
)
from pyrt.indicators.arithmetic import (
    EXP as EXP,
)
from pyrt.indicators.arithmetic import (
    FLOOR as FLOOR,
)
from pyrt.indicators.arithmetic import (
    LN as LN,
)
from pyrt.indicators.arithmetic import (
    LOG10 as LOG10,
)
from pyrt.indicators.arithmetic import (
    MULT as MULT,
)
from pyrt.indicators.arithmetic import (
    SIN as SIN,
)
from pyrt.indicators.arithmetic import (
    SINH as SINH,
)
from pyrt.indicators.arithmetic import (
    SQRT as SQRT,
)
from pyrt.indicators.arithmetic import (
    SUB as SUB,
)
from pyrt.indicators.arithmetic import (
    SUM as SUM,
)
from pyrt.indicators.arithmetic import (
    TAN as TAN,
)
from pyrt.indicators.arithmetic import (
    TANH as TANH,
)
from pyrt.indicators.averages import (
    DEMA as DEMA,
)
from pyrt.indicators.averages import (
    EMA as EMA,
)
from pyrt.indicators.averages import (
    HMA as HMA,
)
from pyrt.indicators.averages import (
    RMA as RMA,
)
from pyrt.indicators.averages import (
    SMA as SMA,
)
from pyrt.indicators.averages import (
    T3 as T3,
)
from pyrt.indicators.averages import (
    TEMA as TEMA,
)
from pyrt.indicators.averages import (
    TRIMA as TRIMA,
)
from pyrt.indicators.averages import (
    VWMA as VWMA,
)
from pyrt.indicators.averages import (
    WMA as WMA,
)
from pyrt.indicators.averages import (
    ZLEMA as ZLEMA,
)
from pyrt.indicators.bands import (
    ACCBANDS as ACCBANDS,
)
from pyrt.indicators.bands import (
    BBANDS as BBANDS,
)
from pyrt.indicators.bands import (
    KC as KC,
)
from pyrt.indicators.candles_more import (
    CDL3BLACKCROWS as CDL3BLACKCROWS,
)
from pyrt.indicators.candles_more import (
    CDL3LINESTRIKE as CDL3LINESTRIKE,
)
from pyrt.indicators.candles_more import (
    CDLBREAKAWAY as CDLBREAKAWAY,
)
from pyrt.indicators.candles_more import (
    CDLCONCEALBABYSWALL as CDLCONCEALBABYSWALL,
)
from pyrt.indicators.candles_more import (
    CDLHIKKAKE as CDLHIKKAKE,
)
from pyrt.indicators.candles_more import (
    CDLHIKKAKEMOD as CDLHIKKAKEMOD,
)
from pyrt.indicators.candles_more import (
    CDLLADDERBOTTOM as CDLLADDERBOTTOM,
)
from pyrt.indicators.candles_more import (
    CDLMATHOLD as CDLMATHOLD,
)
from pyrt.indicators.candles_more import (
    CDLRISEFALL3METHODS as CDLRISEFALL3METHODS,
)
from pyrt.indicators.candles_one import (
    CDLBELTHOLD as CDLBELTHOLD,
)
from pyrt.indicators.candles_one import (
    CDLCLOSINGMARUBOZU as CDLCLOSINGMARUBOZU,
)
from pyrt.indicators.candles_one import (
    CDLDOJI as CDLDOJI,
)
from pyrt.indicators.candles_one import (
    CDLDRAGONFLYDOJI as CDLDRAGONFLYDOJI,
)
from pyrt.indicators.candles_one import (
    CDLGRAVESTONEDOJI as CDLGRAVESTONEDOJI,
)
from pyrt.indicators.candles_one import (
    CDLHIGHWAVE as CDLHIGHWAVE,
)
from pyrt.indicators.candles_one import (
    CDLLONGLEGGEDDOJI as CDLLONGLEGGEDDOJI,
)
from pyrt.indicators.candles_one import (
    CDLLONGLINE as CDLLONGLINE,
)
from pyrt.indicators.candles_one import (
    CDLMARUBOZU as CDLMARUBOZU,
)
from pyrt.indicators.candles_one import (
    CDLRICKSHAWMAN as CDLRICKSHAWMAN,
)
from pyrt.indicators.candles_one import (
    CDLSHORTLINE as CDLSHORTLINE,
)
from pyrt.indicators.candles_one import (
    CDLSPINNINGTOP as CDLSPINNINGTOP,
)
from pyrt.indicators.candles_one import (
    CDLTAKURI as CDLTAKURI,
)
from pyrt.indicators.candles_three import (
    CDL2CROWS as CDL2CROWS,
)
from pyrt.indicators.candles_three import (
    CDL3INSIDE as CDL3INSIDE,
)
from pyrt.indicators.candles_three import (
    CDL3OUTSIDE as CDL3OUTSIDE,
)
from pyrt.indicators.candles_three import (
    CDL3STARSINSOUTH as CDL3STARSINSOUTH,
)
from pyrt.indicators.candles_three import (
    CDL3WHITESOLDIERS as CDL3WHITESOLDIERS,
)
from pyrt.indicators.candles_three import (
    CDLABANDONEDBABY as CDLABANDONEDBABY,
)
from pyrt.indicators.candles_three import (
    CDLADVANCEBLOCK as CDLADVANCEBLOCK,
)
from pyrt.indicators.candles_three import (
    CDLEVENINGDOJISTAR as CDLEVENINGDOJISTAR,
)
from pyrt.indicators.candles_three import (
    CDLEVENINGSTAR as CDLEVENINGSTAR,
)
from pyrt.indicators.candles_three import (
    CDLGAPSIDESIDEWHITE as CDLGAPSIDESIDEWHITE,
)
from pyrt.indicators.candles_three import (
    CDLIDENTICAL3CROWS as CDLIDENTICAL3CROWS,
)
from pyrt.indicators.candles_three import (
    CDLMORNINGDOJISTAR as CDLMORNINGDOJISTAR,
)
from pyrt.indicators.candles_three import (
    CDLMORNINGSTAR as CDLMORNINGSTAR,
)
from pyrt.indicators.candles_three import (
    CDLSTALLEDPATTERN as CDLSTALLEDPATTERN,
)
from pyrt.indicators.candles_three import (
    CDLSTICKSANDWICH as CDLSTICKSANDWICH,
)
from pyrt.indicators.candles_three import (
    CDLTASUKIGAP as CDLTASUKIGAP,
)
from pyrt.indicators.candles_three import (
    CDLTRISTAR as CDLTRISTAR,
)
from pyrt.indicators.candles_three import (
    CDLUNIQUE3RIVER as CDLUNIQUE3RIVER,
)
from pyrt.indicators.candles_three import (
    CDLUPSIDEGAP2CROWS as CDLUPSIDEGAP2CROWS,
)
from pyrt.indicators.candles_three import (
    CDLXSIDEGAP3METHODS as CDLXSIDEGAP3METHODS,
)
from pyrt.indicators.candles_two import (
    CDLCOUNTERATTACK as CDLCOUNTERATTACK,
)
from pyrt.indicators.candles_two import (
    CDLDARKCLOUDCOVER as CDLDARKCLOUDCOVER,
)
from pyrt.indicators.candles_two import (
    CDLDOJISTAR as CDLDOJISTAR,
)
from pyrt.indicators.candles_two import (
    CDLENGULFING as CDLENGULFING,
)
from pyrt.indicators.candles_two import (
    CDLHAMMER as CDLHAMMER,
)
from pyrt.indicators.candles_two import (
    CDLHANGINGMAN as CDLHANGINGMAN,
)
from pyrt.indicators.candles_two import (
    CDLHARAMI as CDLHARAMI,
)
from pyrt.indicators.candles_two import (
    CDLHARAMICROSS as CDLHARAMICROSS,
)
from pyrt.indicators.candles_two import (
    CDLHOMINGPIGEON as CDLHOMINGPIGEON,
)
from pyrt.indicators.candles_two import (
    CDLINNECK as CDLINNECK,
)
from pyrt.indicators.candles_two import (
    CDLINVERTEDHAMMER as CDLINVERTEDHAMMER,
)
from pyrt.indicators.candles_two import (
    CDLKICKING as CDLKICKING,
)
from pyrt.indicators.candles_two import (
    CDLKICKINGBYLENGTH as CDLKICKINGBYLENGTH,
)
from pyrt.indicators.candles_two import (
    CDLMATCHINGLOW as CDLMATCHINGLOW,
)
from pyrt.indicators.candles_two import (
    CDLONNECK as CDLONNECK,
)
from pyrt.indicators.candles_two import (
    CDLPIERCING as CDLPIERCING,
)
from pyrt.indicators.candles_two import (
    CDLSEPARATINGLINES as CDLSEPARATINGLINES,
)
from pyrt.indicators.candles_two import (
    CDLSHOOTINGSTAR as CDLSHOOTINGSTAR,
)
from pyrt.indicators.candles_two import (
    CDLTHRUSTING as CDLTHRUSTING,
)
from pyrt.indicators.catalog import (
    Entry as Entry,
)
from pyrt.indicators.catalog import (
    catalog as catalog,
)
from pyrt.indicators.channels import (
    ICHIMOKU as ICHIMOKU,
)
from pyrt.indicators.channels import (
    RVWAP as RVWAP,
)
from pyrt.indicators.channels import (
    ZSCORE as ZSCORE,
)
from pyrt.indicators.choice import (
    MA as MA,
)
from pyrt.indicators.choice import (
    MAVP as MAVP,
)
from pyrt.indicators.custom import (
    PyIndicator as PyIndicator,
)
from pyrt.indicators.cycles import (
    HT_DCPERIOD as HT_DCPERIOD,
)
from pyrt.indicators.cycles import (
    HT_DCPHASE as HT_DCPHASE,
)
from pyrt.indicators.cycles import (
    HT_PHASOR as HT_PHASOR,
)
from pyrt.indicators.cycles import (
    HT_SINE as HT_SINE,
)
from pyrt.indicators.cycles import (
    HT_TRENDLINE as HT_TRENDLINE,
)
from pyrt.indicators.cycles import (
    HT_TRENDMODE as HT_TRENDMODE,
)
from pyrt.indicators.cycles import (
    MAMA as MAMA,
)
from pyrt.indicators.directional import (
    ADX as ADX,
)
from pyrt.indicators.directional import (
    ADXR as ADXR,
)
from pyrt.indicators.directional import (
    DX as DX,
)
from pyrt.indicators.directional import (
    MINUS_DI as MINUS_DI,
)
from pyrt.indicators.directional import (
    MINUS_DM as MINUS_DM,
)
from pyrt.indicators.directional import (
    PLUS_DI as PLUS_DI,
)
from pyrt.indicators.directional import (
    PLUS_DM as PLUS_DM,
)
from pyrt.indicators.directional import (
    VORTEX as VORTEX,
)
from pyrt.indicators.estimators import (
    GARMANKLASS as GARMANKLASS,
)
from pyrt.indicators.estimators import (
    PARKINSON as PARKINSON,
)
from pyrt.indicators.estimators import (
    ROGERSSATCHELL as ROGERSSATCHELL,
)
from pyrt.indicators.extremes import (
    AROON as AROON,
)
from pyrt.indicators.extremes import (
    AROONOSC as AROONOSC,
)
from pyrt.indicators.extremes import (
    DONCHIAN as DONCHIAN,
)
from pyrt.indicators.extremes import (
    FRACTAL as FRACTAL,
)
from pyrt.indicators.extremes import (
    MAX as MAX,
)
from pyrt.indicators.extremes import (
    MAXINDEX as MAXINDEX,
)
from pyrt.indicators.extremes import (
    MIDPOINT as MIDPOINT,
)
from pyrt.indicators.extremes import (
    MIDPRICE as MIDPRICE,
)
from pyrt.indicators.extremes import (
    MIN as MIN,
)
from pyrt.indicators.extremes import (
    MININDEX as MININDEX,
)
from pyrt.indicators.extremes import (
    MINMAX as MINMAX,
)
from pyrt.indicators.extremes import (
    MINMAXINDEX as MINMAXINDEX,
)
from pyrt.indicators.features import (
    Feature as Feature,
)
from pyrt.indicators.features import (
    FeatureMatrix as FeatureMatrix,
)
from pyrt.indicators.features import (
    FeatureSet as FeatureSet,
)
from pyrt.indicators.features import (
    standard_features as standard_features,
)
from pyrt.indicators.momentum import (
    CMO as CMO,
)
from pyrt.indicators.momentum import (
    CMOU as CMOU,
)
from pyrt.indicators.momentum import (
    COPPOCK as COPPOCK,
)
from pyrt.indicators.momentum import (
    DPO as DPO,
)
from pyrt.indicators.momentum import (
    ER as ER,
)
from pyrt.indicators.momentum import (
    MOM as MOM,
)
from pyrt.indicators.momentum import (
    ROC as ROC,
)
from pyrt.indicators.momentum import (
    ROCP as ROCP,
)
from pyrt.indicators.momentum import (
    ROCR as ROCR,
)
from pyrt.indicators.momentum import (
    ROCR100 as ROCR100,
)
from pyrt.indicators.momentum import (
    RSI as RSI,
)
from pyrt.indicators.momentum import (
    TRIX as TRIX,
)
from pyrt.indicators.momentum import (
    TSI as TSI,
)
from pyrt.indicators.momentum import (
    VHF as VHF,
)
from pyrt.indicators.oscillators import (
    AC as AC,
)
from pyrt.indicators.oscillators import (
    AO as AO,
)
from pyrt.indicators.oscillators import (
    APO as APO,
)
from pyrt.indicators.oscillators import (
    IMI as IMI,
)
from pyrt.indicators.oscillators import (
    MACD as MACD,
)
from pyrt.indicators.oscillators import (
    MACDEXT as MACDEXT,
)
from pyrt.indicators.oscillators import (
    MACDFIX as MACDFIX,
)
from pyrt.indicators.oscillators import (
    PPO as PPO,
)
from pyrt.indicators.oscillators import (
    PVO as PVO,
)
from pyrt.indicators.oscillators import (
    QSTICK as QSTICK,
)
from pyrt.indicators.prices import (
    AVGPRICE as AVGPRICE,
)
from pyrt.indicators.prices import (
    BOP as BOP,
)
from pyrt.indicators.prices import (
    HA as HA,
)
from pyrt.indicators.prices import (
    MEDPRICE as MEDPRICE,
)
from pyrt.indicators.prices import (
    TYPPRICE as TYPPRICE,
)
from pyrt.indicators.prices import (
    WCLPRICE as WCLPRICE,
)
from pyrt.indicators.signals import (
    becomes as becomes,
)
from pyrt.indicators.signals import (
    cross_above as cross_above,
)
from pyrt.indicators.signals import (
    cross_below as cross_below,
)
from pyrt.indicators.signals import (
    falling as falling,
)
from pyrt.indicators.signals import (
    hysteresis as hysteresis,
)
from pyrt.indicators.signals import (
    output as output,
)
from pyrt.indicators.signals import (
    rising as rising,
)
from pyrt.indicators.signals import (
    within as within,
)
from pyrt.indicators.signals_clock import (
    after_open as after_open,
)
from pyrt.indicators.signals_clock import (
    before_close as before_close,
)
from pyrt.indicators.signals_clock import (
    in_session as in_session,
)
from pyrt.indicators.signals_clock import (
    time_of_day as time_of_day,
)
from pyrt.indicators.signals_compare import (
    column as column,
)
from pyrt.indicators.signals_positions import (
    exit_condition as exit_condition,
)
from pyrt.indicators.signals_positions import (
    is_flat as is_flat,
)
from pyrt.indicators.signals_positions import (
    is_long as is_long,
)
from pyrt.indicators.signals_positions import (
    is_short as is_short,
)
from pyrt.indicators.statistics import (
    AVGDEV as AVGDEV,
)
from pyrt.indicators.statistics import (
    BETA as BETA,
)
from pyrt.indicators.statistics import (
    CORREL as CORREL,
)
from pyrt.indicators.statistics import (
    FOSC as FOSC,
)
from pyrt.indicators.statistics import (
    LINEARREG as LINEARREG,
)
from pyrt.indicators.statistics import (
    LINEARREG_ANGLE as LINEARREG_ANGLE,
)
from pyrt.indicators.statistics import (
    LINEARREG_INTERCEPT as LINEARREG_INTERCEPT,
)
from pyrt.indicators.statistics import (
    LINEARREG_SLOPE as LINEARREG_SLOPE,
)
from pyrt.indicators.statistics import (
    PERCENTILE as PERCENTILE,
)
from pyrt.indicators.statistics import (
    PERCENTRANK as PERCENTRANK,
)
from pyrt.indicators.statistics import (
    STDDEV as STDDEV,
)
from pyrt.indicators.statistics import (
    TSF as TSF,
)
from pyrt.indicators.statistics import (
    VAR as VAR,
)
from pyrt.indicators.stochastics import (
    CCI as CCI,
)
from pyrt.indicators.stochastics import (
    KDJ as KDJ,
)
from pyrt.indicators.stochastics import (
    SMI as SMI,
)
from pyrt.indicators.stochastics import (
    STOCH as STOCH,
)
from pyrt.indicators.stochastics import (
    STOCHF as STOCHF,
)
from pyrt.indicators.stochastics import (
    STOCHRSI as STOCHRSI,
)
from pyrt.indicators.stochastics import (
    ULTOSC as ULTOSC,
)
from pyrt.indicators.stochastics import (
    WILLR as WILLR,
)
from pyrt.indicators.stops import (
    SAR as SAR,
)
from pyrt.indicators.stops import (
    SAREXT as SAREXT,
)
from pyrt.indicators.stops import (
    SUPERTREND as SUPERTREND,
)
from pyrt.indicators.volatility import (
    ADR as ADR,
)
from pyrt.indicators.volatility import (
    ATR as ATR,
)
from pyrt.indicators.volatility import (
    CVI as CVI,
)
from pyrt.indicators.volatility import (
    MASSI as MASSI,
)
from pyrt.indicators.volatility import (
    NATR as NATR,
)
from pyrt.indicators.volatility import (
    RVI as RVI,
)
from pyrt.indicators.volatility import (
    TRANGE as TRANGE,
)
from pyrt.indicators.volume import (
    AD as AD,
)
from pyrt.indicators.volume import (
    ADOSC as ADOSC,
)
from pyrt.indicators.volume import (
    CMF as CMF,
)
from pyrt.indicators.volume import (
    EFI as EFI,
)
from pyrt.indicators.volume import (
    ERI as ERI,
)
from pyrt.indicators.volume import (
    MARKETFI as MARKETFI,
)
from pyrt.indicators.volume import (
    MFI as MFI,
)
from pyrt.indicators.volume import (
    NVI as NVI,
)
from pyrt.indicators.volume import (
    OBV as OBV,
)
from pyrt.indicators.volume import (
    PVI as PVI,
)
from pyrt.indicators.volume import (
    PVT as PVT,
)
from pyrt.indicators.volume import (
    RVOL as RVOL,
)
from pyrt.indicators.volume import (
    VWAP as VWAP,
)
from pyrt.indicators.volume import (
    WAD as WAD,
)
