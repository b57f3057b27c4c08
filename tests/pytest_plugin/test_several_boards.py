"""Tests of several boards in one process: lent and put back like one, and named wherever one would be."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import BoardLost
from harness.inventory.board import Board
from harness.inventory.leased_board import LeasedBoard
from harness.plugins import HarnessPluginManager
from harness.pytest_plugin.report_tests import faulty_board
from tests.pytest_plugin.conftest import Suite

if TYPE_CHECKING:
    from collections.abc import Iterator

MEASURED = True

BOARDS = ("--bench", "virtual", "--boards", "toy-a=2,toy-b=1")
TESTS = """
    import pytest

    @pytest.mark.board(kind="toy-a", count=2)
    def test_two(boards, toycloud):
        assert isinstance(boards, tuple)
        for board in boards:
            board.driver.change("two")
        print("RAN", *(board.id for board in boards))

    @pytest.mark.board(count=3)
    def test_all(boards):
        print("RAN", *(board.id for board in boards))
        for board in boards:
            assert board.driver.get() == ""

    @pytest.mark.board(count=4)
    def test_too_many(boards): ...

    @pytest.mark.board(count=2, driver="wings")
    def test_nobody(boards): ...

    @pytest.mark.board(count=3)
    def test_fails(boards):
        for board in boards:
            board.driver.set(f"said by {board.id}")
        assert [board.kind for board in boards] == []

    @pytest.mark.board(count=2)
    def test_asks_late(request):
        assert len(request.getfixturevalue("boards")) == 2

    @pytest.mark.board(count=1)
    def test_tuple_of_one(boards):
        (board,) = boards
    """
CONFTEST = """
    def harness_collect_evidence(board, item):
        return {"evidence.txt": board.id.encode()}
    """


class Run:
    """One session of all of them.

    :ivar attachments: names of what is attached to Allure's result of a test, by the test's name.
    """

    def __init__(self, suite: Suite) -> None:
        suite.write("conftest.py", CONFTEST)
        suite.write("test_it.py", TESTS)
        self.result = suite.run(
            *BOARDS, "--backend", "toycloud=fake", "--alluredir", "allure", "--junitxml", "j.xml"
        )
        self.log = suite.log
        self.junit = (suite.directory / "j.xml").read_text(encoding="utf-8")
        results = [
            json.loads(file.read_text()) for file in (suite.directory / "allure").glob("*-result.json")
        ]
        self.allure: dict[str, dict[str, Any]] = {each["name"]: each for each in results}
        self.left_behind = suite.left_behind


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The session."""
    runtime = Path(tempfile.mkdtemp(prefix="hs"))
    yield Run(Suite(tmp_path_factory.mktemp("several"), runtime, measured=True))
    shutil.rmtree(runtime)


def test_boards_come_in_the_order_of_their_ids(run: Run) -> None:
    """A test gets as many as it asks for; with too few that fit it is skipped, and the reason counts them."""
    outcomes = run.result.outcomes
    assert [line for line in run.result.out.splitlines() if line.startswith("RAN ")] == [
        "RAN toy-a-0 toy-a-1",
        "RAN toy-a-0 toy-a-1 toy-b-2",
    ]
    assert {test for test, outcome in outcomes.items() if outcome == "failed"} == {"test_fails"}
    assert {test for test, outcome in outcomes.items() if outcome == "passed"} == {
        "test_two",
        "test_all",
        "test_asks_late",
        "test_tuple_of_one",
    }
    assert run.result.lines_with(
        "3 fit, 4 are needed at once: each a board; boards of this session: toy-a-0 fits"
    )
    assert run.result.lines_with(
        "no board fits, 2 are needed at once: each a board with driver wings; boards of"
    )
    assert run.left_behind == []


def test_each_of_several_boards_is_put_back(run: Run) -> None:
    """Every board is introduced to the service before the test, and put back after it, failed or not."""
    assert run.log[:12] == [
        "leased toy-a-0",
        "leased toy-a-1",
        "leased toy-b-2",
        "introduce toy-a-0 toycloud",
        "introduce toy-a-1 toycloud",
        "undo",
        "restore toy-a-1 two",
        "restore toy-a-0 two",
        "restore toy-b-2 ",
        "restore toy-a-1 ",
        "restore toy-a-0 ",
        "restore toy-b-2 said by toy-b-2",
    ]


def test_a_failure_names_every_board(run: Run) -> None:
    """The verdict names all boards, the tail is of each console, and the command line asks for as many."""
    assert run.result.lines_with(
        "board toy-a-0 (toy-a, virtual), board toy-a-1 (toy-a, virtual), board toy-b-2 (toy-b, virtual)"
    )
    assert run.result.lines_with("pytest test_it.py::test_fails --bench virtual --boards toy-a=2,toy-b=1")
    for board in ("toy-a-0", "toy-a-1", "toy-b-2"):
        assert f"{board} console:\n= said by {board}" in run.result.out
    assert run.junit.count('<property name="board" value="toy-b-2"') == 2


@pytest.mark.parametrize(
    ("message", "lost", "faulty"),
    [
        ("lab-1-console: the port is gone", (), "lab-1"),
        ("lab-12-console: the port is gone", (), "lab-12"),
        ("lab-1-console: the port is gone", ("lab-12",), "lab-12"),
        ("nobody answers", (), ""),
    ],
)
def test_who_failed_by_the_rig(message: str, lost: tuple[str, ...], faulty: str) -> None:
    """Of several boards the one is to blame that went away, or that the message names."""
    known = [Board(id=name, kind="k", driver="d") for name in ("lab-1", "lab-12", "lab-2")]
    boards = [LeasedBoard(board, HarnessPluginManager(), capture_directory=None) for board in known]
    for board in boards:
        board.lost = BoardLost("it is gone") if board.id in lost else None

    assert faulty_board(boards, message) == faulty


def test_allure_has_console_and_evidence_of_every_board(run: Run) -> None:
    """Each board is a parameter and a label, and what is attached says of which board it is."""
    failed = run.allure["test_fails"]
    ids = ["toy-a-0", "toy-a-1", "toy-b-2"]
    assert [each["value"].strip("'") for each in failed["parameters"] if each["name"] == "board"] == ids
    assert [each["value"] for each in failed["labels"] if each["name"] == "board"] == ids
    attached = [each["name"] for each in failed["attachments"]]
    for board in ids:
        assert f"Console ({board} console)" in attached
        assert f"{board} evidence.txt" in attached


def test_the_plan_says_which_would_do(suite: Suite) -> None:
    """``--plan`` names the boards that fit and how many of them are taken, and tests of a group in a row."""
    suite.write(
        "test_it.py",
        """
        import pytest
        together = pytest.mark.keep_together("group")

        @pytest.mark.board(kind="toy-a", count=2)
        def test_two(boards): ...
        @together
        def test_first(board): ...
        def test_between(): ...
        @together
        @pytest.mark.board(kind="toy-a")
        def test_last(board): ...
        """,
    )

    result = suite.run(*BOARDS, "--plan")

    assert result.code == 0, result
    plan = [line for line in result.out.splitlines() if line.startswith("test_it.py::")]
    assert [" ".join(line.split()) for line in plan] == [
        "test_it.py::test_two 2 of toy-a-0, toy-a-1",
        "test_it.py::test_first toy-a-0, toy-a-1, toy-b-2",
        "test_it.py::test_last toy-a-0, toy-a-1",
        "test_it.py::test_between needs no board",
    ]


def test_groups_that_no_board_fits(suite: Suite) -> None:
    """Tests that cannot be kept together end the session with one line, and exit status 4."""
    suite.write(
        "test_it.py",
        """
        import pytest
        pytestmark = pytest.mark.keep_together

        @pytest.mark.board(kind="toy-a")
        def test_one(board): ...
        @pytest.mark.board(kind="toy-b")
        def test_two(board): ...
        """,
    )

    result = suite.run(*BOARDS)

    assert result.code == 4, result
    assert (
        "ERROR: test_it.py::test_two: keep_together: kept together with test_it.py::test_one (group test_it."
        "py), and no board of this session fits them all; expected tests that fit one board in common"
    ) in result.err
    assert suite.left_behind == []


def test_kept_boards(suite: Suite) -> None:
    """With ``--keep`` every board of a failed test stays as it is, and no other test gets one of them."""
    suite.write(
        "test_it.py",
        """
        import pytest

        @pytest.mark.board(kind="toy-a", count=2)
        def test_fails(boards):
            assert len(boards) == 0
        @pytest.mark.board(count=2)
        def test_two(boards): ...
        def test_one(board):
            print("RAN", board.id)
        """,
    )

    result = suite.run(*BOARDS, "--keep")

    assert result.code == 1, result
    assert result.lines_with(
        "a board that would be needed is kept (--keep): toy-a-0 as test_it.py::test_fails left it; toy-a-1 as"
    )
    assert result.lines_with("RAN toy-b-2")
