"""The loop of a worker: what runs when, what stays and what is taken down, who is blamed for a failure."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from harness.pytest_plugin.state import SESSION_KEY
from harness.pytest_plugin.turns import Turns
from harness.pytest_plugin.worker_loop import HEALTH, WorkerLoop
from harness.scheduling.work import Assignment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

pytest_plugins = ["pytester"]

WORKER = "gw0"
#: Two modules; each has a fixture of its own that writes down when it is made and taken down.
MODULE = """
    import os, pytest

    def note(text):
        with open(os.environ["NOTES"], "a") as file:
            file.write(text + "\\n")

    @pytest.fixture(scope="module")
    def thing(request):
        name = request.module.__name__
        note(f"make {name}")
        yield
        note(f"take down {name}")
        assert name not in os.environ.get("STUCK", "")

    @pytest.mark.parametrize("number", [0, 1])
    def test_it(thing, number, request):
        note(f"{request.module.__name__} {number}")
    """


class WorkerInteractor:
    """xdist's end in a worker, with a controller that says one thing at a time.

    :ivar script: what the controller says: first at once, then one thing whenever a test is complete.
    :ivar reports: number of the test that each report is about, its outcome and its phase.
    :ivar complete: the tests that the worker was done with.
    """

    def __init__(self, script: Sequence[Sequence[int] | None]) -> None:
        self.script = list(script)
        self.reports: list[tuple[int, str, str]] = []
        self.complete: list[int] = []
        self.channel = self
        self.item_index = -1
        self.hear: Callable[[object], None]

    def setcallback(self, callback: Callable[[object], None], endmarker: object) -> None:
        """Be execnet's channel."""
        assert endmarker is None
        self.hear = callback
        self.speak()

    def speak(self) -> None:
        """Say the next thing; a list of tests, or ``None`` for the end."""
        if self.script:
            tests = self.script.pop(0)
            self.hear(("shutdown", {}) if tests is None else ("runtests", {"indices": list(tests)}))

    def sendevent(self, name: str, *, item_index: int, duration: float) -> None:
        """Hear what the worker tells the controller."""
        assert name == "runtest_protocol_complete"
        assert duration >= 0
        self.complete.append(item_index)
        self.speak()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Be xdist's hook of that name, which takes the test from ``item_index``."""
        self.reports.append((self.item_index, report.outcome, str(report.when)))


class Stage:
    """A worker on a stage: two modules with two tests each, numbered 0 to 3."""

    def __init__(
        self, pytester: pytest.Pytester, notes: Path, script: Sequence[Sequence[int] | None]
    ) -> None:
        self.turns = Turns(pytester.path)
        self.interactor = WorkerInteractor(script)
        self.notes_file = notes
        self.health: object = None
        self.lent: list[object] = []
        self._pytester = pytester

    def stand_by(self) -> None:
        """Be the lender's."""
        self.lent.append("stands by")

    def assign(self, item: pytest.Item, boards: Sequence[str]) -> None:
        """Be the lender's."""
        self.lent.append((item.name, tuple(boards)))

    def pytest_configure(self, config: pytest.Config) -> None:
        """Put the loop where a worker has it."""
        redactor = SimpleNamespace(redact=lambda text: text.replace("hunter2", "<secret>"))
        settings = SimpleNamespace(test_deadline=1.0)
        config.stash[SESSION_KEY] = cast("Any", SimpleNamespace(redactor=redactor, settings=settings))
        config.pluginmanager.register(self.interactor)
        loop = WorkerLoop(config, self, self.turns, WORKER)
        config.pluginmanager.register(loop)
        if self.health is not None:
            config.pluginmanager.register(self.health, HEALTH)

    def run(self) -> list[str]:
        """Run the worker to its end; return what the tests wrote down."""
        self._pytester.inline_run("-p", "no:cacheprovider", plugins=[self])
        return self.notes_file.read_text().splitlines() if self.notes_file.exists() else []


@pytest.fixture
def stage(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Stage]:
    """Build the stage for what a controller says."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    notes = pytester.path / "notes"
    monkeypatch.setenv("NOTES", str(notes))
    pytester.makepyfile(test_a=MODULE, test_b=MODULE)
    return lambda *script: Stage(pytester, notes, script)


def test_a_test_begins_before_the_next_one_is_known(stage: Callable[..., Stage]) -> None:
    """What its module shares stays until a test of another one comes, and until the end."""
    worker = stage([0], [1], [2], None)

    assert worker.run() == [
        "make test_a",
        "test_a 0",
        "test_a 1",
        "take down test_a",
        "make test_b",
        "test_b 0",
        "take down test_b",
    ]
    assert worker.interactor.complete == [0, 1, 2]


def test_what_is_known_in_time_is_heeded(stage: Callable[..., Stage]) -> None:
    """The fixtures that the next test does not use are then taken down in the tear-down of the last one."""
    worker = stage([0, 2], None)

    assert worker.run() == [
        "make test_a",
        "test_a 0",
        "take down test_a",
        "make test_b",
        "test_b 0",
        "take down test_b",
    ]
    assert {index for index, *_ in worker.interactor.reports} == {0, 2}


@pytest.mark.parametrize("script", [([0], [2], None), ([0], None)], ids=["another-module", "the-end"])
def test_a_late_tear_down_that_fails(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch, script: Sequence[Sequence[int] | None]
) -> None:
    """It is reported on the test that ran last, as pytest would have done."""
    monkeypatch.setenv("STUCK", "test_a")
    worker = stage(*script)

    worker.run()

    assert [report for report in worker.interactor.reports if report[1] == "failed"] == [
        (0, "failed", "teardown")
    ]


def test_a_late_tear_down_that_hangs(stage: Callable[..., Stage], pytester: pytest.Pytester) -> None:
    """It is interrupted when its time is over, like any other."""
    pytester.makepyfile(
        test_a="""
        import pytest, threading

        @pytest.fixture(scope="module")
        def thing():
            yield
            threading.Event().wait(10)

        def test_it(thing): ...
        """
    )
    worker = stage([0], None)

    worker.run()

    assert worker.interactor.reports[-1] == (0, "failed", "teardown")


def test_a_revoked_test_is_passed_over(stage: Callable[..., Stage]) -> None:
    """No report, no trace; the controller hears that the worker is done with it."""
    worker = stage([0], [1], [3], None)
    assert worker.turns.claim(WORKER, 1)

    notes = worker.run()

    assert "test_a 1" not in notes
    assert worker.interactor.complete == [0, 1, 3]
    assert {index for index, *_ in worker.interactor.reports} == {0, 3}
    assert not worker.turns.claim(WORKER, 2), "the worker began its third turn"


def test_a_declined_test(stage: Callable[..., Stage]) -> None:
    """It leaves no trace but the reason, without secrets; those before and after run."""
    worker = stage([0], [1], [2], None)
    worker.health = SimpleNamespace(
        fitness=lambda item: "silent, said hunter2" if item.name.endswith("[1]") else None
    )

    notes = worker.run()

    assert "test_a 1" not in notes
    assert worker.interactor.complete == [0, 1, 2]
    assert [worker.turns.declined(WORKER, turn) for turn in range(3)] == [None, "silent, said <secret>", None]
    assert {index for index, *_ in worker.interactor.reports} == {0, 2}


def test_several_boards(stage: Callable[..., Stage]) -> None:
    """Whoever stands by runs nothing; whoever runs is told the boards, after the judgement on his own."""
    worker = stage([0], [1], None)
    worker.turns.tell(WORKER, 0, Assignment(0, stands_by=True))
    worker.turns.tell(WORKER, 1, Assignment(1, boards=("b", "a")))

    notes = worker.run()

    assert worker.lent == ["stands by", ("test_it[1]", ("b", "a"))]
    assert notes == ["make test_a", "test_a 1", "take down test_a"]
    assert worker.interactor.complete == [0, 1]


def test_a_board_that_is_not_fit_does_not_stand_by(stage: Callable[..., Stage]) -> None:
    """Its worker declines, and closes nothing."""
    worker = stage([0], None)
    worker.turns.tell(WORKER, 0, Assignment(0, stands_by=True))
    worker.health = SimpleNamespace(fitness=lambda _item: "silent")

    worker.run()

    assert worker.lent == []
    assert worker.turns.declined(WORKER, 0) == "silent"


def test_a_session_that_is_to_stop(stage: Callable[..., Stage], pytester: pytest.Pytester) -> None:
    """The worker takes nothing more, and takes down what it had."""
    pytester.makeconftest("def pytest_runtest_logfinish(nodeid): raise_stop(nodeid)\n" + STOPS)
    worker = stage([0], [1], None)

    notes = worker.run()

    assert notes == ["make test_a", "test_a 0", "take down test_a"]
    assert worker.interactor.complete == [0]


STOPS = """
import pytest
session = None

def pytest_sessionstart(session):
    globals()["session"] = session

def raise_stop(nodeid):
    session.shouldstop = "enough"
"""


def test_a_controller_that_is_gone(stage: Callable[..., Stage]) -> None:
    """The worker ends when its channel does."""
    worker = stage([0])
    complete = worker.interactor.sendevent

    def send(name: str, **facts: Any) -> None:
        complete(name, **facts)
        worker.interactor.hear(None)

    worker.interactor.sendevent = send  # type: ignore[method-assign]  # the controller dies then

    assert worker.run() == ["make test_a", "test_a 0", "take down test_a"]
