"""Boards that workers lend each other: closed by one before the other opens them, and put back."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.backends.ledger import Ledger
from harness.config import BenchChoice, Settings
from harness.errors import BoardFault, RigFault
from harness.inventory.device_nodes import nodes_of
from harness.inventory.leased_board import LeasedBoard
from harness.plugins import HarnessPluginManager, load_plugins
from harness.pytest_plugin.absence import Absences
from harness.pytest_plugin.lending import Lending
from harness.pytest_plugin.state import ActiveSession
from harness.redaction import Redactor
from harness.session_lock import SessionLock
from harness.virtual.launcher import RunningBench, start_bench

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.inventory.board import Board

RUN = "20260101-lending"
OURS, THEIRS = "toy-a-0", "toy-a-1"
TEST = "test_x.py::test_both"


@pytest.fixture(scope="module")
def bench() -> Iterator[RunningBench]:
    """Two toys."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(prefix="hl") as directory:
        patch.setenv("HARNESS_PLUGINS", "tests.pytest_plugin.toy.vendor")
        patch.setenv("TOY_LOG", f"{directory}/log")
        with start_bench(Path(directory) / "b", [("toy-a", None, {}), ("toy-a", None, {})]) as running:
            yield running


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


@pytest.fixture
def workers(tmp_path: Path, bench: RunningBench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workers]:
    """A session."""
    monkeypatch.setenv("HARNESS_PLUGINS", "tests.pytest_plugin.toy.vendor")
    monkeypatch.setenv("TOY_LOG", str(tmp_path / "log"))
    monkeypatch.setenv("HARNESS_STATE_DIR", str(tmp_path / "state"))
    (tmp_path / "captures").mkdir()
    (tmp_path / "state").mkdir(mode=0o700)
    workers = Workers(tmp_path, bench, load_plugins())
    for board in workers.boards:
        leased = LeasedBoard(board, workers.plugins, capture_directory=None)
        leased.driver.set("")
        leased.close()
    with workers.resources:
        yield workers


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


def value_of(lending: Lending, board_id: str) -> str:
    """Return the value of a board, in the hands of its next test."""
    leased = held(lending, board_id)
    lending.begin(leased)
    with lending.lent(leased, TEST, keep=lambda: False):
        value: str = leased.driver.get()
    return value


def test_a_board_that_is_lent(workers: Workers) -> None:
    """Its owner closes it, who borrows it puts it back and closes it, and its owner goes on with it."""
    owner, borrower = workers.begin("gw1", THEIRS), workers.begin("gw0", OURS)
    use(owner, THEIRS, "x")
    assert held(owner, THEIRS).open_consoles

    owner.lay_down()
    assert not held(owner, THEIRS).open_consoles
    assert borrower.get(THEIRS) is None
    borrower.borrow([OURS, THEIRS], TEST)
    assert workers.log == [f"restore {THEIRS} x"]
    assert use(borrower, THEIRS, "y") == {"console": 0}
    leased = held(borrower, THEIRS)
    assert leased.open_consoles, "reports still show what it said"
    borrower.give_back()

    assert not leased.open_consoles
    assert borrower.get(THEIRS) is None
    assert workers.log == [f"restore {THEIRS} y"]
    assert value_of(owner, THEIRS) == ""
    assert workers.log == [f"restore {THEIRS} "], "there was nothing to recover"
    assert workers.ledger.entries() == []


def test_what_a_board_said_before_is_not_in_the_next_report(workers: Workers) -> None:
    """A console that is opened anew goes on where its capture ended, in either process."""
    owner, borrower = workers.begin("gw1", THEIRS), workers.begin("gw0", OURS)
    use(owner, THEIRS, "x")

    for _ in range(2):
        owner.lay_down()
        borrower.borrow([THEIRS], TEST)
        marks = use(borrower, THEIRS, "y")
        said = held(borrower, THEIRS).console.slice(marks["console"])
        assert said.count(b"= y") == 2, "set, and asked before it was set back"
        borrower.give_back()
        marks = use(owner, THEIRS, "z")
        assert b"y" not in held(owner, THEIRS).console.slice(marks["console"])


def test_who_borrowed_it_died(workers: Workers) -> None:
    """The owner finds in the ledger what was changed, and puts it back before the next test."""
    owner, borrower = workers.begin("gw1", THEIRS), workers.begin("gw0", OURS)
    owner.lay_down()
    borrower.borrow([OURS, THEIRS], TEST)
    change_and_die(borrower, THEIRS, "left")

    assert value_of(owner, THEIRS) == ""

    assert workers.log == [f"recover {THEIRS} left {{'value': ''}}", f"restore {THEIRS} "]
    assert workers.ledger.entries() == []
    assert value_of(owner, THEIRS) == ""
    assert workers.log == [f"restore {THEIRS} "], "once is enough"


def test_the_next_who_borrows_it_puts_it_back_too(workers: Workers) -> None:
    """It may be borrowed anew before its owner used it: whoever is first puts it back."""
    owner, borrower, another = (
        workers.begin("gw1", THEIRS),
        workers.begin("gw0", OURS),
        workers.begin("gw2", "none"),
    )
    owner.lay_down()
    borrower.borrow([THEIRS], TEST)
    change_and_die(borrower, THEIRS, "left")

    another.borrow([THEIRS], TEST)
    assert value_of(another, THEIRS) == ""
    another.give_back()
    assert value_of(owner, THEIRS) == ""

    recovered, *restored = workers.log
    assert recovered.startswith(f"recover {THEIRS} left ")
    assert restored == [f"restore {THEIRS} ", f"restore {THEIRS} "]


def test_who_borrowed_it_could_not_put_it_back(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner tries once more before it uses the board; as long as that fails the board is not used."""
    owner, borrower = workers.begin("gw1", THEIRS), workers.begin("gw0", OURS)
    owner.lay_down()
    borrower.borrow([THEIRS], TEST)
    monkeypatch.setenv("TOY_RESTORE_FAILS", "1")
    with pytest.raises(BoardFault):
        use(borrower, THEIRS, "stuck")
    borrower.give_back()
    monkeypatch.delenv("TOY_RESTORE_FAILS")

    monkeypatch.setenv("TOY_RECOVER_FAILS", "1")
    with pytest.raises(RigFault, match=f"board {THEIRS} is not as it should be: .*the toy stays as it is"):
        value_of(owner, THEIRS)
    owner.lay_down()
    borrower.borrow([THEIRS], TEST)
    with pytest.raises(RigFault, match=f"board {THEIRS} is not as it should be"):
        value_of(borrower, THEIRS)
    borrower.give_back()
    monkeypatch.delenv("TOY_RECOVER_FAILS")

    assert value_of(owner, THEIRS) == ""
    assert workers.ledger.entries() == []


def test_a_board_on_which_a_test_of_others_failed_is_doubted(workers: Workers) -> None:
    """The owner hears once which test failed on its board, or that a worker died with it."""
    owner, borrower = workers.begin("gw1", THEIRS), workers.begin("gw0", OURS)
    ours, theirs = held(borrower, OURS), held(owner, THEIRS)
    owner.lay_down()
    assert owner.doubt(theirs) is None

    borrower.borrow([OURS, THEIRS], TEST)
    borrower.note_failure(TEST)
    borrower.give_back()
    assert (owner.doubt(theirs), owner.doubt(theirs)) == (f"after {TEST} failed", None)
    assert borrower.doubt(ours) is None, "what failed in this process is known there"

    borrower.borrow([THEIRS], TEST)
    change_and_die(borrower, THEIRS, "left")
    assert owner.doubt(theirs) == "after a worker died that used it"
    assert value_of(owner, THEIRS) == ""
    assert owner.doubt(theirs) is None


def test_its_owner_could_not_put_it_back(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the owner's own test left is put back by who borrows the board."""
    owner, borrower = workers.begin("gw1", THEIRS), workers.begin("gw0", OURS)
    monkeypatch.setenv("TOY_RESTORE_FAILS", "1")
    with pytest.raises(BoardFault):
        use(owner, THEIRS, "stuck")
    monkeypatch.delenv("TOY_RESTORE_FAILS")
    workers.log  # noqa: B018 - forget it

    owner.lay_down()
    borrower.borrow([THEIRS], TEST)

    assert value_of(borrower, THEIRS) == ""
    assert workers.log[0] == f"recover {THEIRS} stuck {{'value': ''}}"


def test_the_owner_died_while_its_board_was_lent(workers: Workers) -> None:
    """Its replacement leaves the board alone as long as somebody may use it."""
    owner, borrower = workers.begin("gw1", THEIRS), workers.begin("gw0", OURS)
    owner.lay_down()
    borrower.borrow([THEIRS], TEST)

    replacement = workers.begin("gw2", THEIRS, place="gw1", recovers=True)
    replacement.recover()
    assert workers.log == []
    assert not held(replacement, THEIRS).open_consoles

    assert use(borrower, THEIRS, "y") == {"console": 0}
    borrower.give_back()
    assert value_of(replacement, THEIRS) == ""


def test_nobody_laid_it_down(workers: Workers) -> None:
    """A board whose worker died without a successor is put back by who borrows it."""
    owner, borrower = workers.begin("gw1", THEIRS), workers.begin("gw0", OURS)
    change_and_die(owner, THEIRS, "left")

    borrower.borrow([THEIRS], TEST)

    assert value_of(borrower, THEIRS) == ""
    assert workers.log[0] == f"recover {THEIRS} left {{'value': ''}}"


def test_a_replacement_recovers_its_own_board_at_once(workers: Workers) -> None:
    """Whoever replaces a worker that died with its own board puts it back before any test."""
    change_and_die(workers.begin("gw1", THEIRS), THEIRS, "left")

    replacement = workers.begin("gw2", THEIRS, place="gw1", recovers=True)
    replacement.recover()

    assert workers.log == [f"recover {THEIRS} left {{'value': ''}}"]
    assert held(replacement, THEIRS).driver.get() == ""


@pytest.mark.parametrize("borrowed", [True, False])
def test_a_board_that_is_kept(workers: Workers, borrowed: bool) -> None:  # noqa: FBT001 - a parameter
    """With ``--keep`` a board stays as the failed test left it, and every process knows."""
    owner, borrower = workers.begin("gw1", THEIRS), workers.begin("gw0", OURS)
    if borrowed:
        owner.lay_down()
        borrower.borrow([THEIRS], TEST)
        use(borrower, THEIRS, "as it was", keep=True)
        borrower.give_back()
        owner.begin(held(owner, THEIRS))
    else:
        use(owner, THEIRS, "as it was", keep=True)
        owner.lay_down()
        borrower.borrow([THEIRS], TEST)

    assert borrower.kept == owner.kept == {THEIRS: TEST}
    assert workers.log == []
    (entry,) = workers.ledger.entries()
    assert entry.details["kept"] == "yes"


def test_a_borrowed_board_that_went_away(workers: Workers) -> None:
    """It is left as it is and closed; its owner puts it back when it is used again."""
    workers.absences = Absences(workers.directory)
    owner, borrower = workers.begin("gw1", THEIRS), workers.begin("gw0", OURS)
    owner.lay_down()
    borrower.borrow([THEIRS], TEST)
    leased = held(borrower, THEIRS)
    borrower.begin(leased)
    with borrower.lent(leased, TEST, keep=lambda: False):
        leased.driver.change("left")
        workers.absences.note(THEIRS, "unplugged")

    assert borrower.is_away(THEIRS)
    assert not leased.open_consoles
    borrower.give_back()
    workers.absences.strike(THEIRS)

    assert nodes_of(leased.description) == nodes_of(held(owner, THEIRS).description)
    assert value_of(owner, THEIRS) == ""
    assert workers.log[0] == f"recover {THEIRS} left {{'value': ''}}"


def test_what_was_borrowed_last_is_given_back_first(workers: Workers) -> None:
    """A worker that borrows anew holds what it is told to now, and nothing of before."""
    borrower = workers.begin("gw0", "none")
    borrower.borrow([OURS, THEIRS], TEST)
    assert borrower.get(OURS) is not None

    borrower.borrow([THEIRS], TEST)

    assert borrower.get(OURS) is None
    assert borrower.get(THEIRS) is not None
    borrower.give_back()
    borrower.give_back()
    assert borrower.get(THEIRS) is None
