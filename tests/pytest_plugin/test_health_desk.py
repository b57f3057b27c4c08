"""What becomes of unfit boards: out of the session, kept from the next ones, and their tests reported."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from harness.config import BoardsWanted, Settings
from harness.errors import UsageError
from harness.health.quarantine import Quarantines
from harness.inventory.board import USB_SERIAL, Board
from harness.pytest_plugin.handover import Requirement
from harness.pytest_plugin.health_desk import HealthDesk
from harness.pytest_plugin.health_notes import HealthNotes
from harness.pytest_plugin.quarantining import leave_alone, why_quarantined
from harness.redaction import Redactor
from harness.scheduling.needs import BoardNeed
from harness.verdicts import Verdict

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime.now(UTC)
A, B, C = (
    Board(id=name, kind=kind, driver="d", properties={USB_SERIAL: f"7{name}"})
    for name, kind in (("a", "dk"), ("b", "dk"), ("c", "other"))
)
REASON = "board a does not answer: silence; a hug did not help"


@pytest.fixture(autouse=True)
def leases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Leases of this test's own."""
    directory = tmp_path / "leases"
    monkeypatch.setenv("HARNESS_LEASE_DIR", str(directory))
    return directory


class Office:
    """A desk whose course only writes down."""

    def __init__(self, directory: Path, **settings: Any) -> None:
        redactor = Redactor()
        redactor.add("hidden-word", "secret")
        self.gone: list[str] = []
        self.reports: list[tuple[Any, ...]] = []
        self.session = SimpleNamespace(
            settings=Settings(**settings),
            boards=(A, B, C),
            run_id="run-1",
            redactor=redactor,
            gone={},
            unfit=set(),
            story=[],
        )
        self.notes = HealthNotes(directory)
        manager = SimpleNamespace(get_plugin=lambda _name: None)
        self.desk = HealthDesk(
            cast("Any", SimpleNamespace(pluginmanager=manager)),
            cast("Any", self.session),
            self,
            notes=self.notes,
            reports=cast("Any", SimpleNamespace(fail=lambda *report: self.reports.append(report))),
        )

    def give_up_board(self, board: str) -> None:
        self.gone.append(board)

    def requirement_of(self, test: str) -> Requirement:
        return Requirement(need=BoardNeed(kind=test))


def test_an_unfit_board_is_out_and_quarantined(tmp_path: Path) -> None:
    """Its tests go to others at once, and the next session reads why; what is said is redacted."""
    office = Office(tmp_path)

    office.desk.give_up("a", f"{REASON} hidden-word")
    office.desk.give_up("a", "once more")

    assert office.gone == ["a"]
    kept = Quarantines.of_bench(None).of(A, NOW)
    assert kept is not None
    assert kept.reason.startswith("does not answer: silence; a hug did not help")
    assert "hidden-word" not in kept.reason
    assert kept.by.startswith("session run-1 of ")
    assert kept.until is not None
    assert timedelta(hours=23) < kept.until - NOW < timedelta(hours=25)
    (line,) = office.session.story
    assert REASON in line
    assert line.endswith("to use it again: harness quarantine lift a")
    assert "hidden-word" not in line


def test_without_quarantine_it_is_out_of_this_session_only(tmp_path: Path, leases: Path) -> None:
    """``--quarantine-for off``: nothing is written for others."""
    office = Office(tmp_path, quarantine_for=None)

    office.desk.give_up("a", REASON)

    assert office.gone == ["a"]
    assert "gets no more tests in this session (--quarantine-for off)" in office.session.story[0]
    assert not leases.exists()


def test_a_quarantine_that_cannot_be_written_is_told(tmp_path: Path, leases: Path) -> None:
    """The session goes on without the board all the same."""
    leases.write_text("no directory")
    office = Office(tmp_path)

    office.desk.give_up("a", REASON)

    assert office.gone == ["a"]
    assert "could NOT be quarantined: " in office.session.story[0]


def test_tests_that_no_board_is_left_for_fail_with_all_reasons(tmp_path: Path) -> None:
    """By the rig's fault, with the boards that they were to run on."""
    office = Office(tmp_path, quarantine_for=None)
    office.desk.give_up("a", REASON)
    office.session.gone["b"] = "board b went away"

    office.desk.give_up_tests(["dk"])

    assert office.reports == [("dk", f"not run: {REASON}; board b went away", Verdict.RIG, [A, B])]


def test_what_workers_noted_is_told_in_order_and_once(tmp_path: Path) -> None:
    """A line that is not whole yet waits for its end; so does nothing behind it in other files."""
    office = Office(tmp_path)
    HealthNotes(tmp_path).write("gw1", "12:00:05 later\nwith a line end")
    HealthNotes(tmp_path).write("gw0", "12:00:09 last")
    HealthNotes(tmp_path).write("gw2", "12:00:01 first")
    with (tmp_path / "health" / "gw2").open("ab") as file:
        file.write(b"12:00:00 half")

    office.desk.pytest_runtest_logreport()
    office.desk.hear()

    assert office.session.story == ["12:00:01 first", "12:00:05 later with a line end", "12:00:09 last"]
    with (tmp_path / "health" / "gw2").open("ab") as file:
        file.write(b" a line\n")
    hook: Any = office.desk.pytest_sessionfinish()
    next(hook)
    with pytest.raises(StopIteration):
        next(hook)
    assert office.session.story[3:] == ["12:00:00 half a line"]


# -- the next session -----------------------------------------------------------------------------------


def quarantine(*boards: Board, seconds: float = 3600) -> None:
    """Have somebody quarantine boards."""
    for board in boards:
        Quarantines.of_bench(None).put(
            board, "it smells", now=NOW, lasts=timedelta(seconds=seconds), by="session run-0 of alice"
        )


def test_the_next_session_leaves_it_alone_and_says_why() -> None:
    """With the command that ends it; the others are used, and it too when its time is over."""
    quarantine(A)

    left = leave_alone([A, B, C], Settings(), NOW)

    assert left.boards == (B, C)
    (line,) = left.lines
    assert line.startswith("harness: quarantined: a: it smells; until 20")
    assert line.endswith("(by session run-0 of alice); to use it again: harness quarantine lift a")
    assert why_quarantined(A, NOW) == line.removeprefix("harness: quarantined: a: ").join(
        ("it is quarantined: ", "")
    )
    assert why_quarantined(B, NOW) is None
    over = NOW + timedelta(hours=2)
    assert leave_alone([A, B, C], Settings(), over).boards == (A, B, C)


def test_a_virtual_boards_quarantine_is_its_benchs(tmp_path: Path) -> None:
    """It goes with the bench, and the command says where it is."""
    socket = tmp_path / "bench" / "control.sock"
    socket.parent.mkdir()
    board = Board(id="v", kind="k", driver="d", bench=str(socket))
    other = Board(id="w", kind="k", driver="d", bench=str(socket))
    Quarantines.of_bench(str(socket)).put(board, "it smells", now=NOW, lasts=None, by="alice")

    left = leave_alone([board, other], Settings(), NOW)

    assert left.boards == (other,)
    assert left.lines[0].endswith(f"to use it again: harness quarantine lift v --bench virtual={socket}")
    assert leave_alone([A], Settings(), NOW).boards == (A,)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (Settings(board_ids=("a",)), r"--board: this board is quarantined: it smells; until .*\(got 'a'\)"),
        (
            Settings(boards=BoardsWanted(count=2)),
            r"--boards: more .* quarantined \(a: it .*at most 1, or first",
        ),
        (Settings(boards=BoardsWanted(kinds={"dk": 2})), r"--boards: .*\(got 'dk=2'\); expected at most 1"),
    ],
)
def test_what_was_asked_for_and_is_quarantined_is_refused(settings: Settings, words: str) -> None:
    """Before anything is leased, with what to do."""
    quarantine(A)

    with pytest.raises(UsageError, match=words) as error:
        leave_alone([A, B], settings, NOW)
    assert "harness quarantine lift" in str(error.value)


def test_what_was_never_there_is_for_others_to_say() -> None:
    """More boards than there are with those in quarantine, or of an unknown kind."""
    quarantine(A)

    for wanted in (BoardsWanted(count=3), BoardsWanted(kinds={"dk": 3}), BoardsWanted(kinds={"x": 1})):
        assert leave_alone([A, B], Settings(boards=wanted), NOW).boards == (B,)


def test_nothing_left_is_a_usage_error() -> None:
    """A session without boards proves nothing."""
    quarantine(A, B)

    with pytest.raises(
        UsageError, match=r"every board is quarantined: a: it smells.*; b: it smells.*lift ID"
    ):
        leave_alone([A, B], Settings(), NOW)


def test_a_record_that_cannot_be_read_is_told(leases: Path) -> None:
    """The board is used, and is asked before its first test as all are."""
    quarantine(A)
    next(leases.glob("*.quarantine")).write_text("?")

    left = leave_alone([A, B], Settings(), NOW)

    assert left.boards == (A, B)
    assert left.lines[0].startswith("harness: WARNING: a quarantine cannot be read: ")
