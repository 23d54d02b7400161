"""The page on a running node: what it holds and does, and the switches that stop it."""
