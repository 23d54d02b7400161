"""Write docs/configuration.md from the typed settings: `python scripts/configuration_page.py`."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import msgspec

from pyrt.live.config import NodeConfig
from pyrt.live.profiles import PROFILES, VARIABLE
from pyrt.live.template import TEMPLATE
from pyrt.risk.limits import Limits

PAGE = Path(__file__).resolve().parent.parent / "docs" / "configuration.md"
ENTRY = re.compile(r"^    (\w[\w, ]*) : ([^\n]+)\n((?:        [^\n]*\n|\n)+)", re.MULTILINE)

HEAD = """\
# Configuration

Settings of a node, from the typed structs of `pyrt.live.config` and `pyrt.risk.limits`;
`scripts/configuration_page.py` writes this page. An unknown key is refused.

`pyrt config check NODE.toml` says whether a node would start with a file, with the keys and secrets
of the shell or of `--env-file FILE`, and `pyrt config show NODE.toml --profile paper` what it would
run with. Values come from the file, then from the table
`[profiles.NAME]` of `--profile NAME` ({profiles}), then from variables such as
`{variable}STATE_DIR`, lists with commas; each overrides what came before. Of a table, such as
`[profiles.paper.limits]` or that of a symbol in it, what is not named stays as it was. A variable
`{variable}…` that names no setting is refused. Keys of an account never stand here: see
[live](live.md).

## Node
"""


def described(cls: type) -> dict[str, str]:
    """Return what a class's docstring says of each attribute."""
    text = inspect.cleandoc(cls.__doc__ or "")
    lines = "\n".join("    " + line if line else "" for line in text.splitlines()) + "\n"
    found: dict[str, str] = {}
    for names, _, body in ENTRY.findall(lines):
        for name in names.split(","):
            found[name.strip()] = " ".join(body.split())
    return found


def page() -> str:
    """Return the page's text."""
    profiles = ", ".join(f"`{name}`" for name in PROFILES)
    parts = [HEAD.format(profiles=profiles, variable=VARIABLE)]
    parts += table(NodeConfig, node_rows())
    parts.append("\n## Limits\n")
    parts.append(
        "The table `[limits]`; what is not set is not checked, and a strict node denies.\n"
    )
    parts += table(Limits, limit_rows())
    parts.append("\n## What `pyrt live --init` writes\n")
    parts.append(f"```toml\n{TEMPLATE}```\n")
    return "\n".join(parts)


def node_rows() -> list[tuple[str, str]]:
    """Return name and default of each setting."""
    rows = []
    for field in msgspec.structs.fields(NodeConfig):
        rows.append((field.name, "" if field.required else shown(default_of(field))))
    return rows


def default_of(field: Any) -> Any:
    """Return a field's default."""
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def limit_rows() -> list[tuple[str, str]]:
    """Return name and default of each limit."""
    empty = Limits()
    return [(name, shown(getattr(empty, name))) for name in Limits.__dataclass_fields__]


def shown(value: Any) -> str:
    """Return a default as TOML would have it."""
    if value is None or value == {} or value == () or hasattr(value, "keys"):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, str):
        return f'`"{value}"`'
    return f"`{value}`"


def table(cls: type, rows: list[tuple[str, str]]) -> list[str]:
    """Return a table's lines."""
    text = described(cls)
    lines = ["| Key | Default | Meaning |", "|---|---|---|"]
    for name, default in rows:
        meaning = text.get(name, "").replace("``", "`").replace("|", "\\\\|")
        lines.append(f"| `{name}` | {default} | {meaning} |")
    return lines


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
