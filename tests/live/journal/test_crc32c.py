"""CRC-32C against the vectors of RFC 3720 and a bit-by-bit twin."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrt.live.journal.crc32c import crc32c

VECTORS = [
    (b"", 0x00000000),
    (b"123456789", 0xE3069283),
    (bytes(32), 0x8A9136AA),
    (b"\xff" * 32, 0x62A8AB43),
    (bytes(range(32)), 0x46DD794E),
    (bytes(range(31, -1, -1)), 0x113FDB5C),
    (
        bytes.fromhex(
            "01c00000000000000000000000000000"
            "14000000000004000000001400000018"
            "28000000000000000200000000000000"
        ),
        0xD9963A56,
    ),
]


def slow_crc32c(data: bytes) -> int:
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


@pytest.mark.parametrize(("data", "expected"), VECTORS)
def test_published_vectors(data, expected):
    assert crc32c(data) == expected == slow_crc32c(data)


@given(st.binary(max_size=100), st.integers(0, 100))
def test_any_bytes_in_one_piece_or_two(data, cut):
    assert crc32c(data[cut:], crc32c(data[:cut])) == crc32c(data) == slow_crc32c(data)
