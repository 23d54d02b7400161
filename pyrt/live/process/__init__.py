"""What belongs to the process: its locks, clock, heartbeat, control socket and private files."""
