"""What both streams share: when to connect, when silence means a dead line, what to send."""

from __future__ import annotations

from random import Random

from pyrt.adapters.alpaca.core.pacing import RECONNECT, SECOND, RetryPolicy

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
        A step of the handshake that takes longer is broken off, however alive the line is: pongs
        come on a connection that was refused, too.
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
        self._stepped_at = 0
        self._is_refused = False
        self.active_since = 0
        """When the handshake was last through, ns UTC."""
        self.state = IDLE
        self.headers: dict[str, str] = {}
        """Sent with the upgrade, besides what every upgrade has."""
        self.is_packed = False
        """Whether what is sent are binary frames of MessagePack; else they are text."""

    @property
    def is_active(self) -> bool:
        """Whether the handshake is through, and the line of use."""
        return self.state == ACTIVE and not self._is_refused

    def wants_connection(self, now: int) -> bool:
        """Return whether the shell should connect now; it is then taken to be doing so."""
        if self.state != IDLE or now < self._connect_at:
            return False
        self._move_to(CONNECTING, now)
        return True

    def wants_close(self, now: int) -> bool:
        """Return whether the line is of no use: mute, refused, or stuck in its handshake."""
        return self.state != IDLE and (self._is_refused or now > self._patience_ends())

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
        return 0 if self._is_refused else self._patience_ends() + 1

    def _patience_ends(self) -> int:
        if self.state == ACTIVE:
            return self._heard_at + self._silence_ns
        return self._stepped_at + self._handshake_ns

    def _refused(self) -> None:
        """Note that the other side will not serve this connection: the next may fare better."""
        self._is_refused = True

    def _send(self, frame: bytes) -> None:
        self._frames.append(frame)

    def _move_to(self, state: int, now: int) -> None:
        self.state = state
        self._heard_at = self._stepped_at = now
        self._is_refused = False
        if state == ACTIVE:
            self._failures = 0
            self.active_since = now
