"""Workers of one session that lend each other boards, in the process of the tests."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from harness.backends.ledger import Ledger
from harness.config import BenchChoice, Settings
from harness.pytest_plugin.lending import Lending
from harness.pytest_plugin.state import ActiveSession
from harness.redaction import Redactor
from harness.session_lock import SessionLock

if TYPE_CHECKING:
    from pathlib import Path

    from harness.inventory.board import Board
    from harness.inventory.leased_board import LeasedBoard
    from harness.plugins import HarnessPluginManager
    from harness.pytest_plugin.absence import Absences
    from harness.virtual.launcher import RunningBench

RUN = "20260101-lending"
TEST = "test_x.py::test_both"


class Workers:
    """The workers of one session, as far as their boards are concerned."""

    def __init__(self, directory: Path, bench: RunningBench, plugins: HarnessPluginManager) -> None:
        self.directory = directory
        self.ledger = Ledger(directory / "state")
        self.plugins = plugins
        self.settings = Settings(bench=BenchChoice(kind="virtual", socket=bench.socket))
        found = plugins.hook.harness_discover_boards(settings=self.settings)
        self.boards: tuple[Board, ...] = tuple(
            sorted((b for each in found for b in each), key=lambda b: b.id)
        )
        self.absences: Absences | None = None
        self.resources = ExitStack()
        self.resources.callback(self.ledger.close)
        self.resources.enter_context(SessionLock(RUN))

    def begin(self, worker: str, board_id: str, **how: Any) -> Lending:
        """Begin a worker with a board."""
        session = ActiveSession(
            settings=self.settings,
            run_id=RUN,
            worker_id=worker,
            directory=self.directory,
            redactor=Redactor(),
            plugins=self.plugins,
            boards=self.boards,
            own_boards=tuple(board for board in self.boards if board.id == board_id),
            ledger=self.ledger,
        )
        how.setdefault("place", worker)
        lending = Lending(session, absences=self.absences, **how)
        self.resources.callback(lending.close)
        return lending

    @property
    def log(self) -> list[str]:
        """What the drivers were told to put back, so far; it is forgotten then."""
        file = self.directory / "log"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return [line for line in lines if line.startswith(("restore", "recover"))]


def held(lending: Lending, board_id: str) -> LeasedBoard:
    """Return a board that a worker holds or has borrowed."""
    leased = lending.get(board_id)
    assert leased is not None
    return leased


def use(lending: Lending, board_id: str, value: str, *, keep: bool = False) -> dict[str, int]:
    """Have a test change a board, and put it back as the test's fixture does."""
    leased = held(lending, board_id)
    marks = lending.begin(leased)
    with lending.lent(leased, TEST, keep=lambda: keep):
        leased.driver.change(value)
    return marks


def change_and_die(lending: Lending, board_id: str, value: str) -> None:
    """Have a worker die in a test that changed a board: its ports are closed, and that is all."""
    leased = held(lending, board_id)
    lending.begin(leased)
    lending._put_back(leased)
    leased.driver.change(value)
    leased.close()
    lending._let_go(board_id)  # as the kernel does


def value_of(lending: Lending, board_id: str) -> str:
    """Return the value of a board, in the hands of its next test."""
    leased = held(lending, board_id)
    lending.begin(leased)
    with lending.lent(leased, TEST, keep=lambda: False):
        value: str = leased.driver.get()
    return value
