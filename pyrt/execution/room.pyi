"""Room for what leaves a position among orders that rest, where a venue keeps units for them."""
