"""What is wrong with a table, gathered over all checks and raised as one error."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pyrt.data.options import REPAIRS
from pyrt.errors import DataError

NO_TIMES = ("missing_time", "implausible_time", "not_a_time", "ambiguous_time", "symbol")
"""Faults after which nothing can be said about the order of rows."""

_ROWS_SHOWN = 3
_ROWS_KEPT = 20
_PROBLEMS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of fault and the rows that have it."""

    code: str
    what: str
    remedy: str
    repair: str
    rows: tuple[int, ...]
    count: int

    def line(self) -> str:
        """Return the problem as one line: rows, fault, what to write."""
        return f"{_row_text(self.rows, self.count)}{self.what}; {self.remedy}"


@dataclass(slots=True)
class Report:
    """The problems of one table.

    Parameters
    ----------
    source : str
        Names the table in the message.
    refused : tuple of str
        Repairs that cannot be made where the table comes from.
    """

    source: str
    refused: tuple[str, ...] = ()
    problems: list[Problem] = field(default_factory=list)

    def add(
        self,
        code: str,
        what: str,
        remedy: str,
        *,
        rows: NDArray[np.integer] | None = None,
        repair: str = "",
    ) -> None:
        """Note a problem.

        Parameters
        ----------
        code : str
            Stable name of the fault.
        what, remedy : str
            The fault with its values, and what to write or do.
        rows : ndarray of int, optional
            Positions in the table as it was given, counted from 0.
        repair : str, optional
            The `repair=` option that would mend it.
        """
        listed = () if rows is None else tuple(int(row) for row in rows[:_ROWS_KEPT])
        count = 0 if rows is None else len(rows)
        if repair in self.refused:
            remedy = f'load the whole file with repair="{repair}" to {remedy}, and store that'
        elif repair:
            remedy = f'write repair="{repair}" to {remedy}'
        self.problems.append(Problem(code, what, remedy, repair, listed, count))

    def has(self, *codes: str) -> bool:
        """Tell whether one of these faults has been noted."""
        return any(problem.code in codes for problem in self.problems)

    def raise_if_any(self) -> None:
        """Raise one `DataError` that lists every problem, or return if there is none."""
        if not self.problems:
            return
        raise DataError(
            self._message(),
            code=self.problems[0].code if len(self.problems) == 1 else "bad_table",
            remedy=self._remedy(),
            source=self.source,
            problems=[problem.code for problem in self.problems],
            rows={p.code: list(p.rows) for p in self.problems if p.rows},
        )

    def _message(self) -> str:
        if len(self.problems) == 1:
            return f"{self.source}: {self.problems[0].line()}"
        lines = [f"  {problem.line()}" for problem in self.problems[:_PROBLEMS_SHOWN]]
        if len(self.problems) > _PROBLEMS_SHOWN:
            lines.append(f"  and {len(self.problems) - _PROBLEMS_SHOWN} more")
        return "\n".join([f"{self.source}: {len(self.problems)} problems", *lines])

    def _remedy(self) -> str:
        named = {p.repair for p in self.problems if p.repair and p.repair not in self.refused}
        repairs = sorted(named, key=REPAIRS.index)
        count = "Rows count from 0" if any(p.rows for p in self.problems) else ""
        if len(repairs) < 2:
            return count
        quoted = ", ".join(f'"{name}"' for name in repairs)
        return f"{count}; all repairs at once: repair=[{quoted}]"


def _row_text(rows: tuple[int, ...], count: int) -> str:
    if not count:
        return ""
    shown = ", ".join(str(row) for row in rows[:_ROWS_SHOWN])
    more = f" and {count - _ROWS_SHOWN} more" if count > _ROWS_SHOWN else ""
    return f"row{'s' if count > 1 else ''} {shown}{more}: "
