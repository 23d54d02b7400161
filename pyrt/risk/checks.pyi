"""The numeric controls: one small function each, over the facts of one order."""

CODES: tuple[str, ...]
LABELS: dict[str, str]
NUMERIC: tuple[str, ...]
