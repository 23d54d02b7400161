"""What waits on the desk for what it counts on, and leaves when that has been answered."""
