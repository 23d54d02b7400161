"""How long parts of the kernel's work take, for whoever wants to know; the kernel has no clock."""


cdef class Probe:
    """Told when a part of the work begins and ends; one that measures is given by the shell."""

    cdef int64_t now(self) except? -1:
        """Return the present, in ns of any clock that does not step back."""
        return 0

    cdef int64_t sample(self) except? -1:
        """Return `now` for a message that is to be measured, 0 for one that is not."""
        return self.now()

    cdef int64_t lap(self, int stage, int64_t since) except? -1:
        """Note that a stage has lasted from `since` to now, which is returned; not from 0."""
        return 0
