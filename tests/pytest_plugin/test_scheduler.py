"""What the scheduler tells xdist's workers, event by event, with workers that only write down."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from harness.config import Settings
from harness.inventory.board import Board
from harness.pytest_plugin.handover import Requirement, write_needs
from harness.pytest_plugin.scheduler import BoardScheduling
from harness.scheduling.needs import BoardNeed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TESTS = ["t0", "t1", "t2", "t3"]


class Node:
    """A worker as the controller sees it."""

    def __init__(self, worker: str) -> None:
        self.gateway = SimpleNamespace(id=worker)
        self.told: list[object] = []
        self.gone = False

    @property
    def shutting_down(self) -> bool:
        return "shutdown" in self.told

    def send_runtest_some(self, indices: Sequence[int]) -> None:
        if self.gone:
            raise OSError("cannot send to a worker that is gone")
        self.told.append(list(indices))

    def shutdown(self) -> None:
        self.told.append("shutdown")


class Stage:
    """A scheduler on a stage: workers, boards, and what was reported."""

    def __init__(self, directory: Path, workers: int) -> None:
        self.directory = directory
        (directory / "needs").mkdir()
        self.reports: list[pytest.CollectReport] = []
        hook = SimpleNamespace(pytest_collectreport=self.collect_report)
        config = SimpleNamespace(option=SimpleNamespace(tx=["popen"] * workers), hook=hook)
        boards = tuple(Board(id=name, kind="k", driver="d") for name in ("a", "b"))
        session = SimpleNamespace(directory=directory, boards=boards, settings=Settings())
        self.board_of: dict[str, str | None] = {}
        self.scheduler = BoardScheduling(cast("Any", config), cast("Any", session), self.board_of)

    def collect_report(self, report: pytest.CollectReport) -> None:
        """Be pytest's hook of that name."""
        self.reports.append(report)

    def join(self, worker: str, board: str | None, collection: Sequence[str] = TESTS) -> Node:
        """Have a worker come and collect."""
        node = Node(worker)
        self.board_of[worker] = board
        self.scheduler.add_node(node)
        needs = [BoardNeed(), BoardNeed(), BoardNeed(board_id="b"), None]
        write_needs(self.directory, worker, [Requirement(need=need) for need in needs])
        self.scheduler.add_node_collection(node, collection)
        if self.scheduler.collection_is_completed:
            self.scheduler.schedule()
        return node


def test_nothing_is_scheduled_before_all_have_collected(tmp_path: Path) -> None:
    """The first orders are given when the last worker has collected."""
    stage = Stage(tmp_path, workers=2)
    one = stage.join("gw0", "a")
    assert not stage.scheduler.collection_is_completed
    assert not stage.scheduler.tests_finished
    assert not stage.scheduler.has_pending
    assert stage.scheduler.nodes == [one]
    assert stage.scheduler.not_run == TESTS

    two = stage.join("gw1", "b")

    assert one.told == [[0, 1]]
    assert two.told == [[2, 3]]
    assert stage.scheduler.has_pending
    assert set(stage.scheduler.nodes) == {one, two}


def test_to_the_end(tmp_path: Path) -> None:
    """Each worker is told to end when nothing follows; then nothing is left."""
    stage = Stage(tmp_path, workers=2)
    one, two = stage.join("gw0", "a"), stage.join("gw1", "b")

    for node, first, second in ((one, 0, 1), (two, 2, 3)):
        stage.scheduler.mark_test_complete(node, first, 0.1)
        assert node.told[-1] == "shutdown"
        stage.scheduler.mark_test_complete(node, second, 0.1)
        assert stage.scheduler.remove_node(node) is None

    assert stage.scheduler.tests_finished
    assert stage.scheduler.not_run == []


def test_a_crash_and_a_plugin_that_runs_crashed_tests_again(tmp_path: Path) -> None:
    """What the dead worker held goes to its replacement, and so does the crashed test that was asked for."""
    stage = Stage(tmp_path, workers=1)
    node = stage.join("gw0", "b")
    assert node.told == [[0, 1]]

    crashed = stage.scheduler.remove_node(node)
    assert crashed == "t0"
    assert crashed not in stage.scheduler.not_run
    stage.scheduler.mark_test_pending(crashed)
    assert crashed in stage.scheduler.not_run
    assert not stage.scheduler.tests_finished

    replacement = stage.join("gw1", "b")
    assert replacement.told == [[0, 1]]


def test_a_worker_that_dies_unnoticed(tmp_path: Path) -> None:
    """Orders that cannot be delivered are no error: xdist says in a moment that the worker is gone."""
    stage = Stage(tmp_path, workers=2)
    one, two = stage.join("gw0", "a"), stage.join("gw1", "b")
    two.gone = True

    stage.scheduler.mark_test_complete(two, 2)

    assert stage.scheduler.remove_node(two) == "t3"
    assert one.told == [[0, 1]]


def test_a_worker_that_dies_while_it_collects(tmp_path: Path) -> None:
    """It had no test; its replacement is waited for."""
    stage = Stage(tmp_path, workers=2)
    stage.join("gw0", "a")
    node = Node("gw1")
    stage.scheduler.add_node(node)

    assert stage.scheduler.remove_node(node) is None
    with pytest.raises(KeyError):
        stage.scheduler.remove_node(node)
    assert not stage.scheduler.tests_finished
    assert stage.join("gw2", "b").told


def test_other_tests_collected(tmp_path: Path) -> None:
    """Workers that disagree run nothing, and the difference is reported."""
    stage = Stage(tmp_path, workers=2)
    one, two = stage.join("gw0", "a"), stage.join("gw1", "b", ["t0"])

    assert stage.scheduler.tests_finished
    assert one.told == two.told == []
    (report,) = stage.reports
    assert report.failed
    assert "Different tests were collected between gw0 and gw1" in str(report.longrepr)


def test_a_replacement_that_collects_other_tests(tmp_path: Path) -> None:
    """It gets no test, since its numbers mean other tests; what it should have run counts as not run."""
    stage = Stage(tmp_path, workers=1)
    stage.scheduler.remove_node(stage.join("gw0", "b"))

    replacement = stage.join("gw1", "b", ["t0", "t9", "t2", "t3"])

    assert replacement.told == ["shutdown"]
    assert len(stage.reports) == 1
    assert len(stage.scheduler.not_run) == 3


def test_events_before_anything_was_scheduled(tmp_path: Path) -> None:
    """Late events of a session that ends early do no harm; nobody is ever asked to give tests back."""
    stage = Stage(tmp_path, workers=2)
    node = stage.join("gw0", "a")

    stage.scheduler.mark_test_complete(node, 0)
    stage.scheduler.mark_test_pending("t0")

    assert node.told == []
    with pytest.raises(NotImplementedError):
        stage.scheduler.remove_pending_tests_from_node(node, [0])
