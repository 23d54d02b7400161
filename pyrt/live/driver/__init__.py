"""What drives a node through its life: start, recovery, reconciliation, halts and the end."""
