"""Option types that suggest close names when a value is not known."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import CompletionItem

from pyrt.core.suggest import did_you_mean


class Choice(click.Choice[str]):
    """One of several names; a wrong one is answered with those that resemble it."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """Return what is wrong with a value that is no choice."""
        names = [str(choice) for choice in self.choices]
        hint = did_you_mean(str(value), names)
        listed = "" if hint.startswith("Known") else f" It is one of {', '.join(names)}"
        return f"{value!r} is not a choice. {hint}{listed}"


class StrategySpec(click.ParamType[str]):
    """`FILE.py[:Class]`; the shell completes files."""

    name = "FILE.py[:Class]"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem[Any]]:
        """Let the shell complete a path."""
        return [CompletionItem(incomplete, type="file")]
