"""What Alpaca accepts, charges and answers, stated once."""
