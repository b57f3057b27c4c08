"""Who runs which test next, whatever workers and boards do.

Pure bookkeeping of indices and names, so that every failure path can be tried by the thousand. What a free
board does next is decided by :mod:`harness.scheduling.choice`; the rest of the rules:

* A worker has one board or none, and gets only tests that fit. A board is in one test at a time.
* A worker holds one test, and a second one only while the first is brief, or so much is left that it makes no
  difference.
* A test of several boards runs at one of them; the workers of the others stand by until it is over.
* Tests that are kept together are handed out one after the other to the worker that began them. When others
  have to go on with them, it is after the test of them that was begun is over: never two at the same time.
* A worker for which nothing is left is told to shut down.
* What a crashed worker held goes back, except for the test that it was running.
* What the worker of a lost board held and had not begun is *revoked* and goes back, too: to boards that fit
  as well, or to wait for the board. What was sent cannot be taken back, so the worker passes over it.
* What a worker declines, since its board is not fit, goes to other boards, and never back to that one.
* A board that is there, has no worker and has tests is to be given a worker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic

from harness.scheduling.backlog import Backlog
from harness.scheduling.hands import Hand, WorkerT
from harness.scheduling.places import Places, Status
from harness.scheduling.serving import Serving
from harness.scheduling.vacancies import vacancies
from harness.scheduling.work import Orders

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from harness.scheduling.backlog import Need
    from harness.scheduling.hands import Sent
    from harness.scheduling.work import Work


class Dispatcher(Generic[WorkerT]):
    """Hands out the tests of one run."""

    def __init__(
        self,
        work: Sequence[Work],
        kinds: Mapping[str, str],
        revoke: Callable[[WorkerT, int], bool] = lambda _worker, _turn: False,
        *,
        restarts: bool = False,
    ) -> None:
        """Queue every test.

        :param work: the tests, by index.
        :param kinds: the kind of each board.
        :param revoke: keeps a worker from beginning the test that it was sent at a turn; tells whether it
            was in time.
        :param restarts: whether boards without a worker are given one (:meth:`boards_without_worker`).
        """
        self._backlog = Backlog(work, kinds)
        self._places = Places(self._backlog, kinds)
        self._serving: Serving[WorkerT] = Serving(self._backlog, self._places, len(work))
        self._crew = self._serving.crew
        self._records = self._serving.records
        self._revoke = revoke
        self._restarts = restarts
        self._again: dict[int, str | None] = {}
        self._joining: dict[str, None] = {}

    # -- looking ------------------------------------------------------------------------------------------

    @property
    def workers(self) -> tuple[WorkerT, ...]:
        """The living workers."""
        return tuple(self._crew.hands)

    @property
    def queued(self) -> frozenset[int]:
        """The tests that no worker holds and that did not run."""
        return self._records.queued

    @property
    def finished(self) -> frozenset[int]:
        """The tests that ran to their end, were running when their worker crashed, or were given up."""
        return self._records.finished

    def held_by(self, worker: WorkerT) -> tuple[int, ...]:
        """Return the tests that a worker runs or is to run next."""
        return tuple(sent.index for sent in self._crew.hands[worker].tests)

    def test_on(self, board: str) -> int | None:
        """Return the test that uses a board, or is about to; ``None`` when none does."""
        place = self._places.boards[board]
        gathering = self._serving.gatherings.get(place)
        begun = gathering is not None and gathering.begun
        hand = gathering.runner if gathering is not None and begun else self._crew.first(place)
        tests = () if hand is None else hand.tests
        return tests[0].index if tests else None

    @property
    def has_unfinished(self) -> bool:
        """Whether any test is queued or held."""
        return self._records.unfinished > 0

    @property
    def waiting(self) -> int:
        """How many tests wait for the return of a board, since too few that they fit are there."""
        return sum(
            len(self._backlog.tests_of(unit))
            for need in self._backlog.filled.values()
            if need.boards and not need.is_homeless and need.there < need.count
            for unit in self._backlog.units_of(need)
        )

    @property
    def only_last_tests_left(self) -> bool:
        """Whether every worker may be told to shut down now.

        That is when each holds one test at most, and nothing is queued that a worker could still be given.
        What no living worker fits waits for the replacement of one that crashed, and what fits boards that
        went away for their return.
        """
        if self._crew.deep or self._crew.bound or self._serving.pending:
            return False
        return self._serving.ended or not any(map(self._may_be_served, self._backlog.filled.values()))

    def _may_be_served(self, need: Need) -> bool:
        if need.boards is None:
            return self._crew.serving > 0 or not self._crew.hands or self._crew.expected > 0
        if need.is_homeless or need.is_hopeless:
            return False
        if need.awaited or need.expected or self._restarts:
            return True
        return need.there > 0 and (need.fitted == 0 or need.serving > 0)

    def may_run_elsewhere(self, index: int, board: str) -> bool:
        """Tell whether a test could be run again on other boards that are there.

        :param index: the test.
        :param board: where it is not to be run again.
        """
        need = self._backlog.need_of(index)
        if self._serving.ended or need.boards is None:
            return False
        there = [one for one in self._places.places_of(need) if one.is_there and one.board != board]
        served = self._restarts or any(one.expected or (one.workers and one.open) for one in there)
        return len(there) >= need.count and bool(served)

    # -- workers ------------------------------------------------------------------------------------------

    def add_worker(self, worker: WorkerT, board: str | None) -> None:
        """Let a worker take part.

        :param board: id of its board; ``None`` for a worker without one.
        """
        self.expect_no_longer(board)
        place = self._places.make_seat() if board is None else self._places.boards[board]
        self._crew.join(worker, place)
        self._places.balance.disturb()
        if board is not None:
            self._joining.pop(board, None)

    def expect(self, board: str | None) -> None:
        """A worker was started and is going to take part.

        :param board: id of its board; ``None`` for a worker without one.
        """
        self._crew.expect(None if board is None else self._places.boards[board])

    def expect_no_longer(self, board: str | None) -> None:
        """A worker that was perhaps expected takes part now, or will not do so."""
        self._crew.expect_no_longer(None if board is None else self._places.boards[board])

    def boards_without_worker(self) -> list[str]:
        """Return the boards for which a worker is to be started.

        A board that came, or came back, and has tests; and one of those that fit tests which nobody can run
        now. When all of these are awaited, one gets a worker before it is back: workers are slow to start.
        A board whose worker was told to end gets another when that has ended.
        """
        if self._serving.ended:
            return []
        unserved = not self._crew.serving and not self._crew.expected
        return vacancies(self._backlog, self._places, self._joining, unserved=unserved)

    def give_orders(self, now: float = 0.0) -> dict[WorkerT, Orders]:
        """Decide what each worker gets now; the caller tells those that are in the answer.

        :param now: the time in seconds, from any beginning.
        """
        return {
            hand.worker: Orders(tuple(assignments), shut_down)
            for hand, (assignments, shut_down) in self._serving.serve(now).items()
        }

    def stop(self, worker: WorkerT) -> None:
        """Give a worker nothing more: somebody else has told it to shut down."""
        hand = self._crew.hands[worker]
        if not hand.shut_down:
            self._crew.close(hand)
            self._let_go(hand)

    def complete(self, worker: WorkerT, index: int, *, declined: bool = False) -> None:
        """Note that a worker is done with what it was sent.

        It ran the test to its end, or passed over it since it was revoked, or stands by for it.

        :param declined: it did not, since its board is not fit.
        """
        hand = self._crew.hands[worker]
        sent = hand.report_back(index)
        self._crew.note(hand)
        self._crew.ready[hand] = None
        if sent.revoked:
            return
        if sent.stands_by is not None:
            self._stand_by(hand, sent, declined=declined)
            return
        if declined:
            self._decline(hand, sent)
        else:
            self._finish(index)
            self._serving.give_back_rest(hand)
        if not hand.live and not hand.members:
            self._serving.end_unit(hand)

    def _stand_by(self, hand: Hand[WorkerT], sent: Sent[WorkerT], *, declined: bool) -> None:
        gathering = sent.stands_by
        if gathering is None:
            return
        if declined:
            self._serving.release(gathering)
            if self._backlog.is_queued(gathering.unit):
                self._serving.narrow(gathering.unit, hand.place.board)
            return
        gathering.missing.discard(hand.place)
        if not gathering.missing and not gathering.over:
            self._crew.ready[gathering.runner] = None

    def _decline(self, hand: Hand[WorkerT], sent: Sent[WorkerT]) -> None:
        tests = [sent.index, *self._revoke_unbegun(hand, of=sent.unit)]
        self._serving.narrow(sent.index, hand.place.board)  # of a group: should it ever run again, alone
        if hand.unit == sent.unit:
            self._serving.leave_unit(hand, tests, declined=True)
        else:
            self._serving.give_back(sent.unit, tests, but=hand.place.board)

    def _revoke_unbegun(self, hand: Hand[WorkerT], *, of: int | None = None) -> list[int]:
        """Take back what a worker has not begun, and return the tests."""
        revoked = []
        for sent in reversed(hand.tests):
            if hand.shut_down and self._backlog.need_of(sent.unit).boards is None and not self._serving.ended:
                continue  # it is going to run that whatever becomes of its board, and nobody else is
            if of in {None, sent.unit} and self._revoke(hand.worker, sent.turn):
                hand.revoke(sent)
                revoked.append(sent)
        return [sent.index for sent in reversed(revoked)]

    def _finish(self, index: int) -> None:
        self._records.finish(index)
        if index in self._again:
            self.put_back(index, not_on=self._again.pop(index))

    def retire(self, worker: WorkerT) -> int | None:
        """Take out a worker that ended; what it held goes back.

        :return: the test that it was running, if it crashed in one; it is not run again.
        """
        hand = self._crew.hands[worker]
        held = hand.tests
        crashed = None
        if held and not self._revoke(worker, held[0].turn):
            crashed = held.pop(0).index
        hand.drop()
        self._crew.leave(hand)
        if crashed is not None:
            self._finish(crashed)
        self._let_go(hand, [(sent.unit, sent.index) for sent in held])
        self._serving.end_unit(hand)
        gathering = self._serving.gatherings.get(hand.place)
        following = self._crew.first(hand.place)
        if gathering is not None and (following is None or not following.live):
            gathering.missing.discard(hand.place)
            self._crew.look_at(gathering.places[0])
        return crashed

    def _let_go(self, hand: Hand[WorkerT], held: Collection[tuple[int, int]] = ()) -> None:
        """Queue what a worker is not going to run: the rest of its group, and what is gathered for it.

        :param held: unit and index of tests that it held.
        """
        for unit, index in held:
            if unit != hand.unit:
                self._serving.give_back(unit, [index])
        self._serving.leave_unit(hand, [index for unit, index in held if unit == hand.unit])
        gathering = self._serving.gatherings.get(hand.place)
        if gathering is not None and gathering.runner is hand and not gathering.begun:
            self._serving.release(gathering)

    def put_back(self, index: int, *, not_on: str | None = None) -> None:
        """Queue a test once more that ran already, or is about to end, for a plugin that runs it again.

        A test of a group comes alone: the group has gone on without it.

        :param not_on: a board on which it is not to be run from now on.
        """
        if self._records.is_finished(index):
            self._serving.give_back(index, [index], but=not_on)
        elif self._records.is_held(index):
            self._again[index] = not_on

    def end(self) -> None:
        """Hand out nothing more: what was not begun is not run."""
        self._serving.ended = True
        for gathering in tuple(self._serving.pending):
            self._serving.release(gathering)
        for hand in self._crew.hands.values():
            self._take_back(hand)
            self._crew.ready[hand] = None

    def _take_back(self, hand: Hand[WorkerT]) -> None:
        """Queue what a worker has not begun."""
        units = {sent.index: sent.unit for sent in hand.tests}
        revoked = self._revoke_unbegun(hand)
        self._let_go(hand, [(units[index], index) for index in revoked])
        if not hand.tests:
            self._serving.end_unit(hand)

    # -- boards that come and go --------------------------------------------------------------------------

    def lose_board(self, board: str) -> None:
        """A board went away: what its worker has not begun goes to others, or waits."""
        place = self._places.boards[board]
        place.status = Status.AWAITED
        place.count()
        gathering = self._serving.gatherings.get(place)
        if gathering is not None and not gathering.begun:
            self._serving.release(gathering)
        elif gathering is not None:
            self._take_back(gathering.runner)
        for hand in self._crew.at(place):
            self._take_back(hand)
        self._changed()

    def return_board(self, board: str) -> None:
        """A board came back: its worker goes on, or a new one is wanted."""
        self._set_status(board, Status.THERE)
        self._joining[board] = None

    def add_board(self, board: str, kind: str, fitting: Collection[int]) -> None:
        """A board came that nobody knew before.

        :param kind: its kind.
        :param fitting: the tests that fit it.
        """
        self._places.add_board(board, kind, fitting)
        self._joining[board] = None
        self._changed()

    def give_up_board(self, board: str) -> None:
        """Wait no longer for a board that went away; nothing happens when it is there."""
        if self._places.boards[board].status is Status.AWAITED:
            self._set_status(board, Status.GIVEN_UP)

    def _set_status(self, board: str, status: Status) -> None:
        place = self._places.boards[board]
        place.status = status
        place.count()
        self._crew.look_at(place)
        self._changed()

    def _changed(self) -> None:
        self._serving.narrowed = True
        self._places.balance.disturb()
        self._crew.wake()

    def take_hopeless(self) -> tuple[int, ...]:
        """Take out the tests that no board can run any more; the caller reports them."""
        if not self._serving.narrowed:
            return ()
        self._serving.narrowed = False
        return self._take_all([need for need in self._backlog.filled.values() if need.is_hopeless])

    def take_homeless(self) -> tuple[int, ...]:
        """Take out the tests that fit too few boards, when none can come any more; the caller reports it."""
        return self._take_all([need for need in self._backlog.filled.values() if need.is_homeless])

    def _take_all(self, needs: Collection[Need]) -> tuple[int, ...]:
        taken: list[int] = []
        for need in needs:
            for unit in self._backlog.units_of(need):
                taken += self._backlog.tests_of(unit)
                self._backlog.take(unit)
        for test in taken:
            self._records.finish(test)
        self._crew.wake()
        return tuple(sorted(taken))
