"""How what was decided is handed out: test by test, with all of a test's boards, and no test twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic

from harness.scheduling.choice import Choice
from harness.scheduling.crew import Crew
from harness.scheduling.gathering import Gathering
from harness.scheduling.hands import BRIEF, PLENTY, PREFETCH, Hand, WorkerT
from harness.scheduling.places import Place, Places, Status
from harness.scheduling.records import Records
from harness.scheduling.work import Assignment

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from harness.scheduling.backlog import Backlog
    from harness.scheduling.choice import Pick


class Serving(Generic[WorkerT]):
    """Hands out tests to those who are ready for them, and takes them back.

    :ivar crew: the workers.
    :ivar records: where each test is.
    :ivar gatherings: for which unit of several boards a board is reserved.
    :ivar pending: those of them of which no test was handed out yet.
    :ivar ended: nothing more is handed out.
    :ivar narrowed: whether tests may have come to fit fewer boards since somebody looked.
    """

    def __init__(self, backlog: Backlog, places: Places, number: int) -> None:
        """Hand out nothing yet.

        :param backlog: what is queued.
        :param places: where it can be run.
        :param number: how many tests there are.
        """
        self._backlog = backlog
        self._places = places
        self._choice = Choice(backlog, places)
        self.crew: Crew[WorkerT] = Crew()
        self.records = Records(number)
        self.gatherings: dict[Place, Gathering[Hand[WorkerT]]] = {}
        self.pending: set[Gathering[Hand[WorkerT]]] = set()
        self.ended = False
        self.narrowed = False
        self._given: dict[Hand[WorkerT], list[Assignment]] = {}
        self._now = 0.0

    # -- handing out --------------------------------------------------------------------------------------

    def serve(self, now: float) -> dict[Hand[WorkerT], tuple[list[Assignment], bool]]:
        """Decide about all who are ready.

        Everybody gets a first test before anybody gets a second: the last tests of a run are spread.

        :param now: the time.
        :return: what each is to be told, and whether nothing will follow.
        """
        self._now = now
        self._given = {}
        looked: dict[Hand[WorkerT], None] = {}
        ready = self.crew.ready
        while ready:
            hand = next(iter(ready))
            del ready[hand]
            looked[hand] = None
            self._serve(hand)
        ending = set()
        for hand in looked:
            self._give_second(hand)
        for hand in looked:
            if self._is_done(hand):
                self.crew.close(hand)
                ending.add(hand)
            elif not hand.live and not hand.shut_down:
                self.crew.parked[hand] = None
        told = {hand: (assignments, hand in ending) for hand, assignments in self._given.items()}
        for hand in ending:
            told.setdefault(hand, ([], True))
        return told

    def _serve(self, hand: Hand[WorkerT]) -> None:
        """Give a worker a first test."""
        place = hand.place
        if hand.live or hand.shut_down or self.crew.first(place) is not hand:
            return
        if place.status is Status.AWAITED:
            return
        gathering = self.gatherings.get(place) if self.gatherings else None
        if hand.members:
            self._send_next(hand)
        elif gathering is not None:
            self._advance(hand, gathering)
        elif not self.ended:
            self._places.balance.settle(self._now)
            single = self._choice.single(place)
            if place.is_there and (place.sort.multis or place.multis):
                found = self._choice.multi(place, single)
                if found is not None:
                    self._gather(hand, *found)
                    return
            if single is not None:
                self._give(hand, single)

    def _give_second(self, hand: Hand[WorkerT]) -> None:
        """Give a worker a second test, when its first is brief, or both are against what is left to do."""
        place = hand.place
        if hand.live != 1 or hand.shut_down or hand.leaves or place in self.gatherings:
            return
        if place.status is Status.AWAITED:
            return
        tests = hand.tests
        if not tests:
            return
        self._places.balance.settle(self._now)
        seconds = self._seconds(hand, tests[0].index)
        spare = place.sort.pool.level / PLENTY - seconds
        if seconds >= BRIEF and spare < 0:
            return
        if hand.members:
            if seconds < BRIEF or self._seconds(hand, hand.members[0]) <= spare:
                self._send_next(hand)
        elif not self.ended and not any(need.queued for need, _ in (*place.multis, *place.sort.multis)):
            single = self._choice.single(place)
            if single is not None and (seconds < BRIEF or single.seconds <= spare):
                self._give(hand, single)

    def _seconds(self, hand: Hand[WorkerT], unit: int) -> float:
        return self._backlog.estimates.column(hand.place.sort.kind)[unit]

    def _is_done(self, hand: Hand[WorkerT]) -> bool:
        """Tell whether nothing is left for a worker."""
        if hand.shut_down or hand.members or hand.live >= PREFETCH:
            return False
        place = hand.place
        if (place.status is Status.AWAITED or self.crew.leaving) and not self.ended:
            return False
        return place not in self.gatherings and (self.ended or not self._choice.has_work(place))

    def _give(self, hand: Hand[WorkerT], pick: Pick) -> None:
        self._take(pick, hand.place)
        hand.begin_unit(pick.unit, self._backlog.tests_of(pick.unit))
        place = hand.place
        place.occupy((self._now if place.until is None else place.until) + pick.seconds)
        self._send_next(hand)

    def _take(self, pick: Pick, place: Place) -> None:
        self._backlog.take(pick.unit)
        self._places.balance.note(pick.need, place.sort.pool, pick.seconds * pick.need.count)

    def _send_next(self, hand: Hand[WorkerT]) -> None:
        """Send a worker the next test of its unit."""
        test = hand.members.popleft()
        unit = test if hand.unit is None else hand.unit
        hand.take(test, unit)
        self.records.hold(test)
        gathering = hand.gathering
        assignment = Assignment(test) if gathering is None else gathering.assignment(test)
        self._given.setdefault(hand, []).append(assignment)
        self.crew.note(hand)

    # -- tests of several boards --------------------------------------------------------------------------

    def _gather(self, hand: Hand[WorkerT], pick: Pick, others: Sequence[Place]) -> None:
        """Reserve the boards of a unit."""
        self._take(pick, hand.place)
        gathering = Gathering(pick.unit, pick.need, hand, [hand.place, *others])
        self.pending.add(gathering)
        for place in gathering.places:
            self.gatherings[place] = gathering
        for place in others:
            partner = self.crew.first(place)
            if partner is None:
                gathering.missing.discard(place)
            elif not partner.live and not partner.members and not partner.shut_down:
                self._advance(partner, gathering)
        self._advance(hand, gathering)
        if not pick.need.queued:
            self.crew.wake()  # it may be that nothing is left for those who waited for it

    def _advance(self, hand: Hand[WorkerT], gathering: Gathering[Hand[WorkerT]]) -> None:
        """Go on with a unit of several boards, at one of them."""
        if gathering.begun:
            return
        if hand is gathering.runner and not gathering.missing:
            self.pending.discard(gathering)
            hand.begin_unit(gathering.unit, self._backlog.tests_of(gathering.unit))
            hand.gathering = gathering
            cursor = self._backlog.cursor(gathering.need, hand.place.sort.kind)
            gathering.begin(self._now + cursor.column[gathering.unit])
            self._send_next(hand)
        elif hand is gathering.runner:
            self._fill(hand, gathering)
        elif hand.place in gathering.missing and not self._fill(hand, gathering):
            test = self._backlog.tests_of(gathering.unit)[0]
            hand.take(test, gathering.unit, gathering)
            self._given.setdefault(hand, []).append(gathering.assignment(test, stands_by=True))

    def _fill(self, hand: Hand[WorkerT], gathering: Gathering[Hand[WorkerT]]) -> bool:
        """Let a board that waits for others do what is over before the last of them is free."""
        free_at = gathering.free_at
        if free_at is None or free_at - self._now < BRIEF:
            return False
        pick = self._choice.filler(hand.place, free_at - self._now)
        if pick is None:
            return False
        self._give(hand, pick)
        return True

    def release(self, gathering: Gathering[Hand[WorkerT]]) -> None:
        """Reserve the boards of a unit no longer; one that was not begun is queued again."""
        if gathering.over:
            return
        gathering.end()
        for place in gathering.places:
            del self.gatherings[place]
            self.crew.look_at(place)
        if gathering in self.pending:
            self.pending.discard(gathering)
            self.give_back(gathering.unit, self._backlog.tests_of(gathering.unit))

    # -- taking back --------------------------------------------------------------------------------------

    def end_unit(self, hand: Hand[WorkerT]) -> None:
        """A worker is done with its unit, or is not going to go on with it."""
        hand.begin_unit(None)
        self.crew.note(hand)
        gathering, hand.gathering = hand.gathering, None
        if gathering is not None:
            self.release(gathering)
        elif not any(one.live for one in self.crew.at(hand.place)):
            hand.place.vacate()

    def leave_unit(self, hand: Hand[WorkerT], tests: Sequence[int] = (), *, declined: bool = False) -> None:
        """A worker does not go on with its unit: what is left of it is for others.

        :param tests: what it was sent of it and did not run.
        :param declined: its board is not fit for it.
        """
        for test in tests:
            self.records.queue(test)
        hand.members.extendleft(reversed(tests))
        hand.leaves = bool(hand.members)
        hand.declined = hand.declined or declined
        self.crew.note(hand)
        self.give_back_rest(hand)

    def give_back_rest(self, hand: Hand[WorkerT]) -> None:
        """Queue what a worker leaves of its unit, as soon as it is in no test of it.

        Until then nobody else may have the rest of a group: its tests run one after the other, and the one
        that was begun may yet be declined, and comes before the others.
        """
        if hand.unit is not None and hand.leaves and (self.ended or not hand.is_in_unit):
            rest, but = tuple(hand.members), hand.place.board if hand.declined else None
            hand.begin_unit(hand.unit)
            self.crew.note(hand)
            self.give_back(hand.unit, rest, but=but)

    def give_back(self, unit: int, tests: Collection[int], *, but: str | None = None) -> None:
        """Queue tests of a unit that were not run.

        :param but: a board that is not to run them.
        """
        for test in tests:
            self.records.queue(test)
        self._backlog.put_back_tests(unit, tests)
        self.narrow(unit, but)
        self._places.balance.disturb()
        self.crew.wake()

    def narrow(self, unit: int, board: str | None) -> None:
        """Let a unit not be run on a board, from now on."""
        self.narrowed = True
        need = self._backlog.need_of(unit)
        queued = self._backlog.is_queued(unit)
        if board is not None and need.boards is not None and board in need.boards:
            if queued:
                self._backlog.take(unit)
            need = self._backlog.narrow(unit, need.boards - {board}, need.count)
            if queued:
                self._backlog.put_back(unit)
        if need.special and queued:
            self._places.add_special(need)
