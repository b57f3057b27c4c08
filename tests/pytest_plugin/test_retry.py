"""What other plugins see of failures that are tried again, in the controller and in a worker."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from harness.pytest_plugin.report_records import FINAL_ATTRIBUTE, BoardUsed, TestFacts
from harness.pytest_plugin.retry import Retries, StoppingLeftToController, make_fresh
from tests.pytest_plugin.test_report_records import report

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

TEST = "test_x.py::test_a"
BOARD = BoardUsed(id="a", kind="k", bench="virtual")


def phase(when: str = "call", verdict: str | None = None, boards: int = 1) -> pytest.TestReport:
    """Make the report of a phase that failed, if anybody is to blame."""
    facts = TestFacts(boards=[BOARD] * boards, verdict=verdict)
    outcome = "passed" if verdict is None else "failed"
    return report(TEST, when, outcome, verdict and f"{verdict} broke", facts)


class Stage:
    """Retries of a session that has a board to spare, or not."""

    def __init__(self, *, spare: bool = True, limit: int = 1) -> None:
        """Begin the session."""
        self.stopped: list[str] = []
        self.asked: list[tuple[str, str]] = []
        self._spare = spare
        self.retries = Retries(limit, self, stop=self.stopped.append)
        self.reporter = SimpleNamespace(stats={})
        manager = SimpleNamespace(get_plugin=lambda _name: self.reporter)
        self.session = SimpleNamespace(shouldstop=False, config=SimpleNamespace(pluginmanager=manager))
        self.retries.pytest_sessionstart(cast("Any", self.session))

    def may_run_elsewhere(self, test: str, board: str) -> bool:
        """Be what hands out the tests."""
        self.asked.append((test, board))
        return self._spare

    def tell(self, *reports: pytest.TestReport) -> list[str]:
        """Have reports pass; return what other plugins see of each."""
        for each in reports:
            through(self.retries.pytest_runtest_logreport(each))
        return [each.outcome for each in reports]


def through(hook: Generator[None, Any, Any], meanwhile: Callable[[], None] = lambda: None) -> None:
    """Go through a wrapper as pluggy does."""
    next(hook)
    meanwhile()
    with pytest.raises(StopIteration):
        hook.send(None)


def test_of_several_boards_the_faulty_one_is_avoided() -> None:
    """Where it is known which board failed, it is that one on which the test does not run again."""
    for faulty, avoided in (("b", "b"), ("", "a")):
        stage = Stage()
        facts = TestFacts(boards=[BOARD, replace(BOARD, id="b")], verdict="rig", faulty=faulty)

        assert stage.tell(report(TEST, "call", "failed", "rig broke", facts)) == ["rerun"]

        assert stage.asked == [(TEST, avoided)]
        assert stage.retries.end(TEST) == avoided


def test_a_failure_of_the_rig_is_no_failure_for_others() -> None:
    """It is shown once, and what hands out the tests is told on which board it was."""
    stage = Stage()
    setup, call, teardown = phase("setup"), phase("call", "rig"), phase("teardown", "rig")

    assert stage.tell(setup, call, teardown) == ["passed", "rerun", "rerun"]

    assert stage.asked == [(TEST, "a")]
    assert stage.retries.pytest_report_teststatus(setup) is None
    assert stage.retries.pytest_report_teststatus(call) == ("retried", "R", ("RETRIED", {"yellow": True}))
    assert stage.retries.pytest_report_teststatus(teardown) == ("", "", "")
    assert stage.retries.end(TEST) == "a"
    assert stage.retries.end(TEST) is None, "that was told"
    assert stage.tell(phase("setup"), phase("call", "rig")) == ["passed", "failed"]
    assert stage.retries.end(TEST) is None


@pytest.mark.parametrize(
    ("stage", "failure"),
    [
        (Stage(spare=False), phase(verdict="rig")),
        (Stage(), phase(verdict="product")),
        (Stage(), phase(verdict="rig", boards=0)),
    ],
    ids=["no other board", "the product", "no board at all"],
)
def test_what_is_not_tried_again(stage: Stage, failure: pytest.TestReport) -> None:
    """It stays a failure."""
    assert stage.tell(failure) == ["failed"]
    assert stage.retries.end(TEST) is None


def test_what_counts_after_all_takes_the_rest_with_it() -> None:
    """The text of the first failure is in the second one, and the terminal counts no retry."""
    stage = Stage()
    call, teardown = phase("call", "rig"), phase("teardown", "product")
    assert stage.tell(call) == ["rerun"]
    stage.reporter.stats["retried"] = [call]

    assert stage.tell(teardown) == ["failed"]

    assert teardown.longrepr == "product broke\n---- before that ----\nrig broke"
    assert stage.reporter.stats == {"retried": []}
    assert stage.retries.end(TEST) is None


def test_a_failure_that_is_told_again_is_left_alone() -> None:
    """At the end of a session that was cut off it counts."""
    stage, last = Stage(), phase(verdict="rig")
    setattr(last, FINAL_ATTRIBUTE, True)

    assert stage.tell(last) == ["failed"]


def test_what_stops_a_session_without_workers_stops_one_with_them() -> None:
    """Plugins of the controller tell pytest's session only, which xdist does not ask."""
    stage = Stage()
    stage.tell(phase("setup"))
    assert stage.stopped == []

    stage.session.shouldstop = "stepwise"
    stage.tell(phase("call", "product"))

    assert stage.stopped == ["stepwise"]


@pytest.mark.parametrize(("limit", "times"), [(1, "once"), (3, "up to 3 times")])
def test_the_header_says_it(limit: int, times: str) -> None:
    """Nobody has to guess why a test ran twice."""
    line = Stage(limit=limit).retries.pytest_report_header()

    assert (
        line
        == f"harness: a test that fails by the rig is run again {times}, on another board (--rig-retries)"
    )


@pytest.mark.parametrize(
    ("verdict", "expected"), [("rig", (4, False, False)), ("product", (5, "maxfail", "stepwise"))]
)
def test_a_worker_does_not_stop_for_the_rig(verdict: str, expected: tuple[object, ...]) -> None:
    """The controller decides whether such a failure counts; any other one stops the worker at once."""
    session = SimpleNamespace(testsfailed=4, _shouldfail=False, _shouldstop=False)
    left = StoppingLeftToController()
    left.pytest_sessionstart(cast("Any", session))

    def conclude() -> None:
        session.testsfailed, session._shouldfail, session._shouldstop = 5, "maxfail", "stepwise"

    through(cast("Any", left.pytest_runtest_logreport(phase(verdict=verdict))), conclude)

    assert (session.testsfailed, session._shouldfail, session._shouldstop) == expected


def test_pytest_keeps_of_a_session_what_we_undo(request: pytest.FixtureRequest) -> None:
    """The names are pytest's own and could change."""
    assert {"testsfailed", "_shouldfail", "_shouldstop"} <= vars(request.session).keys()


class TestAgain:
    """What pytest keeps for the life of an item."""

    def test_an_instance(self, request: pytest.FixtureRequest) -> None:
        """A test of a class gets another one."""
        item: Any = request.node
        before = item.instance

        make_fresh(item)

        assert item.instance is not before
        item._instance = before


def test_a_fixture_that_could_not_be_made_is_made_again() -> None:
    """One that was made stays."""

    def definition(result: tuple[object, ...] | None) -> SimpleNamespace:
        return SimpleNamespace(cached_result=result, _finalizers=["take it down"])

    failed, made, new = definition((None, "key", OSError())), definition((7, "key", None)), definition(None)
    item = SimpleNamespace(_fixtureinfo=SimpleNamespace(name2fixturedefs={"f": (failed, made), "g": (new,)}))

    make_fresh(item)

    assert (failed.cached_result, failed._finalizers) == (None, [])
    assert made.cached_result is not None
    assert made._finalizers == ["take it down"]
