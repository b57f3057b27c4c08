"""What befalls the datagrams between a board and its service: some are lost, some come twice.

A lost or doubled datagram is nobody's error: CoAP has to get along with it (RFC 7252, sections 4.2 and 4.5).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

LOSE, DOUBLE = "lose", "double"
#: What may befall a datagram.
BEFALLS = (DOUBLE, LOSE)
SENT, RECEIVED = "sent", "received"
#: Which way it travels, as the board sees it.
WAYS = (RECEIVED, SENT)


@dataclass(slots=True, kw_only=True)
class DatagramFault:
    """What befalls the next datagrams of requests that begin with a text.

    :ivar request: method and path: ``POST p/rsp``.
    :ivar how: one of :data:`BEFALLS`.
    :ivar way: one of :data:`WAYS`.
    :ivar times: how many datagrams it still befalls.
    """

    request: str
    how: str
    way: str
    times: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        :raises ValueError: it cannot.
        """
        if self.how not in BEFALLS:
            raise ValueError(f"how is {self.how!r}; expected one of {', '.join(map(repr, BEFALLS))}")
        if self.way not in WAYS:
            raise ValueError(f"way is {self.way!r}; expected one of {', '.join(map(repr, WAYS))}")
        if isinstance(self.times, bool) or not isinstance(self.times, int) or self.times < 1:
            raise ValueError(f"times is {self.times!r}; expected a count from 1")


class DatagramFaults:
    """The faults that are ordered; asked from the agent's thread, ordered on the loop's."""

    def __init__(self) -> None:
        """Begin without any."""
        self._lock = threading.Lock()
        self._ordered: list[DatagramFault] = []

    def order(self, fault: DatagramFault) -> None:
        """Let a fault wait for its datagrams."""
        with self._lock:
            self._ordered.append(fault)

    def clear(self) -> None:
        """End all."""
        with self._lock:
            self._ordered.clear()

    def copies(self, request: str, way: str) -> int:
        """Return how often a datagram arrives that is sent once: 0, 1 or 2 times.

        :param request: method and path of the request that it belongs to.
        """
        with self._lock:
            for fault in self._ordered:
                if fault.way == way and request.startswith(fault.request):
                    fault.times -= 1
                    if fault.times == 0:
                        self._ordered.remove(fault)
                    return 0 if fault.how == LOSE else 2
        return 1
