"""Conditions of a stream judged over many of its rows at once, before they are taken."""

from typing import final

@final
class Ahead: ...
