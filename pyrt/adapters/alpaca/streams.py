"""What both streams share: when to connect, when silence means a dead line, what to send."""

from __future__ import annotations

from random import Random

from pyrt.adapters.alpaca.pacing import RECONNECT, SECOND, RetryPolicy

SILENCE_NS = 12 * SECOND
"""More than two pings: a line that is gone without a word is found out within 15 s."""
IDLE, CONNECTING, AUTHENTICATING, SUBSCRIBING, ACTIVE = range(5)
"""States of a connection, in their order."""


class Connection:
    """One reconnecting connection without I/O; the shell opens, reads, writes and closes.

    Parameters
    ----------
    random : Random
        Jitter is drawn from it.
    silence_ns : int
        Nothing heard for this long, not even a pong, is taken for a dead line.
    handshake_ns : int
        A handshake that takes longer is broken off.
    """

    def __init__(
        self,
        random: Random,
        *,
        policy: RetryPolicy = RECONNECT,
        silence_ns: int = SILENCE_NS,
        handshake_ns: int = 10 * SECOND,
    ) -> None:
        self._random = random
        self._policy = policy
        self._silence_ns = silence_ns
        self._handshake_ns = handshake_ns
        self._frames: list[bytes] = []
        self._failures = 0
        self._connect_at = 0
        self._heard_at = 0
        self.state = IDLE
        self.headers: dict[str, str] = {}
        """Sent with the upgrade, besides what every upgrade has."""
        self.is_packed = False
        """Whether what is sent are binary frames of MessagePack; else they are text."""

    @property
    def is_active(self) -> bool:
        """Whether the handshake is through."""
        return self.state == ACTIVE

    def wants_connection(self, now: int) -> bool:
        """Return whether the shell should connect now; it is then taken to be doing so."""
        if self.state != IDLE or now < self._connect_at:
            return False
        self._move_to(CONNECTING, now)
        return True

    def wants_close(self, now: int) -> bool:
        """Return whether the line is dead: mute for too long, or stuck in its handshake."""
        if self.state == IDLE:
            return False
        limit = self._silence_ns if self.state == ACTIVE else self._handshake_ns
        return now - self._heard_at > limit

    def heard(self, now: int) -> None:
        """Note that the line lives: a frame or a pong has come."""
        self._heard_at = now

    def closed(self, now: int) -> None:
        """Note that the connection is gone or was refused; the next try comes later each time."""
        if self.state == IDLE:
            return
        self.state = IDLE
        self._frames.clear()
        self._failures += 1
        self._connect_at = now + self._policy.delay_ns(self._failures, self._random)

    def take_frames(self) -> list[bytes]:
        """Return what to send, oldest first."""
        taken, self._frames = self._frames, []
        return taken

    def next_due(self) -> int:
        """Return when `wants_connection` or `wants_close` may become true, ns UTC."""
        if self.state == IDLE:
            return self._connect_at
        limit = self._silence_ns if self.state == ACTIVE else self._handshake_ns
        return self._heard_at + limit + 1

    def _send(self, frame: bytes) -> None:
        self._frames.append(frame)

    def _move_to(self, state: int, now: int) -> None:
        self.state = state
        self._heard_at = now
        if state == ACTIVE:
            self._failures = 0
