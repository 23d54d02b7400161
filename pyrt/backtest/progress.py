"""How far a run has come, on a terminal or in a notebook."""

from __future__ import annotations


class Progress:
    """A tqdm bar; the notebook's kind in a notebook."""

    def __init__(self, total: int) -> None:
        from tqdm.auto import tqdm

        self._bar = tqdm(total=total, unit=" events", unit_scale=True, leave=False)

    def update(self, done: int) -> None:
        """Show that so many rows are done."""
        self._bar.update(done - self._bar.n)

    def close(self, done: int) -> None:
        """Show the last number and leave the line."""
        self.update(done)
        self._bar.close()
