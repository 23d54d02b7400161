"""The cautious settings that `pyrt live --init` writes: to be read, changed and signed."""

TEMPLATE = """\
# A node's settings. Read every line; what is not here has the default of docs/configuration.md.

symbols = ["SPY"]            # all that strategies may subscribe to and trade
mode = "paper"               # "live" needs a live key and account_id, too
account_id = ""              # the account number that the broker has to state
feed = "iex"                 # or "sip"
backtest_feed = ""           # what the strategy was tested on; a difference is told at start
state_dir = "pyrt-state"     # the journal; back it up
on_stop = "cancel_entries"   # protective exits stay; or cancel_all, flatten, leave
external_orders = "halt"     # an order we have not sent halts its symbol
handler_timeout_s = 5.0      # a handler that runs longer stops its strategy
backup_dir = ""              # copies of the journal, every backup_hours
watchdog = true              # a process that cancels all orders when the node is dead

# Sign by setting numbers that you can afford to lose. Orders that could raise exposure are denied
# while one of these is missing.
[limits]
max_order_notional = 1000            # of one order, account currency
max_position_notional = 2000         # of one symbol, working orders included
max_gross_exposure = 5000            # of all symbols
max_daily_loss = 100                 # then only exits
halt_daily_loss = 200                # then nothing, and all that works is canceled
warn_at = 0.7                        # tell of limits that are used up so far
max_order_age = "1d"                 # tell of orders that work for longer
max_open_orders = 10
max_orders_per_minute = 20
price_collar_bps = 300               # limit prices within 3 % of the last price
stale_data_after = "90s"             # no entries on older prices
duplicate_window = "1s"
require_open_session = true          # an order for a closed session has to say queue=True

# Laid over the above by --profile NAME.
[profiles.dev]
trading_url = "http://127.0.0.1:8900"    # where `pyrt simulator` listens
data_url = "http://127.0.0.1:8900"
data_stream_url = "ws://127.0.0.1:8900/v2/iex"
crypto_stream_url = "ws://127.0.0.1:8900/v1beta3/crypto/us"
state_dir = "pyrt-state-dev"
dashboard = true             # http://127.0.0.1:8765; its tokens: dashboard.tokens in state_dir

[profiles.live]
account_id = ""              # here, for --profile live: it stands over the one above
state_dir = "pyrt-state-live"
"""
