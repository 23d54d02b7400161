"""Corporate actions at the venue: what splits and dividends do to the account and open orders."""
