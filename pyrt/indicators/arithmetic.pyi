"""Arithmetic on series: operators, elementary functions, sums."""

from typing import Any, final

from typing_extensions import disjoint_base

from pyrt.indicators.base import HighLow, Series

class Operator(HighLow):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

@final
class ADD(Operator): ...

@final
class SUB(Operator): ...

@final
class MULT(Operator): ...

@final
class DIV(Operator): ...

@disjoint_base
class Elementary(Series):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

@final
class ACOS(Elementary): ...

@final
class ASIN(Elementary): ...

@final
class ATAN(Elementary): ...

@final
class CEIL(Elementary): ...

@final
class COS(Elementary): ...

@final
class COSH(Elementary): ...

@final
class EXP(Elementary): ...

@final
class FLOOR(Elementary): ...

@final
class LN(Elementary): ...

@final
class LOG10(Elementary): ...

@final
class SIN(Elementary): ...

@final
class SINH(Elementary): ...

@final
class SQRT(Elementary): ...

@final
class TAN(Elementary): ...

@final
class TANH(Elementary): ...

@final
class CUMSUM(Series):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

@final
class SUM(Series):
    def __init__(self, timeperiod: int = 30) -> None: ...
