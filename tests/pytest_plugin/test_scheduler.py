"""What the scheduler tells xdist's workers, event by event, with workers that only write down."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from harness.config import Settings
from harness.inventory.board import Board
from harness.pytest_plugin.handover import Requirement, write_needs
from harness.pytest_plugin.scheduler import BoardScheduling
from harness.pytest_plugin.turns import Turns
from harness.pytest_plugin.worker_loop import HEALTH
from harness.scheduling.needs import BoardNeed
from harness.scheduling.work import Assignment

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
    """A scheduler on a stage: workers, boards, and what was reported.

    :ivar unfit: the boards that were given up since a worker declined a test, with the reason.
    :ivar given_up: the tests that no board can run any more.
    :ivar seconds: how long tests are expected to take, by kind of board.
    """

    requirements: Sequence[Requirement] = (
        Requirement(need=BoardNeed()),
        Requirement(need=BoardNeed()),
        Requirement(need=BoardNeed(board_id="b")),
        Requirement(),
    )

    def __init__(self, directory: Path, workers: int) -> None:
        self.directory = directory
        (directory / "needs").mkdir()
        self.reports: list[pytest.CollectReport] = []
        self.unfit: list[tuple[str, str]] = []
        self.given_up: list[str] = []
        self.seconds: dict[str, dict[str, float]] = {}
        self.ends_early = False
        self.turns = Turns(directory)
        hook = SimpleNamespace(pytest_collectreport=self.collect_report)
        plugins = SimpleNamespace(get_plugin={HEALTH: self}.get)
        config = SimpleNamespace(hook=hook, pluginmanager=plugins)
        boards = tuple(Board(id=name, kind="k", driver="d") for name in ("a", "b"))
        session = SimpleNamespace(directory=directory, boards=boards, settings=Settings())
        self.board_of: dict[str, str | None] = {}
        self.scheduler = BoardScheduling(
            cast("Any", config),
            cast("Any", session),
            self.board_of,
            workers=workers,
            turns=self.turns,
            expected_seconds=lambda: lambda test: self.seconds.get(test, {}),
            ends_early=lambda: self.ends_early,
        )
        self.scheduler.give_up = self.given_up.extend

    def collect_report(self, report: pytest.CollectReport) -> None:
        """Be pytest's hook of that name."""
        self.reports.append(report)

    def give_up(self, board_id: str, reason: str) -> None:
        """Be what takes care of the boards."""
        self.unfit.append((board_id, reason))
        self.scheduler.give_up_board(board_id)

    def join(
        self, worker: str, board: str | None, collection: Sequence[str] = TESTS, node: Node | None = None
    ) -> Node:
        """Have a worker come and collect."""
        node = node or Node(worker)
        self.board_of[worker] = board
        self.scheduler.add_node(node)
        write_needs(self.directory, worker, self.requirements)
        self.scheduler.add_node_collection(node, collection)
        if self.scheduler.collection_is_completed:
            self.scheduler.schedule()
        return node


def test_nothing_is_scheduled_before_all_have_collected(tmp_path: Path) -> None:
    """The first orders are given when the last worker has collected; board b alone can run one of them."""
    stage = Stage(tmp_path, workers=2)
    one = stage.join("gw0", "a")
    assert not stage.scheduler.collection_is_completed
    assert not stage.scheduler.tests_finished
    assert not stage.scheduler.has_pending
    assert stage.scheduler.nodes == [one]
    assert stage.scheduler.not_run == TESTS

    two = stage.join("gw1", "b")

    assert one.told == [[0]]
    assert two.told == [[2]]
    assert stage.scheduler.has_pending
    assert set(stage.scheduler.nodes) == {one, two}
    assert stage.scheduler.boards_of_running("t2") == ("b",)
    assert stage.scheduler.running_on("a") == "t0"
    assert stage.scheduler.boards_of_running("t1") == ()
    assert stage.scheduler.boards_of_running("of another session") == ()


def test_to_the_end(tmp_path: Path) -> None:
    """Each worker is told to end when nothing follows; then nothing is left."""
    stage = Stage(tmp_path, workers=2)
    one, two = stage.join("gw0", "a"), stage.join("gw1", "b")

    stage.scheduler.mark_test_complete(one, 0, 0.1)
    stage.scheduler.mark_test_complete(two, 2, 0.1)
    assert one.told == [[0], [3]]
    assert two.told == [[2], [1], "shutdown"]
    stage.scheduler.mark_test_complete(two, 1, 0.1)
    assert stage.scheduler.boards_of_running("t1") == ()
    assert stage.scheduler.remove_node(two) is None
    stage.scheduler.mark_test_complete(one, 3, 0.1)
    assert one.told[-1] == "shutdown"
    assert stage.scheduler.remove_node(one) is None

    assert stage.scheduler.tests_finished
    assert stage.scheduler.not_run == []


def test_what_takes_long_on_this_kind_comes_first(tmp_path: Path) -> None:
    """By what earlier sessions say of it; how long it takes on another kind says nothing."""
    stage = Stage(tmp_path, workers=1)
    stage.seconds = {"t0": {"k": 1.0, "other": 90.0}, "t1": {"k": 5.0}, "t2": {"k": 2.0}}

    node = stage.join("gw0", "b")
    stage.scheduler.mark_test_complete(node, 1)

    assert node.told == [[1], [2]]


def test_a_crash_and_a_plugin_that_runs_crashed_tests_again(tmp_path: Path) -> None:
    """The crashed test goes to the dead worker's replacement when that was asked for."""
    stage = Stage(tmp_path, workers=1)
    node = stage.join("gw0", "b")
    assert node.told == [[2]]
    assert stage.turns.claim("gw0", 0), "the worker begins it"

    crashed = stage.scheduler.remove_node(node)
    assert crashed == "t2"
    assert crashed not in stage.scheduler.not_run
    stage.scheduler.mark_test_pending(crashed)
    assert crashed in stage.scheduler.not_run
    assert not stage.scheduler.tests_finished

    replacement = stage.join("gw1", "b")
    assert replacement.told == [[2]]


def test_a_crash_before_the_test_was_begun(tmp_path: Path) -> None:
    """Nobody crashed in it: its replacement runs it."""
    stage = Stage(tmp_path, workers=1)

    assert stage.scheduler.remove_node(stage.join("gw0", "b")) is None
    assert stage.join("gw1", "b").told == [[2]]


@pytest.mark.parametrize("holds_another", [True, False])
def test_a_worker_that_dies_after_a_test(tmp_path: Path, *, holds_another: bool) -> None:
    """What the test shared killed it, so it has failed; what the worker was to run next runs elsewhere."""
    stage = Stage(tmp_path, workers=1)
    node = stage.join("gw0", "b")
    assert stage.turns.claim("gw0", 0), "the worker begins t2"
    stage.scheduler.mark_test_complete(node, 2)
    if holds_another:
        assert stage.turns.claim("gw0", 1), "the worker is about to begin its next test"

    with stage.turns.taking_down("gw0", 2):
        assert stage.scheduler.remove_node(node) == "t2"

    assert set(stage.scheduler.not_run) == {"t0", "t1", "t3"}
    assert stage.join("gw1", "b").told[0] == node.told[1]


def test_a_worker_that_dies_unnoticed(tmp_path: Path) -> None:
    """Orders that cannot be delivered are no error: xdist says in a moment that the worker is gone."""
    stage = Stage(tmp_path, workers=2)
    one, two = stage.join("gw0", "a"), stage.join("gw1", "b")
    two.gone = True

    stage.scheduler.mark_test_complete(two, 2)

    assert stage.scheduler.remove_node(two) is None
    assert one.told == [[0]]
    assert stage.scheduler.not_run == ["t0", "t1", "t3"]


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
    node = stage.join("gw0", "b")
    assert stage.turns.claim("gw0", 0), "the worker begins it"
    stage.scheduler.remove_node(node)

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
    assert not stage.scheduler.may_run_elsewhere("t0", "a")
    assert stage.scheduler.running_on("a") is None
    assert stage.scheduler.waiting == 0
    assert stage.scheduler.take_homeless() == []
    with pytest.raises(NotImplementedError):
        stage.scheduler.remove_pending_tests_from_node(node, [0])


def test_a_declined_test_goes_to_another_board(tmp_path: Path) -> None:
    """Its board is given up with the reason, and what no other board can run is handed out for a report."""
    stage = Stage(tmp_path, workers=2)
    one, two = stage.join("gw0", "a"), stage.join("gw1", "b")
    stage.turns.decline("gw1", 0, "board b is silent")

    stage.scheduler.mark_test_complete(two, 2)

    assert stage.unfit == [("b", "board b is silent")]
    assert stage.given_up == ["t2"]
    stage.turns.decline("gw0", 0, "board a is silent")
    stage.scheduler.mark_test_complete(one, 0)
    assert sorted(stage.given_up) == ["t0", "t1", "t2"]
    assert [3] in [*one.told, *two.told], "the test without a board is run all the same"


def test_once_more_on_another_board(tmp_path: Path) -> None:
    """A test that is to be run again goes where it did not fail; asked at its end, and not before."""
    stage = Stage(tmp_path, workers=2)
    stage.seconds = {test: {"k": seconds} for test, seconds in zip(TESTS, (6.0, 5.0, 9.0, 1.0), strict=True)}
    one, two = stage.join("gw0", "a"), stage.join("gw1", "b")
    again = {"t0": "a"}
    stage.scheduler.once_more = lambda test: again.pop(test, None)
    assert stage.scheduler.may_run_elsewhere("t0", "a")
    assert not stage.scheduler.may_run_elsewhere("t2", "b")

    stage.scheduler.mark_test_complete(one, 0)

    assert "t0" in stage.scheduler.not_run
    assert one.told[1:] == [[1]]
    told = len(two.told)
    stage.scheduler.mark_test_complete(one, 1)
    stage.scheduler.mark_test_complete(two, 2)
    assert [0] in two.told[told:]
    assert [0] not in one.told[1:]


def test_a_session_that_xdist_ends_early(tmp_path: Path) -> None:
    """After ``-x`` nobody gets a test any more, and tests that were sent and not begun are taken back."""
    stage = Stage(tmp_path, workers=2)
    stage.seconds = {test: {"k": 0.001, "": 0.001} for test in TESTS}
    one, two = stage.join("gw0", "a"), stage.join("gw1", "b")
    assert len([index for told in (*one.told, *two.told) for index in cast("list[int]", told)]) == 4
    assert stage.turns.claim("gw0", 0)
    assert stage.turns.claim("gw1", 0)
    first = cast("list[int]", two.told[0])[0]

    stage.ends_early = True
    stage.scheduler.mark_test_complete(two, first)

    assert stage.scheduler.tests_finished
    assert not stage.scheduler.may_run_elsewhere("t0", "a")
    assert not stage.turns.claim("gw0", 1), "its second test was taken back"
    assert not stage.turns.claim("gw1", 1), "its second test was taken back"
    assert len(stage.scheduler.not_run) == 3


def test_the_time_is_over(tmp_path: Path) -> None:
    """What runs ends; nothing is begun, waited for or started any more."""
    stage = Stage(tmp_path, workers=2)
    one, two = stage.join("gw0", "a"), stage.join("gw1", "b")
    stage.scheduler.lose_board("b")

    stage.scheduler.end()

    assert stage.scheduler.tests_finished
    stage.scheduler.mark_test_complete(one, 0)
    assert [told for told in (*one.told, *two.told) if told != "shutdown"] == [[0], [2]]
    assert set(stage.scheduler.not_run) >= {"t1", "t3"}
    assert stage.scheduler.take_homeless() == []


def test_the_time_is_over_before_anything_was_scheduled(tmp_path: Path) -> None:
    """Then nothing is run at all."""
    stage = Stage(tmp_path, workers=1)

    stage.scheduler.end()

    assert stage.join("gw0", "b").told in ([], ["shutdown"])
    assert stage.scheduler.not_run == TESTS


class SeveralBoards(Stage):
    """The first test takes both boards."""

    requirements = (
        Requirement(need=BoardNeed(), count=2),
        Requirement(need=BoardNeed()),
        Requirement(need=BoardNeed(board_id="b")),
        Requirement(),
    )


def test_a_test_of_several_boards(tmp_path: Path) -> None:
    """One worker runs it and is told its boards, when the other has said that it stands by."""
    stage = SeveralBoards(tmp_path, workers=2)
    stage.seconds = {"t0": {"k": 50.0}}
    nodes = {"a": stage.join("gw0", "a"), "b": stage.join("gw1", "b")}
    by_board = {board: stage.turns.told(node.gateway.id, 0) for board, node in nodes.items()}
    (bystander,) = [board for board, told in by_board.items() if told is not None and told.stands_by]
    (runner,) = set(nodes) - {bystander}
    assert nodes[bystander].told == [[0]]
    assert nodes[runner].told == []
    assert stage.scheduler.boards_of_running("t0") == ()

    stage.scheduler.mark_test_complete(nodes[bystander], 0)

    assert nodes[runner].told == [[0]]
    assert nodes[bystander].told == [[0]], "its board is in use"
    assert stage.scheduler.boards_of_running("t0") == (runner, bystander)
    assert stage.turns.told(nodes[runner].gateway.id, 0) == Assignment(0, boards=(runner, bystander))
    assert "t0" in stage.scheduler.not_run
    stage.scheduler.mark_test_complete(nodes[runner], 0)
    assert "t0" not in stage.scheduler.not_run
    assert len(nodes[bystander].told) == 2
