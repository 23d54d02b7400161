"""What real venues keep open, accept and charge: pure tables, without I/O."""
