"""The workers that take part, and those that are going to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic

from harness.scheduling.hands import PREFETCH, Hand, WorkerT

if TYPE_CHECKING:
    from harness.scheduling.places import Place


class Crew(Generic[WorkerT]):
    """Which worker is where.

    :ivar hands: what each living worker holds.
    :ivar ready: those for which something has to be decided.
    :ivar parked: those that wait with nothing to do.
    :ivar deep: those that hold as many tests as one may.
    :ivar bound: those that are to be sent the rest of a group, or leave it to others in a moment.
    :ivar leaving: the latter of them.
    :ivar serving: how many are given tests.
    :ivar expected: how many are expected to take part.
    """

    def __init__(self) -> None:
        """Have nobody."""
        self.hands: dict[WorkerT, Hand[WorkerT]] = {}
        self.ready: dict[Hand[WorkerT], None] = {}
        self.parked: dict[Hand[WorkerT], None] = {}
        self.deep: set[Hand[WorkerT]] = set()
        self.bound: set[Hand[WorkerT]] = set()
        self.leaving: set[Hand[WorkerT]] = set()
        self.serving = 0
        self.expected = 0
        self._seats_expected = 0
        self._at: dict[Place, list[Hand[WorkerT]]] = {}

    def at(self, place: Place) -> tuple[Hand[WorkerT], ...]:
        """Return the workers of a place; tests are given to the first, as long as it lives."""
        return tuple(self._at.get(place, ()))

    def first(self, place: Place) -> Hand[WorkerT] | None:
        """Return the worker of a place that may be given tests."""
        hands = self._at.get(place)
        return hands[0] if hands else None

    def join(self, worker: WorkerT, place: Place) -> None:
        """Let a worker take part."""
        hand = self.hands[worker] = Hand(worker, place)
        self._at.setdefault(place, []).append(hand)
        self.serving += 1
        self.ready[hand] = None
        self._count(place)

    def leave(self, hand: Hand[WorkerT]) -> None:
        """Take out a worker that ended."""
        del self.hands[hand.worker]
        self._at[hand.place].remove(hand)
        self.serving -= not hand.shut_down
        self.ready.pop(hand, None)
        self.parked.pop(hand, None)
        self.deep.discard(hand)
        self.bound.discard(hand)
        self.leaving.discard(hand)
        self._count(hand.place)
        following = self.first(hand.place)
        if following is not None:
            self.ready[following] = None

    def close(self, hand: Hand[WorkerT]) -> None:
        """Give a worker nothing more."""
        if not hand.shut_down:
            hand.shut_down = True
            self.serving -= 1
            self._count(hand.place)

    def note(self, hand: Hand[WorkerT]) -> None:
        """Bring the lists in line with what a worker holds now."""
        if hand.live >= PREFETCH:
            self.deep.add(hand)
        else:
            self.deep.discard(hand)
        if hand.members:
            self.bound.add(hand)
        else:
            self.bound.discard(hand)
        if hand.leaves:
            self.leaving.add(hand)
        else:
            self.leaving.discard(hand)

    def wake(self) -> None:
        """Look again at those that wait."""
        self.ready.update(self.parked)
        self.parked.clear()

    def look_at(self, place: Place) -> None:
        """Look again at the workers of a place."""
        for hand in self.at(place):
            self.ready[hand] = None

    def expect(self, place: Place | None) -> None:
        """A worker is going to take part.

        :param place: its board; ``None`` for a worker without one.
        """
        self.expected += 1
        if place is None:
            self._seats_expected += 1
        else:
            place.expected += 1
            self._count(place)

    def expect_no_longer(self, place: Place | None) -> None:
        """A worker that was perhaps expected takes part now, or will not do so."""
        if place is None:
            self.expected -= self._seats_expected > 0
            self._seats_expected -= self._seats_expected > 0
        elif place.expected:
            self.expected -= 1
            place.expected -= 1
            self._count(place)

    def _count(self, place: Place) -> None:
        first = self.first(place)
        place.workers = len(self._at.get(place, ()))
        place.open = first is not None and not first.shut_down
        place.count()
