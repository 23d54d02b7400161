"""What a split makes of quantities and prices."""
