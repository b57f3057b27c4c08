"""The boards of a process that runs tests: held, lent to one test at a time, and put back after it.

A process holds its own boards from its beginning to its end. For a test that takes several it borrows boards
of other workers, which have laid them down, and gives them back when the test is over.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from harness.backends.ledger import LedgerAccounts
from harness.console.capture import captured_size
from harness.errors import HarnessError, RigFault
from harness.inventory.leased_board import LeasedBoard
from harness.inventory.locks import close_lock
from harness.inventory.vouching import Vouchers
from harness.pytest_plugin.shared_boards import SharedBoards
from harness.pytest_plugin.state import MAIN_WORKER
from harness.recovery import accounts_of_board, is_of_board, left_by_the_dead, undo_on_board

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.backends.ledger import Entry
    from harness.console import Console
    from harness.inventory.board import Board
    from harness.pytest_plugin.absence import Absences
    from harness.pytest_plugin.state import ActiveSession

_SECONDS_TO_LET_GO = 10.0


class Lending:
    """Holds boards, borrows boards, and lends them to tests.

    :ivar kept: boards that stay as a failed test left them, by id, and the test.
    """

    def __init__(
        self,
        session: ActiveSession,
        *,
        place: str,
        recovers: bool = False,
        on_console: Callable[[LeasedBoard, str, Console], None] | None = None,
        absences: Absences | None = None,
    ) -> None:
        """Hold the boards of this process; nothing is opened yet.

        :param session: the session as this process sees it.
        :param place: name of this process in the ledger; a replacement has that of the worker it replaces.
        :param recovers: whether a worker that died left our board in an unknown state.
        :param on_console: called with each console that is opened.
        :param absences: which boards are away, when boards may come and go.
        """
        self._session = session
        self._captures = session.directory / "captures" / session.worker_id
        self._captures.mkdir(mode=0o700, exist_ok=True)
        self._place = place
        self._on_console = on_console
        self._absences = absences
        self._shared = None if session.worker_id == MAIN_WORKER else SharedBoards(session.directory)
        self._boards: dict[str, LeasedBoard] = {}
        self._borrowed: dict[str, LeasedBoard] = {}
        self._resources = ExitStack()
        self._until_given_back = ExitStack()
        self._held: dict[str, int] = {}
        self._resources.callback(self._let_go_of_all)
        self._resources.callback(self.give_back)
        self._laid_down: set[str] = set()
        self._to_recover: set[str] = set()
        self._changed: set[str] = set()
        self._left: dict[str, list[Entry]] = {}
        self._lent: set[str] = set()
        self.kept: dict[str, str] = {}
        for board in session.own_boards:
            self.add(board, recovers=recovers)

    def close(self) -> None:
        """Close every board; idempotent."""
        self._resources.close()

    # -- boards of our own --------------------------------------------------------------------------------

    def add(self, board: Board, *, recovers: bool = False) -> None:
        """Hold one more board; nothing is opened yet.

        :param recovers: whether a worker that died left it in an unknown state.
        """
        self._boards[board.id] = self._hold(board, self._resources)
        if recovers:
            self._to_recover.add(board.id)
            if self._shared is not None and self._shared.laid_down(board.id) is not None:
                self._laid_down.add(board.id)  # whoever borrowed it of our predecessor may be using it
        self._left[board.id] = self._left_on(board, self._place if recovers else None)

    def _hold(self, board: Board, until: ExitStack) -> LeasedBoard:
        """Hold a board until the stack is closed."""
        leased = LeasedBoard(
            board,
            self._session.plugins,
            capture_directory=self._captures,
            on_console=self._on_console,
            settings=self._session.settings.for_boards,
            register_secret=self._session.redactor.add,
            accounts=self._accounts_of(board),
            on_found=Vouchers(self._session.directory).write,
        )
        self._session.plugins.hook.harness_board_leased(board=leased)
        until.callback(leased.close)
        until.callback(self._session.plugins.hook.harness_board_released, board=leased)
        return leased

    @property
    def own(self) -> list[Board]:
        """What is known now of the boards of this process."""
        return [leased.description for leased in self._boards.values()]

    def get(self, board_id: str) -> LeasedBoard | None:
        """Return a board as this process uses it; ``None`` of another's."""
        return self._borrowed.get(board_id) or self._boards.get(board_id)

    def recover(self) -> None:
        """Put back what the worker that this one replaces changed; what fails is tried again at first use."""
        for board_id in self._to_recover - self._laid_down:
            if self.is_away(board_id) or not self._get_hold(board_id, seconds=0.0):
                self._laid_down.add(board_id)  # somebody borrowed it of our predecessor, or may do so now
                continue
            with suppress(HarnessError):
                self._put_back(self._boards[board_id])
            self._lay_down(self._boards[board_id])  # as long as we take no part, others may borrow it

    # -- boards of several workers ------------------------------------------------------------------------

    def lay_down(self) -> None:
        """Close our boards, for a test that another worker runs; they are opened anew when we use them."""
        for leased in self._boards.values():
            self._lay_down(leased)

    def _lay_down(self, leased: LeasedBoard) -> None:
        assert self._shared is not None  # noqa: S101 - only a worker is told to; tells mypy so
        leased.close()
        if leased.id in self._to_recover | self._changed:
            self._shared.note_use(leased.id, f"worker {self._session.worker_id} could not put it back")
        self._shared.lay_down(leased.description)
        self._laid_down.add(leased.id)
        self._let_go(leased.id)

    def _get_hold(self, board_id: str, *, seconds: float) -> bool:
        """Tell whether nobody else has the ports of a board open, or will have before we let go of it."""
        if self._shared is not None and board_id not in self._held:
            descriptor = self._shared.hold(board_id, seconds=seconds)
            if descriptor is None:
                return False
            self._held[board_id] = descriptor
        return True

    def _let_go(self, board_id: str) -> None:
        descriptor = self._held.pop(board_id, None)
        if descriptor is not None:
            close_lock(descriptor)

    def _let_go_of_all(self) -> None:
        for board_id in list(self._held):
            self._let_go(board_id)

    def _take_up(self, leased: LeasedBoard) -> None:
        """Use a board, perhaps again since we laid it down: who borrowed it may have died with it."""
        # Who holds it longer than that is told of when its port is opened.
        self._get_hold(leased.id, seconds=_SECONDS_TO_LET_GO)
        if leased.id not in self._laid_down:
            return
        assert self._shared is not None  # noqa: S101 - somebody laid it down; tells mypy so
        self._laid_down.discard(leased.id)
        self._shared.take_up(leased.id)
        self._lent.discard(leased.id)
        self._changed.discard(leased.id)
        needs_restoring = leased.id in self._to_recover or self._shared.needs_restoring(leased.id)
        self._heed_what_others_left(leased, needs_restoring=needs_restoring)
        self._shared.note_restored(leased.id)  # or rather: from now on it is ours alone to know

    def borrow(self, boards: Sequence[str], test: str) -> None:
        """Borrow those boards that are not ours, for one test.

        :param boards: ids of the boards that the test takes.
        :param test: its id.
        """
        self.give_back()
        if self._shared is None:
            return
        known = {board.id: board for board in self._session.boards}
        for board_id in boards:
            if board_id in self._boards:
                continue
            self._until_given_back.callback(self._give_back, board_id)
            self._get_hold(board_id, seconds=_SECONDS_TO_LET_GO)
            laid_down = self._shared.laid_down(board_id)  # nobody did whose worker died and has no successor
            needs_restoring = laid_down is None or self._shared.needs_restoring(board_id)
            leased = self._borrowed[board_id] = self._hold(
                laid_down or known[board_id], self._until_given_back
            )
            self._heed_what_others_left(leased, needs_restoring=needs_restoring)
            self._shared.note_use(board_id, test)

    def _heed_what_others_left(self, leased: LeasedBoard, *, needs_restoring: bool) -> None:
        """Find out what has to be put back on a board before it is used, and whether it may be used."""
        assert self._shared is not None  # noqa: S101 - there are others; tells mypy so
        self._left[leased.id] = self._left_on(leased.description, None, of_all=needs_restoring)
        if needs_restoring:
            self._to_recover.add(leased.id)
        kept_by = self._shared.kept_by(leased.id)
        if kept_by is not None:
            self.kept[leased.id] = kept_by

    def doubt(self, leased: LeasedBoard) -> str | None:
        """Say why a board that others used since we did may not be well; ``None`` when nothing says so."""
        if self._shared is None or leased.id not in self._laid_down:
            return None
        failed = self._shared.take_failure(leased.id)
        if failed is not None:
            return f"after {failed} failed"
        died = self._shared.needs_restoring(leased.id)
        return "after a worker died that used it" if died else None

    def note_failure(self, test: str) -> None:
        """A test failed for which boards were borrowed: their owners are to see whether they are well."""
        for board_id in self._borrowed:
            if self._shared is not None:
                self._shared.note_failure(board_id, test)

    def give_back(self) -> None:
        """Close what was borrowed; nothing happens when nothing was."""
        self._until_given_back.close()

    def _give_back(self, board_id: str) -> None:
        """Give one board back; of one that is not as it was, whoever uses it next hears."""
        if self._shared is not None and board_id not in self._changed | self._to_recover:
            self._shared.note_restored(board_id)
        self._borrowed.pop(board_id, None)
        for known in (self._changed, self._to_recover, self._lent):
            known.discard(board_id)
        self._let_go(board_id)

    # -- lending to a test --------------------------------------------------------------------------------

    def begin(self, leased: LeasedBoard) -> dict[str, int]:
        """Make a board ready for a test that is about to begin.

        What it said to an earlier test is no answer to this one: nobody waits for it any more.

        :return: by role, where each console stands.
        """
        self._take_up(leased)
        if leased.doubted:
            leased.close()  # it is asked who it is when it is opened anew
        marks = {
            role: captured_size(self._captures, f"{leased.id}-{role}")
            for role in leased.description.endpoints
        }
        for role, console in leased.open_consoles.items():
            with suppress(RigFault):  # the board is gone; the test will hear of it when it uses the board
                console.forget_unsolicited()
                marks[role] = console.position
        return marks

    @contextmanager
    def lent(self, leased: LeasedBoard, test: str, *, keep: Callable[[], bool]) -> Iterator[None]:
        """Lend a test a board and put back afterwards what the test changed on it.

        :param test: its id.
        :param keep: tells whether the board is to stay as the test left it.
        :raises RigFault: it cannot be put back.
        """
        self.clear_faults(leased)
        self._changed.add(leased.id)
        self._put_back(leased)
        yield
        if self.is_away(leased.id) or (leased.lost is not None and self._absences is not None):
            self._note_lost(leased)
            return
        if keep():
            self._keep(leased, test)
        else:
            _end_faults(leased)
            driver = leased.made_driver
            if hasattr(driver, "restore"):
                driver.restore()
        self._changed.discard(leased.id)

    def _keep(self, leased: LeasedBoard, test: str) -> None:
        self.kept[leased.id] = test
        if self._shared is not None:
            self._shared.keep(leased.id, test)
        if isinstance(leased.accounts, LedgerAccounts):
            leased.accounts.keep()

    def clear_faults(self, leased: LeasedBoard) -> None:
        """End the faults that a dead session or worker left on a bench that lives longer; once for each."""
        self._take_up(leased)
        if leased.id not in self._lent:
            self._lent.add(leased.id)
            _end_faults(leased)

    def is_away(self, board_id: str) -> bool:
        """Tell whether a board is away now."""
        return self._absences is not None and self._absences.reason(board_id) is not None

    def _note_lost(self, leased: LeasedBoard) -> None:
        """Leave a board that is away as it is; what a test changed is put back when it is used again."""
        if self._session.worker_id != MAIN_WORKER:  # there the controller tells, in the same process
            self._session.plugins.hook.harness_board_lost(board=leased)
        self.leave(leased)

    def leave(self, leased: LeasedBoard) -> None:
        """Close a board as it is; what a test changed on it is put back when it is used again."""
        leased.close()
        self._to_recover.add(leased.id)
        self._left[leased.id] = self._left_on(leased.description, self._place)

    # -- putting back -------------------------------------------------------------------------------------

    def _accounts_of(self, board: Board) -> LedgerAccounts | None:
        session = self._session
        if session.ledger is None:
            return None
        return accounts_of_board(
            session.ledger, board, session=session.run_id, worker=self._place, directory=session.directory
        )

    def _left_on(self, board: Board, worker: str | None, *, of_all: bool = False) -> list[Entry]:
        """Return what was noted of a board and not undone: by dead sessions, and by workers of this one.

        :param worker: place of the worker whose notes count: ours, or that of the one that we replace.
        :param of_all: whether those of every worker count: one died while it used the board.
        """
        ledger = self._session.ledger
        if ledger is None:
            return []
        left = left_by_the_dead(ledger, subject=board.id)
        if of_all:
            left += ledger.entries(subject=board.id, session=self._session.run_id)
        elif worker is not None:
            left += ledger.entries(subject=board.id, session=self._session.run_id, worker=worker)
        return [entry for entry in left if is_of_board(entry, board)]

    def _put_back(self, leased: LeasedBoard) -> None:
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


def _end_faults(leased: LeasedBoard) -> None:
    """End what a test broke on purpose: a virtual board's faults, also when the test failed half-way."""
    if leased.description.virtual:
        leased.virtual.clear_faults()
