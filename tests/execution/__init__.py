"""Tests of pyrt.execution."""
