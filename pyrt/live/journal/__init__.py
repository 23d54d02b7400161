"""The journal: an append-only framed log of what a node meant, sent, heard and did."""
