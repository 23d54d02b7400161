"""The live node on Alpaca: the event loop, and what lives in it and beside it."""
