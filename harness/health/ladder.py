"""The ladder by which a board that does not answer is brought back, the gentlest rung first.

After each step the board is asked again, until it answers or the time that the step gives it is over. What a
board has there is said by plugins (``harness_recover_board``); the core's own steps are in
:mod:`harness.health.standing_steps`.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from harness.alarm import interrupted_after
from harness.errors import RigFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from harness.health.steps import RecoveryStep
    from harness.inventory.leased_board import LeasedBoard
    from harness.plugins import HarnessPluginManager

# A board that is asked and says at once that it is not there is asked again after so long.
_PAUSE_SECONDS = 0.2


def steps_for(
    board: LeasedBoard, plugins: HarnessPluginManager, tell: Callable[[str], None]
) -> list[RecoveryStep]:
    """Return what may be done for a board, the gentlest first.

    :param board: the board.
    :param plugins: who knows.
    :param tell: takes why nothing is known, when a plugin fails to say it.
    """
    try:
        offered = plugins.hook.harness_recover_board(board=board)
        return sorted((step for steps in offered for step in steps), key=lambda step: step.rung)
    except Exception as error:  # noqa: BLE001 - whatever a plugin raises, the session goes on without
        tell(f"a plugin does not say what could bring it back: {type(error).__name__}: {error}")
        return []


def climb(
    steps: Iterable[RecoveryStep],
    ask: Callable[[], str | None],
    *,
    prepare: Callable[[], None],
    tell: Callable[[str], None],
) -> str | None:
    """Take one step after the other until the board answers.

    :param steps: what may be done, the gentlest first.
    :param ask: says what ails the board; ``None`` when it answers.
    :param prepare: called before each step, and before the board is asked after it: lets go of what is open.
    :param tell: takes what became of each step, for people.
    :return: what brought it back; ``None`` when nothing did.
    """
    for step in steps:
        prepare()
        try:
            _take(step)
        except Exception as error:  # noqa: BLE001 - a switch may raise anything; the next rung is tried
            text = str(error) or type(error).__name__
            tell(f"{step.name} failed: {text}")
            continue
        prepare()
        ailment = _wait_for_answer(ask, step.settles)
        if ailment is None:
            tell(f"it answers again after {step.name}")
            return step.name
        tell(f"{step.name} did not help: {ailment}")
    return None


def _take(step: RecoveryStep) -> None:
    with interrupted_after(step.seconds, lambda: RigFault(f"it was not done within {step.seconds:g} s")):
        step.action()


def _wait_for_answer(ask: Callable[[], str | None], seconds: float) -> str | None:
    """Ask until the board answers or the time is over; return what ails it then."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while (ailment := ask()) is not None:
        left = end - time.monotonic()
        if left <= 0:
            return ailment
        pause.wait(min(left, _PAUSE_SECONDS))
    return None


def in_vain(steps: Sequence[RecoveryStep]) -> str:
    """Say for a person that none of the steps helped."""
    if not steps:
        return "nothing is known that could bring it back (no reset, no power switch)"
    names = [step.name for step in steps]
    if len(names) == 1:
        return f"{names[0]} did not help"
    return f"neither {', '.join(names[:-1])} nor {names[-1]} helped"
