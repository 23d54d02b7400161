"""Targets across zero at venues where no order takes a position from one side to the other."""
