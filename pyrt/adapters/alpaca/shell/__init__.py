"""What moves the bytes of the client core: HTTP and sockets, and no rule of its own."""
