"""What the calendar brings: corporate actions, halts, bands, auctions, days of the account."""
