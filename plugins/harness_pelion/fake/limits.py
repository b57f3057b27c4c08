"""How long the two servers wait for what, and how many devices they bear."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of a server; times are in seconds.

    :ivar handshake_seconds: a handshake may take so long.
    :ivar record_seconds: a record that has begun must be complete by then, and what we send be read.
    :ivar linger_seconds: an alert is lost when the connection is closed before it is read: so long we wait.
    :ivar idle_seconds: a connection on which nothing is said for so long is closed, unless its server has a
        reason to keep it.
    :ivar answer_seconds: a device must have answered a question by then.
    :ivar hold_seconds: the longest that a fault holds a connection.
    :ivar nonsense: messages on one connection that cannot be read; then it is closed.
    :ivar connections: that may be open at a time; one more is closed at once.
    """

    handshake_seconds: float = 10.0
    record_seconds: float = 10.0
    linger_seconds: float = 1.0
    idle_seconds: float = 30.0
    answer_seconds: float = 20.0
    hold_seconds: float = 120.0
    nonsense: int = 32
    connections: int = 512


DEFAULT_LIMITS = Limits()
