"""What an order that is kept waits for before it leaves, and how it leaves."""

RETRY_NS: int
