"""The whole state of a book as plain numbers and arrays, and back."""

from typing import Any

def with_decimals(saved: dict[str, Any], size_decimals: int) -> dict[str, Any]: ...
