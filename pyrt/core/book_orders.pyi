"""The resting orders of a book that is followed order by order, found by their id."""

from typing import final

@final
class OrderStore:
    @property
    def count(self) -> int: ...
    def __init__(self) -> None: ...
