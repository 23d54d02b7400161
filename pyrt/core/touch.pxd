"""What a touch, the best bid and ask, says about the worth of what is held."""

cdef enum:
    TOUCHES_WORTH = 20
    # A spread of a tenth of the middle at most (their sum is twice that). Liquid markets are far
    # inside it, stub quotes, as venues show them outside their hours, far beyond.

cdef inline bint is_tight(double bid, double ask) noexcept:
    """Whether the middle of a touch is a price: it is not crossed, nor wide."""
    return bid <= ask and (ask - bid) * TOUCHES_WORTH <= bid + ask

cdef inline double within(double price, double bid, double ask) noexcept:
    """The last price, as far as a touch that is not tight speaks against it.

    A wide one says that the price is between its sides, a crossed one nothing: one of its sides is
    out of date.
    """
    if bid > ask:
        return price
    return min(max(price, bid), ask)
