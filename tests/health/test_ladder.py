"""Bringing a board back: the order of steps, what each may take, and when it is enough."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import RigFault
from harness.health.ladder import climb, in_vain, steps_for
from harness.health.steps import RecoveryStep, Rung
from tests.health.patients import Patient, plugins_with

if TYPE_CHECKING:
    from collections.abc import Callable


class Climb:
    """A ladder of which a test says what each rung does."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.told: list[str] = []
        self.answers = False

    def step(self, name: str, *, helps: bool = False, fails: Exception | None = None, **how: Any) -> Any:
        def action() -> None:
            self.did.append(name)
            if fails is not None:
                raise fails
            self.answers = self.answers or helps

        return RecoveryStep(name=name, rung=Rung.RESET, action=action, **{"settles": 0.0, **how})

    def ask(self) -> str | None:
        self.did.append("ask")
        return None if self.answers else "it is silent"

    def climb(self, *steps: RecoveryStep) -> str | None:
        return climb(steps, self.ask, prepare=lambda: self.did.append("let go"), tell=self.told.append)


def test_the_first_step_that_helps_is_the_last() -> None:
    """Before each step, and before it is asked, what is open is let go."""
    ladder = Climb()

    helped = ladder.climb(
        ladder.step("a reset"), ladder.step("a power cycle", helps=True), ladder.step("new firmware")
    )

    assert helped == "a power cycle"
    assert ladder.did == [
        *("let go", "a reset", "let go", "ask"),
        *("let go", "a power cycle", "let go", "ask"),
    ]
    assert ladder.told == ["a reset did not help: it is silent", "it answers again after a power cycle"]


@pytest.mark.parametrize(
    ("error", "words"),
    [(RigFault("the relay is stuck"), "the relay is stuck"), (ZeroDivisionError(), "ZeroDivisionError")],
)
def test_a_step_that_fails_is_told_and_the_next_one_tried(error: Exception, words: str) -> None:
    """A board is not asked after what was not done."""
    ladder = Climb()

    assert ladder.climb(ladder.step("a reset", fails=error), ladder.step("a nudge", helps=True)) == "a nudge"
    assert ladder.told[0] == f"a reset failed: {words}"
    assert ladder.did.count("ask") == 1


def test_a_step_that_does_not_end_is_interrupted() -> None:
    """A power strip that never answers does not keep the session."""
    ladder = Climb()

    def wait() -> None:
        threading.Event().wait(60)

    endless = RecoveryStep(
        name="a reset",
        rung=Rung.RESET,
        action=wait,
        seconds=0.05,
    )

    assert ladder.climb(endless) is None
    assert ladder.told == ["a reset failed: it was not done within 0.05 s"]


def test_a_board_that_boots_is_asked_until_it_answers() -> None:
    """The time that a step gives it is waited for, and no longer than needed."""
    ladder = Climb()
    asked: list[None] = []

    def ask() -> str | None:
        asked.append(None)
        return None if len(asked) == 3 else "it boots"

    steps = [ladder.step("a reset", settles=30.0)]
    assert climb(steps, ask, prepare=lambda: None, tell=ladder.told.append) == "a reset"
    assert len(asked) == 3


def test_an_interrupt_ends_the_climb() -> None:
    """Ctrl-C is nobody's failed step."""
    ladder = Climb()

    def interrupt() -> None:
        raise KeyboardInterrupt

    step = RecoveryStep(name="a reset", rung=Rung.RESET, action=interrupt)
    with pytest.raises(KeyboardInterrupt):
        ladder.climb(step)


def test_steps_of_all_plugins_are_sorted_by_what_they_do_to_the_board() -> None:
    """The gentlest first, whoever offers it; of equal ones in the plugins' order."""

    def step(name: str, rung: int) -> RecoveryStep:
        return RecoveryStep(name=name, rung=rung, action=lambda: None)

    offered: list[Callable[[Any], Any]] = [
        lambda board: [step("power", Rung.POWER), step("reset", Rung.RESET)],
        lambda board: [step("firmware", Rung.REWRITE), step("line end", Rung.NUDGE), step("debug", 25)],
        lambda board: None,
    ]
    plugins = plugins_with(harness_recover_board=offered[0])
    for number, hook in enumerate(offered[1:]):
        plugins.register(type("Plugin", (), {"harness_recover_board": staticmethod(hook)}), f"more-{number}")

    told: list[str] = []
    names = [step.name for step in steps_for(Patient(True).as_board, plugins, told.append)]
    assert told == []
    assert names == ["line end", "reset", "debug", "power", "firmware"]


@pytest.mark.parametrize("offered", [3, ["a power cycle"], ZeroDivisionError("oh")])
def test_a_plugin_that_says_nonsense_is_told(offered: object) -> None:
    """The session goes on without its steps, and without those of others, for nobody knows who it was."""

    def offer(board: object) -> object:
        if isinstance(offered, Exception):
            raise offered
        return offered

    told: list[str] = []
    assert steps_for(Patient(True).as_board, plugins_with(harness_recover_board=offer), told.append) == []
    assert told[0].startswith("a plugin does not say what could bring it back: ")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], "nothing is known that could bring it back (no reset, no power switch)"),
        (["a reset"], "a reset did not help"),
        (["a reset", "a power cycle"], "neither a reset nor a power cycle helped"),
        (["a", "b", "c"], "neither a, b nor c helped"),
    ],
)
def test_what_was_in_vain_is_said(names: list[str], words: str) -> None:
    """In one sentence, for a person."""
    ladder = Climb()
    assert in_vain([ladder.step(name) for name in names]) == words


@given(st.lists(st.sampled_from(["helps", "does nothing", "fails"]), max_size=6))
def test_climbing_stops_at_the_first_help_and_never_skips(outcomes: list[str]) -> None:
    """Whatever the steps do: each before the first that helps was tried once, none behind it."""
    ladder = Climb()
    steps = [
        ladder.step(
            str(number),
            helps=outcome == "helps",
            fails=RigFault("no") if outcome == "fails" else None,
        )
        for number, outcome in enumerate(outcomes)
    ]
    helped = ladder.climb(*steps)

    first = outcomes.index("helps") if "helps" in outcomes else None
    assert helped == (None if first is None else str(first))
    tried = [name for name in ladder.did if name not in {"let go", "ask"}]
    assert tried == [str(number) for number in range(len(outcomes) if first is None else first + 1)]
