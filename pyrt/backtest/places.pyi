"""The place of a resting order: what stands ahead of it at its price."""
