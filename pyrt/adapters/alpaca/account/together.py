"""What is asked of an account for several orders or symbols: one that fails stops no other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any

from pyrt.errors import PyrtError

Outcome = dict[str, Any] | PyrtError
"""What something came to, or why it is not done."""
LOOK = "Look at the account before you try again"


async def each_of(asked: Mapping[str, Awaitable[dict[str, Any]]]) -> dict[str, Outcome]:
    """Do everything at once, each to its own end; return what it came to, by its name.

    What is no error of ours to tell is raised, once the others have come to theirs.
    """
    outcomes: dict[str, Outcome] = {}
    unexpected: list[BaseException] = []
    ended = await asyncio.gather(*asked.values(), return_exceptions=True)
    for name, outcome in zip(asked, ended, strict=True):
        if isinstance(outcome, BaseException) and not isinstance(outcome, PyrtError):
            unexpected.append(outcome)
        else:
            outcomes[name] = outcome
    if unexpected:
        raise unexpected[0]
    return outcomes


def all_done(outcomes: Mapping[str, Outcome]) -> list[dict[str, Any]]:
    """Return what everything came to; raise one error that names all that is not done.

    It is of the kind that the errors share, and has each of them by its name in
    ``values["failed"]``. The error of what was asked for alone is raised as it is.
    """
    failed = {name: each for name, each in outcomes.items() if isinstance(each, PyrtError)}
    if not failed:
        return [each for each in outcomes.values() if not isinstance(each, PyrtError)]
    first = next(iter(failed.values()))
    if len(outcomes) == 1:
        raise first
    names: dict[str, list[str]] = {}
    for name, error in failed.items():
        names.setdefault(error.message, []).append(name)
    told = "; ".join(f"{', '.join(those)}: {message}" for message, those in names.items())
    kinds = {type(error) for error in failed.values()}
    remedies = {error.remedy for error in failed.values()}
    codes = {error.code for error in failed.values()}
    kind = kinds.pop() if len(kinds) == 1 else PyrtError
    raise kind(
        f"{len(failed)} of {len(outcomes)} not done: {told}",
        code=codes.pop() if len(codes) == 1 else "not_all_done",
        remedy=remedies.pop() if len(remedies) == 1 else LOOK,
        failed=failed,
    ) from first
