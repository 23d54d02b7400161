"""The client without I/O: bytes and the time go in, events and requests come out."""
