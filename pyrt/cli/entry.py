"""The entry point: dispatches to a subcommand and turns errors into one line and an exit code."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence

import click

import pyrt
from pyrt.cli import exits
from pyrt.cli.given import is_mistake, refused
from pyrt.cli.lazy import LazyGroup
from pyrt.errors import PyrtError, StrategyError

EPILOG = """\b
Exit codes: 0 done; 1 the strategy raised, the broker was not to be reached, or a check
found something; 2 something given is not acceptable; 3 a --require is not met, or an
order would be refused; 130 interrupted.

Completion: eval "$(_PYRT_COMPLETE=bash_source pyrt)"; also zsh_source, fish_source.
"""

_NAMES = "symbol|timeframe|label|tz|repair|kind|price|calendar"
_ARGUMENT = re.compile(rf'\b({_NAMES})="([^"]+)"')
_LIST = re.compile(rf"\b({_NAMES})=\[([^]]+)]")
_FLAG = re.compile(r"\b(adjusted)=True")
_QUOTED = re.compile(r'"([^"]+)"')


@click.group(
    cls=LazyGroup,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(pyrt.__version__, message="pyrt %(version)s")
def cli() -> None:
    """Backtest and trade: one strategy, recorded or live markets."""


def main(args: Sequence[str] | None = None) -> int:
    """Run the `pyrt` command and return its exit code; see `pyrt.cli.exits`.

    Parameters
    ----------
    args : sequence of str, optional
        Arguments after the program's name; by default those of the process.
    """
    try:
        code = cli.main(args=args, prog_name="pyrt", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return exits.USAGE
    except click.ClickException as error:
        return _complain(error.format_message(), exits.USAGE)
    except PyrtError as error:
        return _complain_of(error)
    except (KeyboardInterrupt, click.Abort):
        return _complain("interrupted", exits.INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has left; nothing more can be said, not even at shutdown.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.FAILED
    except OSError as error:
        told = refused(error, sys.argv[1:] if args is None else args)
        if told is None:
            raise
        return _complain(told, exits.USAGE if is_mistake(error) else exits.FAILED)
    return code if isinstance(code, int) else exits.DONE


def as_options(message: str) -> str:
    """Return a message of the library with its keyword arguments written as options.

    Examples
    --------
    >>> as_options('write label="open" or repair=["sort", "clip"]')
    'write --label open or --repair sort --repair clip'
    """
    message = _LIST.sub(
        lambda found: " ".join(f"--{found[1]} {value}" for value in _QUOTED.findall(found[2])),
        message,
    )
    return _FLAG.sub(r"--\1", _ARGUMENT.sub(r"--\1 \2", message))


def _complain(message: str, code: int) -> int:
    click.echo(f"Error: {message}", err=True)
    return code


def _complain_of(error: PyrtError) -> int:
    plain = exits.mistake(error)
    if isinstance(plain, StrategyError) and plain.__cause__ is not None:
        from pyrt.cli.traces import users_traceback

        click.echo(users_traceback(plain.__cause__), err=True, nl=False)
    return _complain(as_options(str(plain)), exits.exit_code(error))
