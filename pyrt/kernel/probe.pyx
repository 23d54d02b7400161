"""How long parts of the kernel's work take, for whoever wants to know; the kernel has no clock."""


cdef class Probe:
    """Told when a part of the work begins and ends; one that measures is given by the shell."""

    cdef int64_t now(self) except? -1:
        """Return the present, in ns of any clock that does not step back."""
        return 0

    cdef int64_t lap(self, int stage, int64_t since) except? -1:
        """Note that a stage has lasted from `since` to the present, which is returned."""
        return 0
