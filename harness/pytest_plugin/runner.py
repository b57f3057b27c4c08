"""Running tests on boards: in a worker of xdist, or in the one process that does everything."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, NoReturn

import pytest

from harness.errors import RigFault, UsageError
from harness.inventory.device_nodes import nodes_of
from harness.pytest_plugin.deadline import Deadline
from harness.pytest_plugin.grouping import put_together, refuse_groups_apart
from harness.pytest_plugin.handover import write_needs, write_usage_error
from harness.pytest_plugin.lending import Lending
from harness.pytest_plugin.markers import BOARD, read_board_marks
from harness.pytest_plugin.placement import (
    BOARD_FIXTURE,
    BOARDS_FIXTURE,
    PLACEMENT_KEY,
    Offer,
    Placement,
    apply_placement,
    place,
)
from harness.pytest_plugin.state import (
    BOARDS_KEY,
    CONSOLE_MARKS_KEY,
    EXCHANGES_KEY,
    FAILED_KEY,
    KEPT_KEY,
    MAIN_WORKER,
    boards_used,
)
from harness.scheduling.needs import BoardNeed

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from harness.console import Console
    from harness.inventory.board import Board
    from harness.inventory.device_nodes import DeviceNodes
    from harness.inventory.leased_board import LeasedBoard
    from harness.pytest_plugin.absence import Absences
    from harness.pytest_plugin.conftests import ConftestHooks
    from harness.pytest_plugin.state import ActiveSession

_NODES_KEY = pytest.StashKey[dict[str, "DeviceNodes"]]()
_DEADLINE_KEY = pytest.StashKey[Deadline]()


class TestRunner:
    """Places the collected tests, lends them boards and watches their deadlines.

    :ivar current: the test that is running.
    """

    __test__ = False

    def __init__(
        self,
        session: ActiveSession,
        conftests: ConftestHooks,
        *,
        known_backends: frozenset[str],
        place: str,
        recovers: bool = False,
        watches_deadlines: bool = True,
        on_console: Callable[[LeasedBoard, str, Console], None] | None = None,
        absences: Absences | None = None,
    ) -> None:
        """Hold the boards of this process; nothing is opened yet.

        :param session: the session as this process sees it.
        :param conftests: watches the conftests that come while tests are collected.
        :param known_backends: names of all services that could be asked for.
        :param place: name of this process in the ledger; a replacement has that of the worker it replaces.
        :param recovers: whether a worker that died left our board in an unknown state.
        :param watches_deadlines: whether tests are interrupted; not while somebody debugs them.
        :param on_console: called with each console that is opened.
        :param absences: which boards are away, when boards may come and go.
        """
        self._session = session
        self._conftests = conftests
        self._seconds = session.settings.test_deadline if watches_deadlines else 0.0
        self._offer = Offer(
            boards=session.boards,
            backends=session.backends,
            known_backends=known_backends,
            strict_boards=session.settings.strict_boards,
            late_boards=session.settings.late_boards,
            dry_run=session.settings.dry_run,
        )
        self._lending = Lending(
            session, place=place, recovers=recovers, on_console=on_console, absences=absences
        )
        self._absences = absences
        self._assigned: tuple[pytest.Item, tuple[str, ...]] | None = None
        self.current: pytest.Item | None = None

    def add_board(self, board: Board) -> None:
        """Hold one more board; nothing is opened yet."""
        self._lending.add(board)

    def leased(self, board_id: str) -> LeasedBoard | None:
        """Return a board as this process uses it; ``None`` of another's."""
        return self._lending.get(board_id)

    def recover_boards(self) -> None:
        """Put back what the worker that this one replaces changed; what fails is tried again at first use."""
        self._lending.recover()

    def is_away(self, board_id: str) -> bool:
        """Tell whether a board is away now."""
        return self._lending.is_away(board_id)

    def clear_faults(self, leased: LeasedBoard) -> None:
        """End what a dead session or worker broke on purpose; once for each board."""
        self._lending.clear_faults(leased)

    def doubt(self, leased: LeasedBoard) -> str | None:
        """Say why a board that others used since we did may not be well; ``None`` when nothing says so."""
        return self._lending.doubt(leased)

    def leave(self, leased: LeasedBoard) -> None:
        """Close a board as it is; what a test changed on it is put back when it is used again."""
        self._lending.leave(leased)

    def close(self) -> None:
        """Close every board; idempotent."""
        self._lending.close()

    # -- tests of several boards --------------------------------------------------------------------------

    def stand_by(self) -> None:
        """Close the boards of this process: a test that another one runs uses them next."""
        self._lending.lay_down()

    def assign(self, item: pytest.Item, boards: Sequence[str]) -> None:
        """Say which boards a test takes that is about to be run; those of other workers stand by.

        :param item: the test.
        :param boards: their ids.
        """
        self._lending.borrow(boards, item.nodeid)
        self._assigned = (item, tuple(boards))

    def withdraw(self) -> None:
        """Forget what was assigned, since the test is not run here or is over; boards go back."""
        self._assigned = None
        self._lending.give_back()

    def boards_for(self, item: pytest.Item) -> tuple[LeasedBoard, ...]:
        """Return those boards of this process that a test would use now, in identity order.

        A worker that only frees its board for a test has one of several; and none may be there, for example
        when every one that fits is kept for somebody to look at.
        """
        placement = item.stash[PLACEMENT_KEY]
        return () if placement.requirement.need is None else self._find_boards(item, placement)

    def _find_boards(self, item: pytest.Item, placement: Placement) -> tuple[LeasedBoard, ...]:
        lending = self._lending
        if self._assigned is not None and self._assigned[0] is item:
            ids: Sequence[str] = self._assigned[1]
        else:
            need = placement.need or BoardNeed()
            ids = [board.id for board in need.fitting(lending.own)]
        free = sorted((board_id for board_id in ids if board_id not in lending.kept), key=lending.is_away)
        found = map(lending.get, sorted(free[: placement.count]))
        return tuple(leased for leased in found if leased is not None)

    # -- collecting ---------------------------------------------------------------------------------------

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run a test on every board, or on one of every kind, where its marker says ``each=``."""
        if BOARD_FIXTURE not in metafunc.fixturenames:
            return
        with suppress(UsageError):  # raised again, and shown, when all tests are collected
            mark = read_board_marks(metafunc.definition.iter_markers(BOARD), metafunc.definition.nodeid)
            parameters = mark.parameters(self._session.boards) if mark.each else []
            if parameters:  # without any the test is skipped, or fails, with the reason
                ids = [each.board_id or each.kind for each in parameters]
                metafunc.parametrize(BOARD_FIXTURE, parameters, ids=ids, indirect=True)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Place each test.

        :raises pytest.UsageError: a marker or a conftest is wrong.
        """
        error = self._conftests.usage_error
        try:
            if error is not None:
                raise error
            for item in items:
                apply_placement(item, place(item, self._offer))
            self._keep_together(items)
        except UsageError as found:
            if self._session.worker_id == MAIN_WORKER:
                raise pytest.UsageError(str(found)) from found
            write_usage_error(self._session.directory, self._session.worker_id, str(found))
            self._conftests.usage_error = found

    def _keep_together(self, items: list[pytest.Item]) -> None:
        requirements = [(item.nodeid, item.stash[PLACEMENT_KEY].requirement) for item in items]
        refuse_groups_apart(requirements, self._offer.boards, late_boards=self._offer.late_boards)
        put_together(items, [requirement.group for _, requirement in requirements])

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Tell the scheduler what the tests need, before xdist tells it that we have collected."""
        if self._session.worker_id != MAIN_WORKER and self._conftests.usage_error is None:
            needs = [item.stash[PLACEMENT_KEY].requirement for item in session.items]
            write_needs(self._session.directory, self._session.worker_id, needs)

    # -- running ------------------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Begin the accounts of a test, and choose its board before any of its fixtures is made."""
        item.stash[EXCHANGES_KEY] = []
        item.stash[CONSOLE_MARKS_KEY] = {}
        item.stash[FAILED_KEY] = False
        if BOARDS_KEY in item.stash:  # of another try, on other boards
            del item.stash[BOARDS_KEY]
        item.stash[_DEADLINE_KEY] = Deadline(self._seconds)
        placement = item.stash[PLACEMENT_KEY]
        if placement.requirement.need is not None:
            self._choose(item, placement)
        self.current = item
        try:
            return (yield)
        finally:
            self.current = None
            if item.stash[FAILED_KEY]:
                self._lending.note_failure(item.nodeid)
            self.withdraw()

    def _choose(self, item: pytest.Item, placement: Placement) -> bool:
        """Note which boards a test gets; tell whether there are enough of them."""
        boards = self._find_boards(item, placement)
        if len(boards) < placement.count:
            return False
        item.stash[BOARDS_KEY] = boards
        for leased in boards:
            item.stash[CONSOLE_MARKS_KEY][leased.id] = self._lending.begin(leased)
        item.stash[_NODES_KEY] = (
            {leased.id: nodes_of(leased.description) for leased in boards} if self._absences else {}
        )
        return True

    @contextmanager
    def lend(self, item: pytest.Item) -> Iterator[tuple[LeasedBoard, ...]]:
        """Lend a test its boards and put back afterwards what the test changed on them.

        :param item: the test.
        :raises RigFault: the scheduler sent the test where no board fits; or a board cannot be put back.
        """
        if BOARDS_KEY not in item.stash and not self._choose(item, self._placement_of(item)):
            self._explain_no_board(item)
        with ExitStack() as lent:
            for leased in boards_used(item):
                lent.enter_context(self._lending.lent(leased, item.nodeid, keep=lambda: self.keeps(item)))
            yield boards_used(item)

    def _placement_of(self, item: pytest.Item) -> Placement:
        """Place a test that asks for its board by ``request.getfixturevalue`` only."""
        placement = item.stash[PLACEMENT_KEY]
        if placement.need is not None:
            return placement
        mark = read_board_marks(item.iter_markers(BOARD), item.nodeid)
        return Placement(need=mark.need, count=mark.count or 1)

    def _explain_no_board(self, item: pytest.Item) -> NoReturn:
        placement = self._placement_of(item)
        need = placement.need or BoardNeed()
        own = self._lending.own
        kept = [board.id for board in need.fitting(own) if board.id in self._lending.kept]
        if self._assigned is not None:
            kept = [board_id for board_id in self._assigned[1] if board_id in self._lending.kept]
        if kept:
            how = "; ".join(f"{board_id} as {self._lending.kept[board_id]} left it" for board_id in kept)
            which = "every board that fits" if placement.count == 1 else "a board that would be needed"
            pytest.skip(f"{which} is kept (--keep): {how}")
        if item.stash[PLACEMENT_KEY].need is None:
            name = BOARD_FIXTURE if placement.count == 1 else BOARDS_FIXTURE
            pytest.fail(
                f"{need.unmet(own, placement.count)}; name {name!r} among the test's arguments, so that it"
                " is sent where a board fits",
                pytrace=False,
            )
        raise RigFault(f"worker {self._session.worker_id} has no fitting board: {need}")

    def keeps(self, item: pytest.Item) -> bool:
        """Tell whether board and service are to stay as a failed test left them."""
        item.stash[KEPT_KEY] = self._session.settings.keep and item.stash[FAILED_KEY]
        return item.stash[KEPT_KEY]

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note a failure before the test's fixtures are torn down."""
        report = yield
        if report.failed:
            item.stash[FAILED_KEY] = True
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Iterator[None]:
        """Watch the deadline."""
        with item.stash[_DEADLINE_KEY].over("set-up"):
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Watch the deadline; a test whose board is gone at its end has failed, whatever it looked at."""
        with item.stash[_DEADLINE_KEY].over("call"):
            outcome = yield
            if self._absences is not None:
                for leased in boards_used(item):
                    began_with = item.stash[_NODES_KEY][leased.id]
                    self._absences.wait_for(leased, self._session.plugins, began_with=began_with)
            return outcome

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> Iterator[None]:
        """Watch a deadline of its own: a test that used up its time is cleaned up after all the same."""
        with Deadline(self._seconds).over("tear-down"):
            return (yield)


RUNNER_KEY = pytest.StashKey[TestRunner]()
"""On ``config``: the runner of this process; missing in a controller of xdist and in an idle session."""
