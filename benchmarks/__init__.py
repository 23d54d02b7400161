"""Measurements against the project's own budgets; `make bench` runs them all."""
