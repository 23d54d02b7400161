"""The terms of an order as a strategy writes them: read, checked, made codes of."""

TERMS: frozenset[str]
EXIT_TERMS: frozenset[str]
CHANGES: frozenset[str]
