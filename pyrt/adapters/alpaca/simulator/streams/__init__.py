"""The market-data streams' side of the wire: handshakes, messages, frames."""
