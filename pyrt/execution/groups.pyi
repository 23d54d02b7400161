"""Groups of orders: whether a venue can hold one itself, and which of a pair rests there if not."""
