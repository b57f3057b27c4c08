"""The core's own rungs: the reset that driver or bench can do, and a power cycle where there is a switch.

Registered as a plugin beside the core's others (:func:`harness.plugins.load_plugins`). It also gives the
power switch of a board whose rig file names commands for it.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.health.steps import STEP_SECONDS, RecoveryStep, Rung

if TYPE_CHECKING:
    from harness.health.power_commands import PowerByCommand
    from harness.inventory.leased_board import LeasedBoard

#: How long hardware may take to boot, unless its driver says otherwise by ``boot_seconds``.
BOOT_SECONDS = 10.0
#: A supply that was switched off takes a moment until the board has none: capacitors.
OFF_SECONDS = 2.0
_VIRTUAL_BOOT_SECONDS = 1.0


def harness_make_power_switch(board: LeasedBoard) -> PowerByCommand | None:
    """Give the switch of a board whose rig file has commands for it."""
    from harness.health.power_commands import TABLE, power_by_command

    if TABLE not in board.description.control:
        return None
    return power_by_command(board.description)


def harness_recover_board(board: LeasedBoard) -> list[RecoveryStep]:
    """Give a reset and a power cycle, as far as the board has them."""
    virtual = board.description.virtual
    settles = _VIRTUAL_BOOT_SECONDS if virtual else BOOT_SECONDS
    steps = []
    if virtual:
        reset = partial(_reset_by_bench, board)
        steps.append(RecoveryStep(name="its reset line", rung=Rung.RESET, action=reset, settles=settles))
    else:
        settles, has_reset = _boot_and_reset_of_driver(board)
        if has_reset:
            reset = partial(_reset_by_driver, board)
            steps.append(
                RecoveryStep(
                    name="the reset of its driver",
                    rung=Rung.RESET,
                    action=reset,
                    settles=settles,
                    by_console=True,
                )
            )
    switch = board.power
    if switch is not None:
        cycle = partial(power_cycle, board, off_seconds=0.0 if virtual else OFF_SECONDS)
        seconds = getattr(switch, "cycle_seconds", STEP_SECONDS)
        steps.append(
            RecoveryStep(
                name="a power cycle", rung=Rung.POWER, action=cycle, seconds=seconds, settles=settles
            )
        )
    return steps


def _boot_and_reset_of_driver(board: LeasedBoard) -> tuple[float, bool]:
    """Return how long the board takes to boot, and whether its driver can reset it."""
    try:
        driver = board.driver
    except UsageError:  # nobody makes one; what there is for power may help all the same
        return BOOT_SECONDS, False
    return float(getattr(driver, "boot_seconds", BOOT_SECONDS)), callable(getattr(driver, "reset", None))


# Driver and bench are looked up when the step is taken: the board was closed since it was asked.
def _reset_by_driver(board: LeasedBoard) -> None:
    board.driver.reset()


def _reset_by_bench(board: LeasedBoard) -> None:
    board.virtual.reset()


def power_cycle(board: LeasedBoard, *, off_seconds: float) -> None:
    """Take a board's power away and give it back.

    :param board: the board; it has a switch.
    :param off_seconds: how long it is without power, where the switch does not decide that itself.
    :raises RigFault: the switch does not obey.
    """
    switch = board.power
    assert switch is not None  # noqa: S101 - who calls has looked; tells mypy so
    cycle = getattr(switch, "cycle", None)
    if cycle is not None:
        cycle()
        return
    try:
        switch.set_power(on=False)
        threading.Event().wait(off_seconds)
    finally:  # whatever interrupts it: nobody looks for a board that we left in the dark
        switch.set_power(on=True)
