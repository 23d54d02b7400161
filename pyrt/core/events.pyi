"""The kernel's one input record, and a queue of them."""

from typing import final

@final
class EventQueue:
    def __len__(self) -> int: ...
