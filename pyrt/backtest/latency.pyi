"""Latency models: how long a message takes to the venue, and its answer back.

Messages of a run travel over one connection: none overtakes another, so a delay drawn too short
is lengthened to that of the message before.
"""

from datetime import timedelta
from enum import IntEnum
from typing import Any, final

KIND_NAMES: tuple[str, ...]
DISTRIBUTIONS: tuple[str, ...]

class MessageKind(IntEnum):
    SUBMISSION = 0
    CHANGE = 1
    CANCELLATION = 2
    ANSWER = 3

class LatencyModel:
    def on_message(self, kind: str, ts: int) -> int: ...

@final
class ConstantLatency(LatencyModel):
    @property
    def delays_ns(self) -> tuple[int, int, int, int]: ...
    def __init__(
        self,
        submit: int | str | timedelta = 0,
        modify: int | str | timedelta | None = None,
        cancel: int | str | timedelta | None = None,
        response: int | str | timedelta = 0,
    ) -> None: ...

@final
class RandomLatency(LatencyModel):
    @property
    def distribution(self) -> str: ...
    @property
    def answers(self) -> bool: ...
    def __init__(
        self,
        distribution: str,
        first: int | str | timedelta,
        second: float | str | timedelta,
        *,
        seed: int = 0,
        response: bool = False,
    ) -> None: ...

@final
class RecordedLatency(LatencyModel):
    @property
    def digest(self) -> str: ...
    def __init__(self, table: Any) -> None: ...

def latency_model(value: Any, seed: int = 0) -> LatencyModel: ...
