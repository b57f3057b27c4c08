"""A board's power switched by commands of the rig file: what is run, what fails, and what is refused."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import RigFault, UsageError
from harness.health.power_commands import TABLE, power_by_command
from harness.inventory.board import Board
from harness.rig import load_rig

if TYPE_CHECKING:
    from pathlib import Path

PYTHON = sys.executable


def switch(**table: Any) -> Any:
    """Return the switch of a board with this table."""
    return power_by_command(Board(id="dk", kind="k", driver="d", control={TABLE: table}))


def test_programs_are_run_with_their_arguments(tmp_path: Path) -> None:
    """Without a shell: what looks like one's word is an argument."""
    file = tmp_path / "said"
    program = f"import sys; open({str(file)!r}, 'a').write(repr(sys.argv[1:]))"
    power = switch(on=[PYTHON, "-c", program, "on", "$HOME;"], off=[PYTHON, "-c", program, "off"])

    power.set_power(on=False)
    power.set_power(on=True)

    assert file.read_text() == "['off']['on', '$HOME;']"
    assert not hasattr(power, "cycle")


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (
            "import sys; sys.exit('no such\\n hub')",
            r"ended with 1: no such hub \(control.power_by_command.off",
        ),
        ("print('busy'); raise SystemExit(7)", "ended with 7: busy "),
        ("raise SystemExit(7)", r"ended with 7 \("),
        ("import threading; threading.Event().wait(60)", r"did not end within 0.5 s \("),
    ],
)
def test_a_command_that_fails_is_the_rigs_fault(program: str, words: str) -> None:
    """With what it said, and the key that names it."""
    command = [PYTHON, "-S", "-c", program]
    power = switch(on=command, off=command, seconds=0.5 if "wait" in program else 30)

    with pytest.raises(RigFault, match=f"board dk: .*{words}"):
        power.set_power(on=False)


def test_a_program_that_is_not_there_is_told() -> None:
    """It may be installed on another host of the farm only."""
    with pytest.raises(RigFault, match=r"/nowhere/ykush cannot be run: .*control.power_by_command.cycle"):
        switch(cycle=["/nowhere/ykush"]).cycle()
    with pytest.raises(RigFault, match="has no command to switch it 'off'"):
        switch(cycle=["/nowhere/ykush"]).set_power(on=False)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("", r"cycle: missing key; expected this key, or 'on' and 'off'"),
        ('on = ["a"]', r"off: missing key; expected a command beside 'on'"),
        ('off = ["a"]', r"on: missing key"),
        ('cycle = "uhubctl -a cycle"', r"cycle: does not fit \(got 'uhubctl -a cycle'\); expected a list"),
        ("cycle = []", r"cycle: does not fit"),
        ('cycle = [""]', r"cycle: does not fit"),
        ('cycle = ["a", 3]', r"cycle: does not fit"),
        ('cycle = ["a"]\nseconds = 0', r"seconds: does not fit \(got 0\)"),
        ('cycle = ["a"]\nseconds = true', r"seconds: does not fit"),
        ('cycle = ["a"]\nseconds = nan', r"seconds: does not fit"),
        ('cicle = ["a"]', r"cicle: unknown key \(got \['a'\]\); expected one of on, off, cycle, seconds"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_with_the_file(tmp_path: Path, table: str, words: str) -> None:
    """When the file is read, and not when a board is silent at night."""
    file = tmp_path / "rig.toml"
    file.write_text(f'[[board]]\nusb_serial = "77"\n[board.control.{TABLE}]\n{table}\n')

    with pytest.raises(UsageError, match=rf"rig.toml: board\[0\].control.{TABLE}.{words}"):
        load_rig(file)


def test_a_table_that_fits_is_kept(tmp_path: Path) -> None:
    """A board of the file has its commands."""
    file = tmp_path / "rig.toml"
    file.write_text(f'[[board]]\nusb_serial = "77"\n[board.control.{TABLE}]\ncycle = ["a"]\nseconds = 2.5\n')

    assert load_rig(file).boards[0].control == {TABLE: {"cycle": ["a"], "seconds": 2.5}}
