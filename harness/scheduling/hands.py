"""What workers hold: the tests that they were sent and have not reported back."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.scheduling.gathering import Gathering
    from harness.scheduling.places import Place

WorkerT = TypeVar("WorkerT")
#: A worker gets a second test while its first one is expected to be over within so many seconds, ...
BRIEF = 0.1
#: ... or while what is left for its board takes so many times as long as both: it makes no difference then
#: which board does them, and the worker need not wait for the controller, which has reports to write.
#: Otherwise it gets its next test when it has ended the last one, for by then more is known.
PLENTY = 20
PREFETCH = 2


@dataclass(slots=True)
class Sent(Generic[WorkerT]):
    """A test that was sent to a worker.

    :ivar index: the test.
    :ivar unit: of which it is.
    :ivar turn: how many were sent to the worker before.
    :ivar stands_by: the boards for which the worker frees its own, if that is all that it does.
    :ivar revoked: the worker is going to pass over it.
    """

    index: int
    unit: int
    turn: int
    stands_by: Gathering[Hand[WorkerT]] | None = None
    revoked: bool = False


@dataclass(slots=True, eq=False)
class Hand(Generic[WorkerT]):
    """What one worker holds.

    :ivar worker: the worker, as the caller knows it.
    :ivar place: its board, or its place without one.
    :ivar sent: what it was sent and has not reported back.
    :ivar live: how many of these it is going to do something about.
    :ivar turns: how many it was ever sent.
    :ivar unit: what it runs.
    :ivar members: the tests of this unit that it was not sent yet, or that came back from it.
    :ivar leaves: it is sent none of these any more, they go back.
    :ivar declined: its board is not fit for this unit.
    :ivar gathering: the boards of this unit, if it takes several.
    :ivar shut_down: it was told that nothing follows.
    """

    worker: WorkerT
    place: Place
    sent: deque[Sent[WorkerT]] = field(default_factory=deque)
    live: int = 0
    turns: int = 0
    unit: int | None = None
    members: deque[int] = field(default_factory=deque)
    leaves: bool = False
    declined: bool = False
    gathering: Gathering[Hand[WorkerT]] | None = None
    shut_down: bool = False

    @property
    def tests(self) -> list[Sent[WorkerT]]:
        """The tests that it runs or is to run next."""
        return [sent for sent in self.sent if not sent.revoked and sent.stands_by is None]

    @property
    def is_in_unit(self) -> bool:
        """Whether it runs a test of its unit, or is to run one."""
        return any(sent.unit == self.unit for sent in self.tests)

    def begin_unit(self, unit: int | None, members: Iterable[int] = ()) -> None:
        """Go on with another unit.

        :param unit: which it is; ``None`` when there is none.
        :param members: its tests.
        """
        self.unit = unit
        self.members = deque(members)
        self.leaves = self.declined = False

    def take(self, index: int, unit: int, stands_by: Gathering[Hand[WorkerT]] | None = None) -> None:
        """Be sent a test."""
        self.sent.append(Sent(index, unit, self.turns, stands_by))
        self.turns += 1
        self.live += 1

    def report_back(self, index: int) -> Sent[WorkerT]:
        """Be done with the first of those that it was sent of a test.

        :raises LookupError: it was sent none.
        """
        for sent in self.sent:
            if sent.index == index:
                self.sent.remove(sent)
                self.live -= not sent.revoked
                return sent
        raise LookupError(f"{self.worker} was not sent test {index}")

    def drop(self) -> None:
        """Do nothing any more about what it was sent: the worker is gone."""
        self.sent.clear()
        self.live = 0

    def revoke(self, sent: Sent[WorkerT]) -> None:
        """Pass over a test."""
        sent.revoked = True
        self.live -= 1
