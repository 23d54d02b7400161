"""Random numbers of the venue's models: streams keyed by seed, model and instrument.

A number is a function of its key and its place in the stream, so one model's draws are the same
whatever other models and instruments take part in a run.
"""

from typing import final

@final
class Draws:
    def __init__(self, seed: int, model: str) -> None: ...
    def draw(self, instrument: int = 0) -> float: ...
