"""ModemManager and the rules that keep it from boards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.doctor.findings import Level
from harness.doctor.modem_manager import is_running, judge
from harness.doctor.udev import ignored_vendors, read_rules, rules_for

if TYPE_CHECKING:
    from pathlib import Path

SEGGER = 0x1366


def test_it_does_not_run() -> None:
    """Then nothing is wrong, whatever the rules say."""
    (found,) = judge(running=False, vendors={SEGGER}, ignored=(), plugged={SEGGER})

    assert (found.level, found.what) == (Level.OK, "does not run")


def test_it_is_told_to_leave_boards_alone() -> None:
    """It may run where every vendor of boards is ignored."""
    (found,) = judge(running=True, vendors={SEGGER}, ignored={SEGGER, 1}, plugged={SEGGER})

    assert found.level is Level.OK


@pytest.mark.parametrize(("plugged", "level"), [({SEGGER}, Level.PROBLEM), ({1}, Level.WARNING)])
def test_it_probes_boards(plugged: set[int], level: Level) -> None:
    """A board that it disturbs now is a problem, one that may be plugged in some day a warning."""
    (found,) = judge(running=True, vendors={SEGGER}, ignored=(), plugged=plugged)

    assert found.level is level
    assert "USB vendor 1366" in found.what
    assert found.commands[0].startswith("harness doctor --udev-rules | sudo tee /etc/udev/rules.d/70-")


def test_it_is_found_among_the_processes(tmp_path: Path) -> None:
    """By its name; other processes, and one that ended meanwhile, are no matter."""
    for number, name in (("1", "init\n"), ("20", "ModemManagerish\n")):
        (tmp_path / number).mkdir()
        (tmp_path / number / "comm").write_text(name)
    (tmp_path / "30" / "comm").mkdir(parents=True)
    assert not is_running(tmp_path)

    (tmp_path / "40").mkdir()
    (tmp_path / "40" / "comm").write_text("ModemManager\n")
    assert is_running(tmp_path)


def test_our_rules_are_understood_by_us() -> None:
    """What the rules to paste say is what is looked for, for every vendor once."""
    rules = rules_for([SEGGER, 0x1915, SEGGER])

    assert rules == [
        'SUBSYSTEM=="usb", ATTR{idVendor}=="1366", ENV{ID_MM_DEVICE_IGNORE}="1"',
        'SUBSYSTEM=="tty", ATTRS{idVendor}=="1366", GROUP="dialout", MODE="0660", TAG+="uaccess"',
        'SUBSYSTEM=="usb", ATTR{idVendor}=="1915", ENV{ID_MM_DEVICE_IGNORE}="1"',
        'SUBSYSTEM=="tty", ATTRS{idVendor}=="1915", GROUP="dialout", MODE="0660", TAG+="uaccess"',
    ]
    assert ignored_vendors("\n".join(rules)) == {SEGGER, 0x1915}


@pytest.mark.parametrize(
    ("line", "vendors"),
    [
        ('ATTRS{idVendor}=="1366", ENV{ID_MM_DEVICE_IGNORE}="1"', {SEGGER}),
        ('ATTRS{idVendor}=="1366", \\\n  ENV{ID_MM_DEVICE_IGNORE}="1"', {SEGGER}),
        ('# ATTRS{idVendor}=="1366", ENV{ID_MM_DEVICE_IGNORE}="1"', set()),
        ('ATTRS{idVendor}=="1366", ATTRS{idProduct}=="0101", ENV{ID_MM_DEVICE_IGNORE}="1"', set()),
        ('ATTRS{idVendor}=="1366", ENV{ID_MM_DEVICE_IGNORE}="0"', set()),
        ('ENV{ID_MM_DEVICE_IGNORE}="1"', set()),
    ],
)
def test_rules_of_others(line: str, vendors: set[int]) -> None:
    """Comments and rules for one product do not tell it to leave all boards of a vendor alone."""
    assert ignored_vendors(line) == vendors


def test_rules_are_read_from_all_places(tmp_path: Path) -> None:
    """Files of rules only; what is missing or cannot be read is left out."""
    (tmp_path / "a.rules").write_text("one")
    (tmp_path / "b.rules").mkdir()
    (tmp_path / "c.txt").write_text("three")

    assert read_rules([tmp_path, tmp_path / "missing"]) == "one"
