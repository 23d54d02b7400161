"""The orders of a strategy: what it sends, changes, cancels and takes toward a target."""
from pyrt.core.orders cimport Order
from pyrt.strategy.base cimport StrategyBase

cdef class StrategyCommands(StrategyBase):
    cdef Order order(self, int side, str symbol, quantity, notional, limit_price, stop_price,
                     trail_amount, trail_percent, trigger_price, take_profit, stop_loss,
                     time_in_force, expires_at, post_only, reduce_only, extended_hours, queue,
                     tag, algorithm, display_quantity, market_to_limit)
