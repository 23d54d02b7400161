"""The node without I/O: the kernel with its inputs, its recording, and what the broker says."""
