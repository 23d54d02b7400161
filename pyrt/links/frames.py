"""What stands in one frame: the topic, a zero byte, and a MessagePack array of four."""

from __future__ import annotations

from typing import Any

import msgspec

from pyrt.core.serialization import DATA_TYPES, from_dict
from pyrt.errors import DataError

TRACE = "trace"
"""What a node adds to a payload, beside the fields of its type."""
FRAME_MAX = 1 << 20
"""Bytes; a larger frame is refused before it is read."""


class Message(msgspec.Struct, frozen=True):
    """One message as a subscriber gets it.

    Attributes
    ----------
    topic : str
        See `pyrt.links.TOPICS`.
    session : str
        The publisher's run; a new one counts its messages from 1.
    sequence : int
        1, 2, … within (session, topic): a jump is a loss.
    ts_sent : int
        The publisher's clock, ns UTC.
    payload : dict
        Plain values; ``"type"`` names the type of pyrt they are of.
    """

    topic: str
    session: str
    sequence: int
    ts_sent: int
    payload: dict[str, Any]

    @property
    def trace(self) -> str:
        """The id of what came into the node and led to this message; "" where there is none."""
        return str(self.payload.get(TRACE, ""))

    @property
    def value(self) -> Any:
        """The Bar, Quote, Trade, Signal, … of the payload; the payload where it is none.

        DataError if its fields are not those of its type.
        """
        kind = self.payload.get("type")
        if not isinstance(kind, str) or kind not in DATA_TYPES:
            return self.payload
        fields = {name: value for name, value in self.payload.items() if name != TRACE}
        try:
            return from_dict(fields)
        except (TypeError, ValueError, OverflowError) as error:
            raise DataError(f"not a {kind}: {error}", code="fields") from None


Body = tuple[str, int, int, dict[str, Any]]
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Body)


def pack(topic: bytes, session: str, sequence: int, ts_sent: int, payload: dict[str, Any]) -> bytes:
    """Return the frame of one message."""
    return b"%b\0%b" % (topic, _encoder.encode((session, sequence, ts_sent, payload)))


def unpack(frame: bytes) -> Message:
    """Return the message of a frame.

    Raises
    ------
    DataError
        If it is too large or not of this form.
    """
    if len(frame) > FRAME_MAX:
        raise DataError(f"a frame of {len(frame)} bytes; at most {FRAME_MAX} are read")
    topic, separator, body = frame.partition(b"\0")
    try:
        if not separator:
            raise ValueError("no topic")
        return Message(topic.decode(), *_decoder.decode(body))
    except (ValueError, msgspec.DecodeError, RecursionError) as error:
        raise DataError(f"not a message of a pyrt link: {error}") from None
