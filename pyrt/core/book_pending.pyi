"""Changes kept while a book waits for a snapshot, to be applied again on top of it."""

from typing import final

@final
class PendingChanges:
    @property
    def message_count(self) -> int: ...
    @property
    def row_count(self) -> int: ...
