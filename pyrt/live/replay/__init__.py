"""A recorded day again: the same commands out, and against the backtest of the same time."""
