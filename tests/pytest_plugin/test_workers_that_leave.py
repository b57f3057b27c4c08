"""Workers that say goodbye before they ran what they held, or were told to: no test is lost or told twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from harness.inventory.board import Board
from tests.pytest_plugin.test_scheduler import TESTS, Node, Stage

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pytest_plugin.conftest import Suite


class LeavingStage(Stage):
    """One worker with a board that may go away, and what was reported of tests."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, workers=1)
        self.failed: list[pytest.TestReport] = []
        hook: Any = self.scheduler.config.hook
        hook.pytest_handlecrashitem = lambda **_facts: None
        hook.pytest_runtest_logreport = self.report_test

    def report_test(self, report: pytest.TestReport) -> None:
        """Be pytest's hook ``pytest_runtest_logreport``."""
        self.failed.append(report)

    def leave(self, node: Node, status: int) -> str | None:
        """Have a worker end with an exit status of pytest's."""
        cast("Any", node).workeroutput = {"exitstatus": status, "shouldfail": False, "shouldstop": False}
        return self.scheduler.remove_node(node)


def test_in_the_middle_of_a_test(tmp_path: Path) -> None:
    """No crash is told to xdist; the test is reported here, once, and the rest counts as not run."""
    stage = LeavingStage(tmp_path)
    node = stage.join("gw0", "b")
    assert stage.turns.claim("gw0", 0), "the worker begins its first test"

    assert stage.leave(node, 3) is None

    (report,) = stage.failed
    assert (report.nodeid, report.outcome) == ("t2", "failed")
    assert report.longrepr == "worker 'gw0' ended with exit status 3 while running 't2'"
    assert stage.scheduler.not_run == ["t0", "t1", "t3"]
    assert stage.scheduler.tests_finished, "nobody comes in its place"


def test_before_its_first_test(tmp_path: Path) -> None:
    """What it had not begun counts as not run; nothing is reported as failed."""
    stage = LeavingStage(tmp_path)

    assert stage.leave(stage.join("gw0", "b"), 3) is None

    assert stage.failed == []
    assert stage.scheduler.not_run == TESTS
    assert stage.scheduler.tests_finished


def test_after_its_tests_were_taken_from_it(tmp_path: Path) -> None:
    """The worker of a lost board that was told to end has done its part: its tests wait for the board."""
    stage = LeavingStage(tmp_path)
    node = stage.join("gw0", "b")
    stage.scheduler.lose_board("b")

    assert stage.leave(node, 0) is None

    assert stage.failed == []
    assert stage.scheduler.not_run == TESTS
    assert not stage.scheduler.tests_finished


def test_one_that_was_interrupted(tmp_path: Path) -> None:
    """It counts as dead for xdist, which reports the test that it is told of by itself."""
    stage = LeavingStage(tmp_path)
    node = stage.join("gw0", "b")
    assert stage.turns.claim("gw0", 0)

    assert stage.leave(node, int(pytest.ExitCode.INTERRUPTED)) == "t2"

    assert stage.failed == []


def test_a_test_without_a_board_stays_with_a_worker_that_ends(tmp_path: Path) -> None:
    """It is going to run there, although the worker's board went away after xdist told it to end."""
    stage = LeavingStage(tmp_path)
    node = stage.join("gw0", "b")
    for index in (2, 0, 1):
        stage.scheduler.mark_test_complete(node, index)
    node.told.append("shutdown")  # by xdist, of which no event tells

    stage.scheduler.lose_board("b")

    dispatcher: Any = stage.scheduler._dispatcher
    assert dispatcher.held_by(node) == (3,), "the test that needs the board was taken back"


LEAVES = """
    import pytest

    @pytest.mark.parametrize("number", range(6))
    def test_it(board, number):
        if number == 0:
            pytest.exit("enough", returncode=7)
    """


def test_a_test_that_ends_pytest(suite: Suite) -> None:
    """The session ends with its accounts in order, and no internal error of xdist's."""
    suite.write("test_it.py", LEAVES)

    result = suite.run("--bench", "virtual", "--boards", "toy-a=2", "-n", "auto")

    assert result.code == 1, result
    assert "INTERNALERROR" not in result.out + result.err
    assert "ended with exit status 7 while running 'test_it.py::test_it[0]'" in result.out
    assert "6 collected = " in result.out
    assert " passed + 1 failed + 0 skipped + " in result.out


def test_the_boards_of_a_test_that_died_before_it_said_them(tmp_path: Path) -> None:
    """Its worker's; none of a test that takes no board, and none of one that nobody has lost."""
    stage = LeavingStage(tmp_path)
    node = stage.join("gw0", "b")
    assert stage.turns.claim("gw0", 0), "the worker begins its first test"
    lost = stage.leave(node, int(pytest.ExitCode.INTERRUPTED))
    assert lost is not None

    assert stage.scheduler.boards_of_lost(lost) == ("b",)
    assert stage.scheduler.boards_of_lost("t3") == ()


def test_workers_that_xdist_told_to_end(tmp_path: Path) -> None:
    """Nothing more is given to them, for they would never run it: also when their boards come back."""
    stage = Stage(tmp_path, workers=2)
    one, two = stage.join("gw0", "a"), stage.join("gw1", "b")
    assert stage.turns.claim("gw1", 0)
    stage.scheduler.lose_board("b")
    for index in (0, 1, 3):
        stage.scheduler.mark_test_complete(one, index)
    assert two.told == [[2]]

    assert stage.scheduler.tests_finished
    for node in stage.scheduler.nodes:
        node.shutdown()
    stage.scheduler.return_board(Board(id="b", kind="k", driver="d"))
    stage.scheduler.mark_test_pending("t1")
    stage.scheduler.mark_test_complete(two, 2)

    assert two.told == [[2], "shutdown"]
    assert stage.scheduler.not_run == ["t1"]


def test_a_worker_told_to_end_before_it_had_collected(tmp_path: Path) -> None:
    """It takes part when it has collected after all, and is given nothing."""
    stage = Stage(tmp_path, workers=1)
    node = Node("gw0")
    node.shutdown()

    assert stage.join("gw0", "b", node=node).told == ["shutdown"]

    assert stage.scheduler.not_run == TESTS
