"""The whole state of a book as plain numbers and arrays, and back."""
from pyrt.core.book_state cimport BookState

cdef dict save(BookState book)
cdef int load(BookState book, object saved) except -1
