"""The files that the page is made of; the chart library is the one an installed package ships."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from pyrt.errors import MissingExtra

KINDS = {"js": "text/javascript", "css": "text/css", "html": "text/html"}
FILES = ("app.js", "charts.js", "style.css")


@cache
def static(name: str) -> bytes:
    """Return a file of the page."""
    return (files("pyrt.live.dashboard") / "static" / name).read_bytes()


@cache
def plotly() -> bytes:
    """Return the chart library of the package plotly; MissingExtra where that is not installed."""
    found = find_spec("plotly")
    if found is None or found.origin is None:
        raise MissingExtra(
            "the dashboard's charts need plotly", remedy="Install it: pip install 'pyrt[analysis]'"
        )
    return (Path(found.origin).parent / "package_data" / "plotly.min.js").read_bytes()
