"""Limits by kind: which are money, shares, counts; which differ by symbol, which live needs."""

from __future__ import annotations

QUANTITIES = ("max_order_quantity", "max_position_quantity", "max_daily_quantity")
MONEY = (
    "max_order_notional",
    "max_position_notional",
    "max_daily_notional",
    "max_gross_exposure",
    "max_net_exposure",
    "max_daily_loss",
    "halt_daily_loss",
    "max_position_loss",
    "max_value_at_risk",
    "max_expected_shortfall",
    "max_beta_exposure",
)
# Shares of something, multiples of something, and basis points: plain numbers all.
RATIOS = (
    "max_leverage",
    "max_concentration",
    "max_sector_concentration",
    "max_daily_loss_fraction",
    "halt_daily_loss_fraction",
    "max_adv_share",
    "warn_at",
    "max_drawdown",
    "max_loss_rate",
    "max_reject_rate",
    "max_position_loss_fraction",
    "max_position_drawdown",
    "max_position_loss_atr",
    "fat_finger_multiple",
    "max_slippage_bps",
    "price_collar_bps",
    "max_tick_jump_bps",
    "market_protection_bps",
    "max_volatility",
    "max_correlation",
    "trip_volatility",
    "risk_level",
    "ramp_start",
)
COUNTS = (
    "max_open_orders",
    "max_open_positions",
    "max_daily_orders",
    "max_orders_per_second",
    "max_orders_per_minute",
    "max_messages_per_minute",
    "cancel_reserve",
    "max_repeated_executions",
    "max_consecutive_losses",
    "max_duplicates",
    "fat_finger_orders",
    "loss_rate_trades",
    "reject_rate_orders",
    "adv_sessions",
    "atr_sessions",
    "risk_window",
    "ramp_days",
)
DURATIONS = (
    "stale_data_after",
    "duplicate_window",
    "repeated_execution_window",
    "max_latency",
    "cooldown",
    "max_risk_age",
    "risk_every",
    "max_order_age",
)
FLAGS = (
    "require_buying_power",
    "require_shortable",
    "require_open_session",
    "deny_self_match",
    "deny_limit_state",
    "halt_flattens",
)
# Counts that are the length of something.
WINDOWS = (
    "fat_finger_orders",
    "loss_rate_trades",
    "reject_rate_orders",
    "adv_sessions",
    "atr_sessions",
)
CHOICES = {"slippage_action": ("deny", "limit"), "on_trip": ("reducing", "halted")}
# A percentage written for a share would be a brake that nothing reaches. Concentration and losses
# of a position are not here: leverage and shorts take those past 1.
SHARES_OF_ONE = (
    "max_daily_loss_fraction",
    "halt_daily_loss_fraction",
    "max_drawdown",
    "max_correlation",
    "max_loss_rate",
    "max_reject_rate",
    "risk_level",
    "ramp_start",
    "warn_at",
)
# Shares that leverage, shorts and wild markets take past 1, but not to where percentages begin.
SHARES = (
    "max_concentration",
    "max_sector_concentration",
    "max_adv_share",
    "max_position_loss_fraction",
    "max_position_drawdown",
    "max_volatility",
)
PERCENTAGES_FROM = 5
# What may differ from symbol to symbol.
PER_SYMBOL = (
    "max_order_quantity",
    "max_order_notional",
    "max_position_quantity",
    "max_position_notional",
    "max_concentration",
    "max_daily_quantity",
    "price_collar_bps",
    "max_slippage_bps",
    "market_protection_bps",
)
# Limits that read portfolio risk, which is computed on a schedule.
PORTFOLIO = (
    "max_value_at_risk",
    "max_expected_shortfall",
    "max_volatility",
    "max_correlation",
    "max_beta_exposure",
    "trip_volatility",
)
# A strict gate denies what could raise exposure while one of these is missing; of several names
# in a row, one is enough.
REQUIRED = (
    ("max_order_quantity", "max_order_notional"),
    ("max_position_notional", "max_position_quantity", "max_concentration"),
    ("max_gross_exposure", "max_leverage"),
    ("max_daily_loss", "max_daily_loss_fraction"),
    ("max_open_orders",),
    ("max_messages_per_minute", "max_orders_per_minute", "max_orders_per_second"),
    ("price_collar_bps",),
    ("stale_data_after",),
)
