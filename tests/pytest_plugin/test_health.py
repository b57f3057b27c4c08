"""Whether boards are fit, as a process that runs tests finds out: when they are asked, and what is told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from harness import evidence
from harness.errors import BenchFault, ConsoleTimeout, TestDeadline, UsageError
from harness.health.steps import RecoveryStep, Rung
from harness.pytest_plugin.health import BoardHealth
from harness.pytest_plugin.health_notes import HealthNotes
from harness.pytest_plugin.placement import PLACEMENT_KEY, Placement
from harness.pytest_plugin.state import BOARDS_KEY
from harness.redaction import Redactor
from tests.health.patients import Patient, plugins_with

if TYPE_CHECKING:
    from collections.abc import Generator
    from contextlib import AbstractContextManager
    from pathlib import Path


class Ward:
    """A process with one patient: it holds the board, and a step for it that helps when told to."""

    def __init__(self, directory: Path, *answers: Any, helps: bool = False) -> None:
        self.patient = Patient(*answers)
        self.patient.id = "p"  # type: ignore[attr-defined]  # what a leased board has besides
        self.patient.remarks = []  # type: ignore[attr-defined]
        self.asked = 0
        self.away = False
        self.faults: Exception | None = None
        self.did: list[str] = []
        self.gave_up: list[tuple[str, str]] = []
        self.heard = 0

        def cure() -> None:
            self.did.append("cure")
            if helps:
                self.patient.answers = [True]

        step = RecoveryStep(name="a hug", rung=Rung.NUDGE, action=cure, settles=0.0)
        redactor = Redactor()
        redactor.add("hidden-word", "secret")
        session = SimpleNamespace(
            worker_id="gw0",
            redactor=redactor,
            plugins=plugins_with(
                harness_make_driver=lambda board: self._driver(), harness_recover_board=lambda board: [step]
            ),
        )
        self.notes = HealthNotes(directory)
        self.doubts: str | None = None
        self.health = BoardHealth(cast("Any", session), cast("Any", self), self.notes, desk=cast("Any", self))

    def _driver(self) -> Any:
        self.asked += 1
        return self.patient.driver

    def boards_for(self, item: Any) -> tuple[Any, ...]:
        return () if item.stash[PLACEMENT_KEY].need is None else (self.patient,)

    def doubt(self, _board: Any) -> str | None:
        doubt, self.doubts = self.doubts, None
        return doubt

    def is_away(self, board_id: str) -> bool:
        assert board_id == "p"
        return self.away

    def clear_faults(self, _board: Any) -> None:
        if self.faults is not None:
            raise self.faults

    def leave(self, _board: Any) -> None:
        self.did.append("leave")

    def hear(self) -> None:
        self.heard += 1

    def give_up(self, board_id: str, reason: str) -> None:
        self.gave_up.append((board_id, reason))

    def item(self, *, board: bool = True, count: int = 1) -> Any:
        """A test, with a board or without."""
        need: Any = object() if board else None
        stash = pytest.Stash()
        stash[PLACEMENT_KEY] = Placement(need=need, count=count)
        stash[BOARDS_KEY] = cast("Any", (self.patient,))
        return SimpleNamespace(stash=stash, nodeid="test_x.py::test_y")

    def fitness(self, **test: Any) -> str | None:
        return self.health.fitness(self.item(**test))


def test_a_board_that_others_used_in_vain_is_asked_again(tmp_path: Path) -> None:
    """A board on which another worker's test failed is asked once more before its owner's next test."""
    ward = Ward(tmp_path, True)
    assert ward.fitness() is None

    ward.doubts = "after test_x.py::test_z failed"
    before = ward.asked
    assert [ward.fitness(), ward.fitness()] == [None, None]

    assert ward.asked == before + 1


def test_a_board_is_asked_before_its_first_test_only(tmp_path: Path) -> None:
    """What answers is trusted until something goes wrong; a test without a board asks nobody."""
    ward = Ward(tmp_path, True)

    assert ward.fitness(board=False) is None
    assert ward.asked == 0
    assert [ward.fitness() for _ in range(3)] == [None, None, None]
    assert ward.asked == 1
    assert ward.notes.unread() == []


def test_a_board_that_several_processes_use_is_asked_each_time(tmp_path: Path) -> None:
    """Whoever borrowed it may have left it in any state."""
    ward = Ward(tmp_path, True)

    assert [ward.fitness(count=3) for _ in range(2)] == [None, None]
    assert ward.asked == 2


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (AssertionError(), "failed"),
        (ConsoleTimeout("silence"), "failed"),
        (TestDeadline("too long"), "did not end in time"),
    ],
)
def test_after_a_failure_it_is_asked_again(tmp_path: Path, error: BaseException, ending: str) -> None:
    """A board that fell silent in a test is not the next one's failure, whoever was to blame."""
    ward = Ward(tmp_path, True)
    assert ward.fitness() is None
    _end(ward, None)
    _end(ward, pytest.skip.Exception("not here"))
    assert ward.fitness() is None
    assert ward.asked == 1

    _end(ward, error)
    ward.patient.answers = [False]

    assert ward.fitness() is not None
    told = ward.notes.unread()[0]
    assert f"board p does not answer, after test_x.py::test_y {ending}: its driver" in told


def _end(ward: Ward, error: BaseException | None) -> None:
    """Let a phase of a test end as pytest would tell it."""
    report: Any = object()
    call: Any = SimpleNamespace(excinfo=None if error is None else SimpleNamespace(value=error))
    hook: Generator[None, Any, Any] = ward.health.pytest_runtest_makereport(ward.item(), call)
    next(hook)
    with pytest.raises(StopIteration) as ended:
        hook.send(report)
    assert ended.value.value is report


def test_a_board_that_comes_back_is_used_and_it_is_told(tmp_path: Path) -> None:
    """On the terminal, in the next test's report, and with the board from then on."""
    ward = Ward(tmp_path, False, helps=True)

    assert ward.fitness() is None

    assert ward.did == ["leave", "cure", "leave"]
    assert [line[9:] for line in ward.notes.unread()] == [
        "board p does not answer, before its first test: its driver 'd' got no answer",
        "board p: it answers again after a hug",
    ]
    assert ward.heard == 2
    (remark,) = ward.patient.remarks  # type: ignore[attr-defined]
    assert remark[:12] == "recovered at"
    assert remark.endswith("by a hug: its driver 'd' got no answer")
    shown = _shown_in_setup(ward)
    assert [name for name, _ in shown] == ["health of the board"]
    assert "it answers again after a hug" in shown[0][1]
    assert _shown_in_setup(ward) == []


def _shown_in_setup(ward: Ward) -> list[tuple[str, str]]:
    """Return what the set-up of the next test attaches to its report."""
    shown: list[tuple[str, str]] = []

    class Collector:
        def step(self, title: str) -> AbstractContextManager[object]:
            raise NotImplementedError

        def attach(self, name: str, text: str) -> None:
            shown.append((name, text))

    with evidence.collect_with(Collector()):
        hook: Any = ward.health.pytest_runtest_setup()
        next(hook)
        with pytest.raises(StopIteration):
            next(hook)
    return shown


def test_a_board_that_nothing_brings_back_declines_the_test(tmp_path: Path) -> None:
    """The reason says what ails it and what was tried; what anybody said is redacted."""
    ward = Ward(tmp_path, BenchFault("hidden-word"))

    assert ward.fitness() == "board p does not answer: hidden-word; a hug did not help"
    assert ward.health.unfit_board == "p"
    assert all("hidden-word" not in line for line in ward.notes.unread())
    ward.health.give_up("p", "because")
    assert ward.gave_up == [("p", "because")]
    ward.patient.answers = [True]
    assert ward.fitness() is None


def test_a_board_that_is_away_is_left_to_those_who_wait_for_it(tmp_path: Path) -> None:
    """Neither asked nor reset, also when it goes while it is asked."""
    ward = Ward(tmp_path, False)
    ward.away = True
    assert ward.fitness() is None
    assert ward.asked == 0
    ward.away = False

    def go() -> bool:
        ward.away = True
        return False

    ward.patient.answers = [go]

    assert ward.fitness() is None
    assert ward.did == []


def test_what_was_asked_for_wrongly_is_left_to_the_test(tmp_path: Path) -> None:
    """It fails with the key; no board is given up for it."""
    ward = Ward(tmp_path, UsageError("no such key"))

    assert ward.fitness() is None


def test_a_bench_that_does_not_obey_makes_its_boards_unfit(tmp_path: Path) -> None:
    """Faults of dead sessions that cannot be ended would be the test's."""
    ward = Ward(tmp_path, True)
    ward.faults = BenchFault("no bench answers")

    reason = ward.fitness()

    assert reason == "board p does not answer: no bench answers; a hug did not help"
