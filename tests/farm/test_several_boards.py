"""Tests of several boards with a worker for each: who uses which board when, also when workers die."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.pytest_plugin.conftest import Suite

if TYPE_CHECKING:
    from collections.abc import Iterator

BOARDS = ("--bench", "virtual", "--boards", "toy-a=3,toy-b=1", "-n", "auto")
IDS = ["toy-a-0", "toy-a-1", "toy-a-2", "toy-b-3"]

# Each test says when it began and ended on which boards, and leaves a value on each that must be gone when
# the next test looks. Consoles are opened with a lock, so that a board still open elsewhere cannot be used.
CONFTEST = """
    import os, time
    import pytest

    @pytest.fixture
    def use(request):
        def use(*boards, change=False):
            began = time.monotonic()
            for board in boards:
                assert board.driver.get() == "", f"{board.id} is not as it should be"
                (board.driver.change if change else board.driver.set)(f"by {request.node.name}")
            for board in boards:
                assert board.driver.get() == f"by {request.node.name}"
            ids = ",".join(board.id for board in boards)
            print("USED", ids, os.getpid(), began, time.monotonic(), request.node.name)
        return use
    """
TESTS = """
    import os, signal
    import pytest

    @pytest.mark.parametrize("number", range(4))
    @pytest.mark.board(count=2)
    def test_two(boards, use, number):
        use(*boards)

    @pytest.mark.parametrize("number", range(3))
    @pytest.mark.board(kind="toy-a", count=3)
    def test_three(boards, use, number):
        use(*boards)

    @pytest.mark.parametrize("number", range(2))
    @pytest.mark.board(count=4)
    def test_all(boards, use, number):
        use(*boards)

    @pytest.mark.board(count=5)
    def test_too_many(boards): ...

    @pytest.mark.board(kind="toy-a", count=2)
    def test_dies(boards, use):
        use(*boards, change=True)
        os.kill(os.getpid(), signal.SIGKILL)

    @pytest.mark.board(count=4)
    def test_fails(boards, use):
        use(*boards)
        assert len(boards) == 0

    @pytest.mark.parametrize("number", range(8))
    def test_one(board, use, number):
        use(board)

    @pytest.fixture(scope="class")
    def costly():
        print("MADE", os.getpid())

    @pytest.mark.keep_together
    class TestTogether:
        @pytest.mark.parametrize("number", range(3))
        def test_of_one(self, board, use, costly, number):
            use(board)

        @pytest.mark.board(kind="toy-a", count=2)
        def test_of_two(self, boards, use, costly):
            use(*boards)

        def test_of_none(self, costly):
            print("USED none", os.getpid(), 0, 0, "none")

    @pytest.mark.keep_together("name")
    def test_named(board, use):
        use(board)
    """
OTHER = """
    import pytest

    @pytest.mark.keep_together("name")
    @pytest.mark.parametrize("number", range(2))
    @pytest.mark.board(kind="toy-b")
    def test_elsewhere(board, use, number):
        use(board)
    """


class Use:
    """What a test said of itself."""

    def __init__(self, line: str) -> None:
        _, boards, pid, began, ended, self.test = line.split()
        self.boards = boards.split(",")
        self.pid, self.began, self.ended = int(pid), float(began), float(ended)


class Run:
    """One session of all of them."""

    def __init__(self, suite: Suite) -> None:
        suite.write("conftest.py", CONFTEST)
        suite.write("test_it.py", TESTS)
        suite.write("test_other.py", OTHER)
        self.result = suite.run(*BOARDS, "--alluredir", "allure", "--backend", "toycloud=fake")
        self.log = suite.log
        results = [
            json.loads(file.read_text()) for file in (suite.directory / "allure").glob("*-result.json")
        ]
        self.allure: dict[str, dict[str, Any]] = {each["name"]: each for each in results}
        self.left_behind = suite.left_behind
        self.uses = [Use(line) for line in self.result.out.splitlines() if line.startswith("USED ")]

    def boards_of(self, result: dict[str, Any]) -> list[str]:
        """Return the boards that a result of Allure names."""
        return [each["value"] for each in result["labels"] if each["name"] == "board"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The session."""
    runtime = Path(tempfile.mkdtemp(prefix="hf"))
    yield Run(Suite(tmp_path_factory.mktemp("farm"), runtime, measured=False))
    shutil.rmtree(runtime)


def test_every_test_runs_once_and_finds_its_boards_as_they_should_be(run: Run) -> None:
    """All tests are accounted for; only those fail that are made to."""
    outcomes = run.result.outcomes
    wrong = {test: outcome for test, outcome in outcomes.items() if outcome != "passed"}
    assert wrong == {"test_dies": "failed", "test_fails": "failed"}, run.result
    assert run.result.lines_with("28 collected = 25 passed + 2 failed + 1 skipped + 0 not run"), run.result
    assert run.result.lines_with("4 fit, 5 are needed at once: each a board;")
    names = [use.test for use in run.uses]
    assert len(names) == len(set(names))
    assert run.left_behind == []


def test_a_board_is_in_one_test_at_a_time(run: Run) -> None:
    """Whether a board is a test's own or borrowed, its tests follow each other; boards come in order."""
    for board in IDS:
        times = sorted((use.began, use.ended) for use in run.uses if board in use.boards)
        assert len(times) > 5
        for (_, ended), (began, _) in pairwise(times):
            assert ended <= began
    for use in run.uses:
        assert use.boards == sorted(use.boards)


def test_whoever_lent_a_board_puts_back_what_a_dead_worker_changed(run: Run) -> None:
    """What the ledger says of both is undone once, of the borrowed one when it is used the next time."""
    recovered = [line.split()[1] for line in run.log if line.startswith("recover ")]
    dying = run.allure["test_dies"]
    later = {
        board
        for each in run.allure.values()
        if each["start"] > dying["start"]
        for board in run.boards_of(each)
    }
    died = run.boards_of(dying)
    assert len(set(died)) == 2
    assert set(died) & later <= set(recovered) <= set(died)
    assert sorted(recovered) == sorted(set(recovered)) != []


def test_a_dead_workers_test_names_its_boards(run: Run) -> None:
    """Terminal and Allure say which boards it had, and what each console said last."""
    lost = run.allure["test_dies"]
    boards = [each["value"] for each in lost["labels"] if each["name"] == "board"]
    assert len(boards) == 2
    for board in boards:
        assert f"{board} console:" in lost["statusDetails"]["trace"]
        assert "= by test_dies" in lost["statusDetails"]["trace"]


def test_a_failure_names_every_board(run: Run) -> None:
    """The consoles of borrowed boards are in the report like the test's own."""
    attached = [each["name"] for each in run.allure["test_fails"]["attachments"]]
    for board in IDS:
        assert f"Console ({board} console)" in attached
    assert run.result.lines_with("--boards toy-a=3,toy-b=1")


def test_what_is_kept_together_runs_in_order_on_one_worker(run: Run) -> None:
    """A costly fixture is made once; a named group joins the tests of several modules."""
    together = [use for use in run.uses if use.test.startswith(("test_of_", "none"))]
    assert len({use.pid for use in together}) == 1
    assert len(run.result.lines_with("MADE ")) == 1
    order = [use.test for use in sorted(together, key=lambda use: use.began) if use.test != "none"]
    assert order == ["test_of_one[0]", "test_of_one[1]", "test_of_one[2]", "test_of_two"]

    named = sorted(
        (use for use in run.uses if re.match("test_(named|elsewhere)", use.test)), key=lambda u: u.began
    )
    assert [use.test for use in named] == ["test_named", "test_elsewhere[0]", "test_elsewhere[1]"]
    assert {tuple(use.boards) for use in named} == {("toy-b-3",)}
