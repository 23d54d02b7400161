"""The list of indicators: what each takes, gives and is called with."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from pyrt.indicators.names import FAMILIES


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One indicator of the catalog.

    Attributes
    ----------
    name : str
        Its class in `pyrt.indicators`.
    family : str
        The module and page of documentation it belongs to.
    parameters : dict
        Default by name, in the order the constructor takes them.
    inputs, outputs : tuple of str
        Names of what one update takes and gives.
    lookback : int
        Rows of warm-up with the default parameters.
    summary : str
        The first line of its documentation.
    """

    name: str
    family: str
    parameters: dict[str, float | str]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    lookback: int
    summary: str


def catalog() -> list[Entry]:
    """List every indicator, by family.

    Returns
    -------
    list of Entry
        In the order of the documentation; the first call imports all families, up to 0.3 s.

    Examples
    --------
    >>> {entry.name: entry.parameters for entry in catalog()}["RSI"]
    {'timeperiod': 14}
    """
    return [_entry(family, name) for family, names in FAMILIES.items() for name in names]


def _entry(family: str, name: str) -> Entry:
    indicator = getattr(import_module(f"pyrt.indicators.{family}"), name)()
    return Entry(
        name=name,
        family=family,
        parameters=indicator.parameters,
        inputs=indicator.inputs,
        outputs=indicator.outputs,
        lookback=indicator.lookback,
        summary=(type(indicator).__doc__ or "").strip().splitlines()[0],
    )
