"""Running tests on boards: in a worker of xdist, or in the one process that does everything."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, NoReturn

import pytest

from harness.backends.ledger import LedgerAccounts
from harness.errors import HarnessError, RigFault, UsageError
from harness.inventory.device_nodes import nodes_of
from harness.inventory.leased_board import LeasedBoard
from harness.inventory.vouching import Vouchers
from harness.pytest_plugin.deadline import Deadline
from harness.pytest_plugin.handover import write_needs, write_usage_error
from harness.pytest_plugin.markers import BOARD, read_board_marks
from harness.pytest_plugin.placement import (
    BOARD_FIXTURE,
    PLACEMENT_KEY,
    Offer,
    Placement,
    apply_placement,
    fixture_names,
    place,
)
from harness.pytest_plugin.state import (
    BOARD_KEY,
    CONSOLE_MARKS_KEY,
    EXCHANGES_KEY,
    FAILED_KEY,
    KEPT_KEY,
    MAIN_WORKER,
)
from harness.recovery import accounts_of_board, is_of_board, left_by_the_dead, undo_on_board
from harness.scheduling.needs import BoardNeed

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from harness.backends.ledger import Entry
    from harness.console import Console
    from harness.inventory.board import Board
    from harness.pytest_plugin.absence import Absences
    from harness.pytest_plugin.conftests import ConftestHooks
    from harness.pytest_plugin.state import ActiveSession

_NODES_KEY = pytest.StashKey[tuple[tuple[int, int, int] | None, ...]]()
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
        self._captures = session.directory / "captures" / session.worker_id
        self._captures.mkdir(mode=0o700, exist_ok=True)
        self._place = place
        self._on_console = on_console
        self._absences = absences
        self._boards: dict[str, LeasedBoard] = {}
        self._to_recover: set[str] = set()
        self._left: dict[str, list[Entry]] = {}
        self._kept: dict[str, str] = {}
        self._lent: set[str] = set()
        self.current: pytest.Item | None = None
        self._resources = ExitStack()
        for board in session.own_boards:
            self.add_board(board, recovers=recovers)

    def add_board(self, board: Board, *, recovers: bool = False) -> None:
        """Hold one more board; nothing is opened yet.

        :param recovers: whether a worker that died left it in an unknown state.
        """
        leased = self._boards[board.id] = LeasedBoard(
            board,
            self._session.plugins,
            capture_directory=self._captures,
            on_console=self._on_console,
            settings=self._session.settings.for_boards,
            register_secret=self._session.redactor.add,
            accounts=self._accounts_of(board, self._place),
            on_found=Vouchers(self._session.directory).write,
        )
        if recovers:
            self._to_recover.add(board.id)
        self._left[board.id] = self._left_on(board, self._place if recovers else None)
        self._session.plugins.hook.harness_board_leased(board=leased)
        self._resources.callback(leased.close)
        self._resources.callback(self._session.plugins.hook.harness_board_released, board=leased)

    @property
    def _own(self) -> list[Board]:
        """What is known now of the boards of this process."""
        return [leased.description for leased in self._boards.values()]

    def leased(self, board_id: str) -> LeasedBoard | None:
        """Return a board as this process uses it; ``None`` of another's."""
        return self._boards.get(board_id)

    def _accounts_of(self, board: Board, place: str) -> LedgerAccounts | None:
        session = self._session
        if session.ledger is None:
            return None
        return accounts_of_board(
            session.ledger, board, session=session.run_id, worker=place, directory=session.directory
        )

    def _left_on(self, board: Board, predecessor: str | None) -> list[Entry]:
        """Return what dead sessions, and the worker that this one replaces, noted of a board."""
        ledger = self._session.ledger
        if ledger is None:
            return []
        left = left_by_the_dead(ledger, subject=board.id)
        if predecessor is not None:
            left += ledger.entries(subject=board.id, session=self._session.run_id, worker=predecessor)
        return [entry for entry in left if is_of_board(entry, board)]

    def recover_boards(self) -> None:
        """Put back what the worker that this one replaces changed; what fails is tried again at first use."""
        for board_id in list(self._to_recover):
            if self._is_away(board_id):
                continue
            with suppress(HarnessError):
                self._recover(self._boards[board_id])

    def close(self) -> None:
        """Close every board; idempotent."""
        self._resources.close()

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
        except UsageError as found:
            if self._session.worker_id == MAIN_WORKER:
                raise pytest.UsageError(str(found)) from found
            write_usage_error(self._session.directory, self._session.worker_id, str(found))
            self._conftests.usage_error = found

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Tell the scheduler what the tests need, before xdist tells it that we have collected."""
        if self._session.worker_id != MAIN_WORKER and self._conftests.usage_error is None:
            needs = [
                placement.need if placement.skip is None and placement.fail is None else None
                for placement in (item.stash[PLACEMENT_KEY] for item in session.items)
            ]
            write_needs(self._session.directory, self._session.worker_id, needs)

    # -- running ------------------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Begin the accounts of a test, and choose its board before any of its fixtures is made."""
        item.stash[EXCHANGES_KEY] = []
        item.stash[CONSOLE_MARKS_KEY] = {}
        item.stash[FAILED_KEY] = False
        item.stash[_DEADLINE_KEY] = Deadline(self._seconds)
        placement = item.stash[PLACEMENT_KEY]
        if placement.need is not None and placement.skip is None and placement.fail is None:
            self._choose(item, placement)
        self.current = item
        try:
            return (yield)
        finally:
            self.current = None

    def _choose(self, item: pytest.Item, placement: Placement) -> LeasedBoard | None:
        """Note which board a test gets; ``None`` when every one that fits is kept for somebody to look at."""
        need = placement.need or BoardNeed()
        there = need.fitting(self._own)
        free = [board for board in there if board.id not in self._kept]
        free.sort(key=lambda board: self._is_away(board.id))
        if not free:
            return None
        leased = self._boards[free[0].id]
        item.stash[BOARD_KEY] = leased
        if leased.doubted:
            leased.close()  # it is asked who it is when it is opened anew
        item.stash[_NODES_KEY] = nodes_of(leased.description) if self._absences is not None else ()
        marks = item.stash[CONSOLE_MARKS_KEY]
        for role, console in leased.open_consoles.items():
            with suppress(RigFault):  # the board is gone; the test will hear of it when it uses the board
                marks[role] = console.position
        return leased

    def lend(self, item: pytest.Item) -> Iterator[LeasedBoard]:
        """Lend a test its board and put back afterwards what the test changed on it.

        :param item: the test.
        :raises RigFault: the scheduler sent the test where no board fits.
        """
        leased = item.stash.get(BOARD_KEY, None) or self._choose(item, self._placement_of(item))
        if leased is None:
            self._explain_no_board(item)
        if leased.id not in self._lent:
            self._lent.add(leased.id)
            _end_faults(leased)  # those that a dead session or worker left on a bench that lives longer
        self._recover(leased)
        yield leased
        if self._is_away(leased.id) or (leased.lost is not None and self._absences is not None):
            self._note_lost(leased)
            return
        if self.keeps(item):
            self._kept[leased.id] = item.nodeid
            if isinstance(leased.accounts, LedgerAccounts):
                leased.accounts.keep()
            return
        _end_faults(leased)
        driver = leased.made_driver
        if hasattr(driver, "restore"):
            driver.restore()

    def _is_away(self, board_id: str) -> bool:
        return self._absences is not None and self._absences.reason(board_id) is not None

    def _note_lost(self, leased: LeasedBoard) -> None:
        """Leave a board that is away as it is; what a test changed is put back when it is used again."""
        if self._session.worker_id != MAIN_WORKER:  # there the controller tells, in the same process
            self._session.plugins.hook.harness_board_lost(board=leased)
        leased.close()
        self._to_recover.add(leased.id)
        if self._session.ledger is not None:
            own = self._session.ledger.entries(
                subject=leased.id, session=self._session.run_id, worker=self._place
            )
            self._left[leased.id] = [entry for entry in own if is_of_board(entry, leased.description)]

    def _placement_of(self, item: pytest.Item) -> Placement:
        """Place a test that asks for its board by ``request.getfixturevalue`` only."""
        placement = item.stash[PLACEMENT_KEY]
        if placement.need is not None:
            return placement
        need = read_board_marks(item.iter_markers(BOARD), item.nodeid).need
        return Placement(need=need, boards=need.fitting(self._own))

    def _explain_no_board(self, item: pytest.Item) -> NoReturn:
        need = self._placement_of(item).need or BoardNeed()
        fitting: tuple[Board, ...] = need.fitting(self._own)
        if fitting:
            kept = "; ".join(f"{board.id} as {self._kept[board.id]} left it" for board in fitting)
            pytest.skip(f"every board that fits is kept (--keep): {kept}")
        if BOARD_FIXTURE not in fixture_names(item):
            pytest.fail(
                f"{need.unmet(self._own)}; name 'board' among the test's arguments, so that it"
                " is sent where a board fits",
                pytrace=False,
            )
        raise RigFault(f"worker {self._session.worker_id} has no fitting board: {need}")

    def _recover(self, leased: LeasedBoard) -> None:
        """Put back what a session that died, or a worker of ours that died, changed on this board.

        :raises RigFault: it cannot be put back.
        """
        if self._left.get(leased.id):
            assert self._session.ledger is not None  # noqa: S101 - that is where it comes from; tells mypy so
            outcomes = undo_on_board(
                self._session.ledger, self._left[leased.id], leased, by=self._session.run_id
            )
            failed = [outcome for outcome in outcomes if not outcome.done]
            self._left[leased.id] = [outcome.entry for outcome in failed]
            if failed:
                raise RigFault(f"board {leased.id} is not as it should be: {failed[0]}")
        elif leased.id in self._to_recover:
            restore = getattr(leased.driver, "restore", None)
            if restore is not None:
                restore()
        self._to_recover.discard(leased.id)

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
            leased = item.stash.get(BOARD_KEY, None)
            if leased is not None and self._absences is not None:
                began_with = item.stash[_NODES_KEY]
                self._absences.wait_for(leased, self._session.plugins, began_with=began_with)
            return outcome

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> Iterator[None]:
        """Watch a deadline of its own: a test that used up its time is cleaned up after all the same."""
        with Deadline(self._seconds).over("tear-down"):
            return (yield)


def _end_faults(leased: LeasedBoard) -> None:
    """End what a test broke on purpose: a virtual board's faults, also when the test failed half-way."""
    if leased.description.virtual:
        leased.virtual.clear_faults()


RUNNER_KEY = pytest.StashKey[TestRunner]()
"""On ``config``: the runner of this process; missing in a controller of xdist and in an idle session."""
