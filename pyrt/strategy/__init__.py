"""Strategy, its parameters and commands: what users subclass."""

from pyrt.strategy.strategy import Strategy

__all__ = ["Strategy"]
