"""Frames and segments: how records lie in a file, and how damage to them is found."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from pyrt.live.journal.crc32c import crc32c

FORMAT = 1
CHAIN_BYTES = 16
MAGIC = b"pyrtjrnl"
MARK = b"\xa5\x4a"
PAYLOAD_MAX = 16 * 1024 * 1024
"""A longer length field is damage; nothing of that size is ever written."""

_SEGMENT = struct.Struct("<8sHHIQ16s")
_FRAME = struct.Struct("<2sBBIQ")
_PLACE = struct.Struct("<IQ")
_CRC = struct.Struct("<I")
SEGMENT_BYTES = _SEGMENT.size + _CRC.size
FRAME_BYTES = _FRAME.size + _CRC.size + CHAIN_BYTES
NO_CHAIN = bytes(CHAIN_BYTES)


@dataclass(frozen=True, slots=True)
class Frame:
    """One record as it lies in a segment.

    Attributes
    ----------
    kind : int
        What the payload is; see `records`.
    sequence : int
        Counts records over all segments of a log, from 1.
    offset, end : int
        Where the frame begins and ends in its segment, bytes.
    chain : bytes
        BLAKE2b over all records up to and including this one.
    """

    kind: int
    sequence: int
    payload: bytes
    offset: int
    end: int
    chain: bytes


@dataclass(frozen=True, slots=True)
class SegmentHead:
    """What a segment begins with: its number and where the one before it ended."""

    number: int
    first_sequence: int
    chain: bytes


@dataclass(frozen=True, slots=True)
class Damage:
    """The first place of a segment that does not hold together.

    Attributes
    ----------
    offset : int
        Where the bad frame begins.
    reason : str
    followed_by : int or None
        Offset of a sound frame after it: the damage is then in the middle, not a torn tail.
    """

    offset: int
    reason: str
    followed_by: int | None = None


def encode_head(head: SegmentHead) -> bytes:
    """Return the bytes that a segment begins with."""
    body = _SEGMENT.pack(MAGIC, FORMAT, 0, head.number, head.first_sequence, head.chain)
    return body + _CRC.pack(crc32c(body))


def decode_head(data: bytes | memoryview) -> SegmentHead | None:
    """Return the head of a segment; None if it is cut off or damaged."""
    if len(data) < SEGMENT_BYTES:
        return None
    body = bytes(data[: _SEGMENT.size])
    magic, version, _, number, first, chain = _SEGMENT.unpack(body)
    (crc,) = _CRC.unpack(data[_SEGMENT.size : SEGMENT_BYTES])
    if crc != crc32c(body) or magic != MAGIC or version > FORMAT:
        return None
    return SegmentHead(number, first, chain)


def next_chain(chain: bytes, header: bytes, payload: bytes) -> bytes:
    """Return the hash that ties a record to all before it."""
    return hashlib.blake2b(b"".join((chain, header, payload)), digest_size=CHAIN_BYTES).digest()


def encode_frame(
    kind: int, sequence: int, payload: bytes, *, chain: bytes, segment: int, offset: int
) -> tuple[bytes, bytes]:
    """Return a frame's bytes and the chain after it.

    The checksum covers the place too, so that a sound frame in a wrong place is damage.
    """
    header = _FRAME.pack(MARK, FORMAT, kind, len(payload), sequence)
    after = next_chain(chain, header, payload)
    crc = crc32c(b"".join((header, _PLACE.pack(segment, offset), after, payload)))
    return b"".join((header, _CRC.pack(crc), after, payload)), after


def frame_at(data: bytes, offset: int, segment: int) -> Frame | str:
    """Return the frame at an offset, or what is wrong with it."""
    if len(data) - offset < FRAME_BYTES:
        return "cut off in its header"
    header = data[offset : offset + _FRAME.size]
    mark, version, kind, length, sequence = _FRAME.unpack(header)
    if mark != MARK:
        return "no frame begins here"
    if version > FORMAT:
        return f"format {version} is newer than this program's {FORMAT}"
    if length > PAYLOAD_MAX:
        return f"a length of {length} bytes"
    start = offset + FRAME_BYTES
    if len(data) - start < length:
        return "cut off in its payload"
    (crc,) = _CRC.unpack_from(data, offset + _FRAME.size)
    end = start + length
    # The chain and the payload lie together.
    covered = (header, _PLACE.pack(segment, offset), data[start - CHAIN_BYTES : end])
    if crc != crc32c(b"".join(covered)):
        return "the checksum does not match"
    return Frame(kind, sequence, data[start:end], offset, end, data[start - CHAIN_BYTES : start])


class SegmentReader:
    """Reads a segment's frames up to its end or to the first damage.

    Parameters
    ----------
    data : bytes
    head : SegmentHead

    Attributes
    ----------
    end : int
        Where the last sound frame ended.
    damage : Damage or None
    """

    def __init__(self, data: bytes, head: SegmentHead) -> None:
        self._data = data
        self._head = head
        self.chain = head.chain
        self.next_sequence = head.first_sequence
        self.end = SEGMENT_BYTES
        self.damage: Damage | None = None

    def __iter__(self) -> Iterator[Frame]:
        while self.end < len(self._data):
            frame = frame_at(self._data, self.end, self._head.number)
            if isinstance(frame, Frame):
                frame = self._linked(frame)
            if isinstance(frame, str):
                after = sound_after(self._data, self.end, self._head.number)
                self.damage = Damage(self.end, frame, after)
                return
            self.end, self.chain = frame.end, frame.chain
            self.next_sequence = frame.sequence + 1
            yield frame

    def _linked(self, frame: Frame) -> Frame | str:
        if frame.sequence != self.next_sequence:
            return f"record {frame.sequence} where {self.next_sequence} has to follow"
        header = self._data[frame.offset : frame.offset + _FRAME.size]
        if next_chain(self.chain, header, frame.payload) != frame.chain:
            return "its hash does not continue the chain"
        return frame


def sound_after(data: bytes, offset: int, segment: int) -> int | None:
    """Return where a sound frame begins after a bad place: then that is no torn tail."""
    at = data.find(MARK, offset + 1)
    while at >= 0:
        if isinstance(frame_at(data, at, segment), Frame):
            return at
        at = data.find(MARK, at + 1)
    return None
