"""Faults to order: what is broken on purpose, for whom, how often, and what came of it.

The list is that of the nrfcloud fact sheet, section 9. One request meets one fault at most, the oldest that
is meant for it; a fault that cannot harm an answer, for example one about commands where there are none,
waits for the next.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness_nordic.enums import FaultKind, FaultPlace
from harness_nordic.fake.clock import timestamp
from harness_nordic.fake.refusals import BadRequest, NotFound

if TYPE_CHECKING:
    from harness_nordic.fake.clock import Clock

MOST_EVENTS_KEPT = 1000
MOST_FAULTS = 1000
"""Faults that may be ordered at a time: nobody orders more by intention."""

KINDS = {
    FaultPlace.FETCH: frozenset(FaultKind),
    FaultPlace.REPORT: frozenset(FaultKind) - {FaultKind.INDEFINITE, FaultKind.TOO_MANY, FaultKind.OVERSIZE},
    FaultPlace.MANAGEMENT: frozenset(
        {
            FaultKind.STATUS,
            FaultKind.DELAY,
            FaultKind.TRUNCATED,
            FaultKind.GARBAGE,
            FaultKind.LOST_ANSWER,
        }
    ),
}
"""Which fault makes sense where."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """One fault that was ordered.

    :ivar device: UUID of the device that it is meant for; ``None``: every device of the team.
    :ivar owner: UUID of the team that it is meant for; ``None``: whose the device may be.
    :ivar orderer: UUID of the team whose test ordered it; empty if nobody said so.
    :ivar status: of the answer, where the kind has one; ``None`` closes the connection without an answer.
    :ivar seconds: of a delay.
    :ivar left: how often it will strike yet.
    :ivar struck: how often it did.
    :ivar removed: set when it is taken away, which also ends a delay.
    """

    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    place: FaultPlace
    kind: FaultKind
    device: str | None
    owner: str | None
    orderer: str
    status: int | None
    seconds: float
    left: int
    struck: int = 0
    removed: asyncio.Event = field(default_factory=asyncio.Event)

    def is_for(self, place: FaultPlace, device: str | None, owner: str | None) -> bool:
        """Tell whether a request may meet it."""
        return (
            self.left > 0
            and self.place is place
            and self.device in {None, device}
            and self.owner in {None, owner}
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "id": self.id,
            "on": self.place.value,
            "kind": self.kind.value,
            "device": self.device,
            "owner": self.owner,
            "status": self.status,
            "seconds": self.seconds,
            "left": self.left,
            "struck": self.struck,
        }


class Faults:
    """The faults that are ordered now, and the events that belong to no device."""

    def __init__(self, clock: Clock) -> None:
        """Begin without any."""
        self._clock = clock
        self._ordered: dict[str, Fault] = {}
        self._events: deque[dict[str, Any]] = deque(maxlen=MOST_EVENTS_KEPT)

    @property
    def any(self) -> bool:
        """Whether any is ordered."""
        return bool(self._ordered)

    def order(self, fault: Fault) -> None:
        """Let a fault wait for its requests.

        :raises BadRequest: it can strike nothing, would strike everybody, or there are too many.
        """
        if fault.kind not in KINDS[fault.place]:
            kinds = ", ".join(sorted(KINDS[fault.place]))
            raise BadRequest(f"kind: expected one of {kinds} on {fault.place.value}")
        if fault.device is None and fault.owner is None:
            raise BadRequest("device or owner: expected at least one; a fault for everybody harms strangers")
        if len(self._ordered) >= MOST_FAULTS:
            raise BadRequest(f"{MOST_FAULTS} faults are ordered, which is the most")
        self._ordered[fault.id] = fault

    def ordered(self) -> list[Fault]:
        """Return all that were ordered and not removed, also those that will strike no more."""
        return list(self._ordered.values())

    def remove(self, identifier: str) -> None:
        """Take a fault back.

        :raises NotFound: there is none of this id.
        """
        fault = self._ordered.pop(identifier, None)
        if fault is None:
            raise NotFound("there is no such fault")
        fault.removed.set()

    def remove_all_of(self, orderer: str) -> int:
        """Take back what a team's tests ordered, and return how many that were."""
        gone = [fault.id for fault in self._ordered.values() if fault.orderer == orderer]
        for identifier in gone:
            self.remove(identifier)
        return len(gone)

    def waiting(self, place: FaultPlace, *, device: str | None, owner: str | None) -> Fault | None:
        """Return the fault that a request meets, if any; whoever lets it strike says so by :meth:`strike`."""
        if not self._ordered:
            return None
        return next((fault for fault in self._ordered.values() if fault.is_for(place, device, owner)), None)

    def strike(self, fault: Fault, *, device: str | None, owner: str | None) -> None:
        """Count that a fault struck, and write it down."""
        fault.left -= 1
        fault.struck += 1
        self.note(
            "fault", fault=fault.id, on=fault.place.value, kind=fault.kind.value, device=device, owner=owner
        )

    def note(self, what: str, **details: Any) -> None:
        """Write an event down that belongs to no device."""
        self._events.append({"time": timestamp(self._clock.seconds()), "what": what, **details})

    def events(self) -> list[dict[str, Any]]:
        """Return the events, oldest first."""
        return list(self._events)
