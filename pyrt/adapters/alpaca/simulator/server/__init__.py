"""The simulator on sockets, files and the wall clock; all else here does no I/O."""
