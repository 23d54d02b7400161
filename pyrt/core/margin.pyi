"""What a holding ties up: initial and maintenance margin by side, price and instrument."""
