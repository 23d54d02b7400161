"""Room for an order to a target among exits that rest, where a venue keeps the units for them."""
