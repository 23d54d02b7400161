"""The market-data API: history, latest values, pages."""
