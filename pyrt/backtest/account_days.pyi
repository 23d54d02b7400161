"""Days of the account: what the broker charges and settles when a session ends."""
