"""Auctions: one price at which what waits for them trades."""
