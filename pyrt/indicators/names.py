"""Which module holds which indicator: the list behind lazy exports and the catalog."""

from __future__ import annotations

FAMILIES: dict[str, tuple[str, ...]] = {
    "averages": ("SMA", "EMA"),
}
"""Names by family; a family is a module of this package."""

MODULES: dict[str, str] = {name: family for family, names in FAMILIES.items() for name in names}
"""Module by name."""
