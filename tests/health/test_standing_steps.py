"""The core's own steps: which a board has, and a power cycle that never leaves a board in the dark."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from harness.errors import RigFault
from harness.health import standing_steps
from harness.health.power_commands import TABLE
from harness.health.standing_steps import harness_make_power_switch, harness_recover_board, power_cycle
from tests.health.patients import Patient, Switch, no_driver

if TYPE_CHECKING:
    from pathlib import Path


def test_a_virtual_board_has_its_bench() -> None:
    """The reset line first, then the supply; firmware that is a program boots at once."""
    patient = Patient(True, virtual=True)
    patient.power = Switch(patient)

    reset, power = harness_recover_board(patient.as_board)
    reset.action()
    power.action()

    assert patient.did == ["line reset", "off", "on"]
    assert (reset.name, power.name) == ("its reset line", "a power cycle")
    assert reset.rung < power.rung
    assert reset.settles < standing_steps.BOOT_SECONDS


def test_hardware_has_the_reset_of_its_driver_and_a_switch_if_there_is_one() -> None:
    """How long its kind takes to boot is the driver's to say."""
    patient = Patient(True)
    patient.driver.boot_seconds = 45

    (reset,) = harness_recover_board(patient.as_board)
    reset.action()

    assert patient.did == ["driver reset"]
    assert (reset.name, reset.settles) == ("the reset of its driver", 45.0)


def test_a_driver_without_reset_leaves_the_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Power helps also a board whose driver cannot reset it, or that no plugin drives."""
    monkeypatch.setattr(standing_steps, "OFF_SECONDS", 0.0)

    class Undriven(Patient):
        @property
        def driver(self) -> object:
            raise no_driver()

        @driver.setter
        def driver(self, _driver: object) -> None:
            """Nobody makes one."""

    for patient in (Patient(True), Undriven(True)):
        patient.driver = SimpleNamespace()
        patient.power = Switch(patient)
        (power,) = harness_recover_board(patient.as_board)
        power.action()
        assert patient.did == ["off", "on"]
        assert power.settles == standing_steps.BOOT_SECONDS


def test_a_switch_that_fails_in_between_leaves_the_power_on() -> None:
    """Off may have done half of its work: a board in the dark would be the next one's failure."""
    patient = Patient(True)
    patient.power = Switch(patient, stuck=True)

    with pytest.raises(RigFault, match="stuck"):
        power_cycle(patient.as_board, off_seconds=0.0)

    assert patient.did == ["off", "on"]


def test_a_switch_that_knows_cycles_does_it_itself() -> None:
    """It knows how long its supply takes."""
    patient = Patient(True)
    patient.power = SimpleNamespace(cycle=lambda: patient.did.append("cycle"))

    power_cycle(patient.as_board, off_seconds=60.0)

    assert patient.did == ["cycle"]


def test_commands_of_the_rig_file_are_a_switch(tmp_path: Path) -> None:
    """A board whose rig file has none leaves it to vendors' plugins."""
    file = tmp_path / "cycled"
    command = [sys.executable, "-c", f"open({str(file)!r}, 'w').close()"]
    switch = harness_make_power_switch(Patient(True, control={TABLE: {"cycle": command}}).as_board)
    assert switch is not None

    switch.cycle()

    assert file.exists()
    assert harness_make_power_switch(Patient(True).as_board) is None


def test_time_for_slow_commands_is_granted() -> None:
    """Two commands and the time between them fit into the step."""
    patient = Patient(True, control={TABLE: {"on": ["a"], "off": ["b"], "seconds": 90}})
    patient.power = harness_make_power_switch(patient.as_board)

    step = harness_recover_board(patient.as_board)[-1]

    assert step.seconds > 180
