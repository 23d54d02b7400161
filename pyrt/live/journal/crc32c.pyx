"""CRC-32C (Castagnoli), eight bytes a step by tables."""
from libc.stdint cimport uint8_t, uint32_t

cdef uint32_t[8][256] TABLE


cdef void fill_table():
    cdef uint32_t value
    cdef int i, j, _
    for i in range(256):
        value = i
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        TABLE[0][i] = value
    for i in range(256):
        for j in range(1, 8):
            value = TABLE[j - 1][i]
            TABLE[j][i] = (value >> 8) ^ TABLE[0][value & 0xFF]

fill_table()


def crc32c(const uint8_t[::1] data not None, uint32_t value=0):
    """Return the checksum of `data`; `value` is that of what stands before it.

    Parameters
    ----------
    data : bytes-like
    value : int

    Examples
    --------
    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    >>> crc32c(b"6789", crc32c(b"12345")) == crc32c(b"123456789")
    True
    """
    cdef Py_ssize_t i = 0, n = data.shape[0]
    cdef uint32_t low
    value = ~value
    while i + 8 <= n:
        low = value ^ (
            <uint32_t>data[i] | <uint32_t>data[i + 1] << 8
            | <uint32_t>data[i + 2] << 16 | <uint32_t>data[i + 3] << 24
        )
        value = (
            TABLE[7][low & 0xFF] ^ TABLE[6][(low >> 8) & 0xFF]
            ^ TABLE[5][(low >> 16) & 0xFF] ^ TABLE[4][low >> 24]
            ^ TABLE[3][data[i + 4]] ^ TABLE[2][data[i + 5]]
            ^ TABLE[1][data[i + 6]] ^ TABLE[0][data[i + 7]]
        )
        i += 8
    while i < n:
        value = (value >> 8) ^ TABLE[0][(value ^ data[i]) & 0xFF]
        i += 1
    return ~value & 0xFFFFFFFF
