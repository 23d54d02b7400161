"""The market that is replayed: what is recorded or made up, and how it is let pass."""
