"""Questions about the depth of one side of a book: sums, averages, arrays."""
