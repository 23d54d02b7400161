"""Tests of pyrt.venues."""
