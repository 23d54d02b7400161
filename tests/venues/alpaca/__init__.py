"""Tests of pyrt.venues.alpaca."""
