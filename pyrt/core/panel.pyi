"""Rows of one stream side by side: what conditions are judged over many at once by."""

from typing import final

@final
class Panel: ...
