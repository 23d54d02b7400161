"""Orders that wait on our side: what price triggers one, and what it becomes then."""

from typing import final

@final
class Kept: ...
