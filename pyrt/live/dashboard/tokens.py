"""A page's tokens in the state folder: control is new at every start, read outlives restarts."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from pyrt.live.dashboard.guard import TOKEN_MIN, new_tokens
from pyrt.live.process.files import write_private

TOKENS, READ_TOKEN = "dashboard.tokens", "dashboard.read-token"
"""All for people and scripts; the read token alone, for programs that take a file of it."""
FORM = re.compile(rb"[A-Za-z0-9_-]{%d,128}" % TOKEN_MIN)


def make_tokens(folder: Path) -> tuple[str, str]:
    """Return a (read, control) pair, the former as an earlier start has written it.

    What scrapes a node would otherwise be locked out by each restart. A file that others can read
    or write, that is a link or holds no token counts as none.
    """
    read, control = new_tokens()
    return kept(folder / READ_TOKEN) or read, control


def write_tokens(folder: Path, url: str, read: str, control: str) -> None:
    """Write where the page is and the tokens it takes, mode 0600."""
    text = f"url={url}\nread={read}\ncontrol={control}\n"
    write_private(folder / TOKENS, text.encode())
    if kept(folder / READ_TOKEN) != read:
        write_private(folder / READ_TOKEN, f"{read}\n".encode())


def kept(path: Path) -> str:
    """Return the token of a file that is this user's alone; "" where there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        is_own = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
        if not is_own or stat.S_IMODE(found.st_mode) & 0o077:
            return ""
        token = file.read(256).strip()
    return token.decode() if FORM.fullmatch(token) else ""
