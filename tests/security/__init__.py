"""What has to hold against mistakes and malice, theme by theme."""
