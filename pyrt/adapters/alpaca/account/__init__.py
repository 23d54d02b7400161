"""An account without a node: for scripts, checks and downloads."""
