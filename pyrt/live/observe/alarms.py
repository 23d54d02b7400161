"""The alarms that a node can raise, by their codes; `docs/operations/alarms.md` explains them."""

from __future__ import annotations

CODES = (
    *("account_terms", "adjusted_bust", "adjusted_cash", "adjusted_correction"),
    *("adjusted_dividend", "adjusted_split", "adjusted_symbol_change", "assumed_terms", "backup"),
    *("bad_event", "bad_frame", "bad_tick", "bars_resumed", "blind", "booking_canceled"),
    *("cash_mismatch", "clock", "emulated_exits", "emulated_lost", "external_order"),
    *("fill_after_reject", "frozen", "journal", "late_fill", "left_behind", "limit_near"),
    *("limits_reset", "listener", "look_failed", "lost_intent", "market_log", "missing_order"),
    *("no_limits", "no_range", "no_state", "no_volume", "node_failed", "not_replayed", "not_sent"),
    *("not_subscribed", "not_tradable", "old_order", "on_save", "orders_incomplete", "other_feed"),
    *("other_symbols", "overdue", "percentage", "position_mismatch", "query_failed"),
    *("read_back_failed", "reopened", "replay_differs", "replay_saves", "replay_short"),
    *("restricted", "second_node", "stale_bars", "stranger", "strategy_stopped", "stream_lost"),
    *("stuck", "torn_tail", "unauthorized", "unclean_end", "unguarded", "unheard"),
    *("unknown_order", "unseen_order", "watchdog_lost"),
)
"""All but ``market_data_NUMBER``, which has the number of a stream's error."""
