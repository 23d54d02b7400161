"""Frames one by one: what is wrong where none is sound, and where the next sound one is."""

from __future__ import annotations

import struct

import pytest

from pyrt.live.journal import frames
from pyrt.live.journal.crc32c import crc32c
from pyrt.live.journal.frames import (
    CHAIN_BYTES,
    FORMAT,
    FRAME_BYTES,
    MARK,
    NO_CHAIN,
    SEGMENT_BYTES,
    SegmentHead,
    SegmentReader,
    decode_head,
    encode_frame,
    encode_head,
    frame_at,
    next_chain,
    sound_after,
)

HEAD = SegmentHead(3, 7, b"0123456789abcdef")


def segment(*payloads: bytes, head: SegmentHead = HEAD) -> bytes:
    """A whole segment of these records."""
    data, chain = encode_head(head), head.chain
    for sequence, payload in enumerate(payloads, head.first_sequence):
        frame, chain = encode_frame(
            5, sequence, payload, chain=chain, segment=head.number, offset=len(data)
        )
        data += frame
    return data


def test_a_segment_reads_as_it_was_written():
    data = segment(b"one", b"", b"three")
    assert decode_head(data) == HEAD
    reader = SegmentReader(data, HEAD)
    found = list(reader)
    assert [(f.kind, f.sequence, f.payload) for f in found] == [
        (5, 7, b"one"), (5, 8, b""), (5, 9, b"three"),
    ]  # fmt: skip
    ends = [SEGMENT_BYTES + FRAME_BYTES + 3, SEGMENT_BYTES + 2 * FRAME_BYTES + 3, len(data)]
    assert [f.end for f in found] == ends
    assert [f.offset for f in found] == [SEGMENT_BYTES, *ends[:2]]
    assert (reader.end, reader.next_sequence, reader.chain) == (len(data), 10, found[-1].chain)
    assert reader.damage is None
    # The chain of a record is that of the one before, hashed with its header and payload.
    header = data[SEGMENT_BYTES : SEGMENT_BYTES + 16]
    assert found[0].chain == next_chain(HEAD.chain, header, b"one")
    assert len(found[0].chain) == CHAIN_BYTES == len(NO_CHAIN)


def test_a_head_that_is_cut_changed_or_newer_is_none():
    data = encode_head(HEAD)
    assert decode_head(data + b"more") == HEAD
    assert decode_head(memoryview(data)) == HEAD
    assert decode_head(data[:-1]) is None
    for at in range(len(data)):
        assert decode_head(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]) is None, at

    def sealed(body: bytes) -> bytes:
        return body + struct.pack("<I", crc32c(body))

    body = data[:-4]
    assert decode_head(sealed(body)) == HEAD
    assert decode_head(sealed(b"pyrtjrnX" + body[8:])) is None
    assert decode_head(sealed(body[:8] + struct.pack("<H", FORMAT + 1) + body[10:])) is None
    assert decode_head(sealed(body[:8] + struct.pack("<H", FORMAT - 1) + body[10:])) == HEAD


@pytest.mark.parametrize(
    ("at", "piece", "reason"),
    [
        (0, b"\x00\x00", "no frame begins here"),
        (2, bytes([FORMAT + 1]), f"format {FORMAT + 1} is newer than this program's {FORMAT}"),
        (4, struct.pack("<I", 9), "a length of 9 bytes"),
        (4, struct.pack("<I", 8), "cut off in its payload"),
        (4, struct.pack("<I", 4), "cut off in its payload"),
        (4, struct.pack("<I", 2), "the checksum does not match"),
        (8, b"\xff", "the checksum does not match"),
        (FRAME_BYTES, b"\xff", "the checksum does not match"),
    ],
)
def test_each_way_a_frame_can_be_wrong_is_named(monkeypatch, at, piece, reason):
    monkeypatch.setattr(frames, "PAYLOAD_MAX", 8)
    data = segment(b"one")
    assert not isinstance(frame_at(data, SEGMENT_BYTES, 3), str)
    place = SEGMENT_BYTES + at
    bad = data[:place] + piece + data[place + len(piece) :]
    assert frame_at(bad, SEGMENT_BYTES, 3) == reason
    reader = SegmentReader(bad, HEAD)
    assert list(reader) == []
    assert reader.damage == frames.Damage(SEGMENT_BYTES, reason, None)
    assert reader.end == SEGMENT_BYTES


def test_the_longest_payload_is_read_and_one_byte_more_is_damage(monkeypatch):
    monkeypatch.setattr(frames, "PAYLOAD_MAX", 8)
    data = segment(b"x" * 8)
    assert len(list(SegmentReader(data, HEAD))) == 1
    assert frame_at(segment(b"x" * 9), SEGMENT_BYTES, 3) == "a length of 9 bytes"


def test_a_frame_that_ends_in_its_header_or_payload_is_cut_off():
    data = segment(b"one")
    for size in range(SEGMENT_BYTES, SEGMENT_BYTES + FRAME_BYTES):
        assert frame_at(data[:size], SEGMENT_BYTES, 3) == "cut off in its header"
    for size in range(SEGMENT_BYTES + FRAME_BYTES, len(data)):
        assert frame_at(data[:size], SEGMENT_BYTES, 3) == "cut off in its payload"
    assert not isinstance(frame_at(data, SEGMENT_BYTES, 3), str)


def test_a_frame_belongs_to_its_segment_and_its_place():
    data = segment(b"one", b"two")
    assert frame_at(data, SEGMENT_BYTES, 4) == "the checksum does not match"
    moved = data[:SEGMENT_BYTES] + b"\x00" + data[SEGMENT_BYTES:]
    assert frame_at(moved, SEGMENT_BYTES + 1, 3) == "the checksum does not match"


def test_a_sound_frame_behind_a_bad_place_is_found_and_false_marks_are_not():
    data = segment(b"one", MARK + b" no frame " + MARK, b"three")
    offsets = [frame.offset for frame in SegmentReader(data, HEAD)]
    assert sound_after(data, 0, 3) == offsets[0]
    assert sound_after(data, offsets[0], 3) == offsets[1]
    assert sound_after(data, offsets[1], 3) == offsets[2]
    assert sound_after(data, offsets[2], 3) is None
    assert sound_after(data, 0, 4) is None
    bad = bytearray(data)
    bad[offsets[0] + FRAME_BYTES] ^= 1
    reader = SegmentReader(bytes(bad), HEAD)
    assert list(reader) == []
    assert reader.damage is not None
    assert reader.damage.followed_by == offsets[1]


def test_a_frame_right_at_the_beginning_is_behind_no_place():
    frame, _ = encode_frame(1, 1, b"a", chain=NO_CHAIN, segment=1, offset=0)
    assert sound_after(frame, -1, 1) == 0
    assert sound_after(frame, 0, 1) is None
