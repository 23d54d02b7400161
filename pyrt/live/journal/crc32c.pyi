"""CRC-32C (Castagnoli), eight bytes a step by tables."""

from typing_extensions import Buffer

def crc32c(data: Buffer, value: int = 0) -> int: ...
