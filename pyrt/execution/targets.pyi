"""Targets: how far a position is from what is wanted, what counts on the way, and what waits."""
