"""Permissions of serial ports: who may not open which, and what mends it."""

from __future__ import annotations

import os
import pty
from dataclasses import replace
from typing import Any

import pytest

from harness.doctor import serial_access
from harness.doctor.findings import Level
from harness.doctor.serial_access import PortFacts, UserFacts, judge, look_at_ports, look_at_user
from harness.inventory.serial_ports import SerialPort

SEGGER = 0x1366
ALICE = UserFacts(name="alice", groups=frozenset({"alice"}), listed_groups=frozenset({"alice"}))


def port(device: str = "/dev/ttyACM0", **facts: Any) -> PortFacts:
    """Describe a port that belongs to dialout and cannot be opened."""
    closed = PortFacts(device=device, vendor=SEGGER, group="dialout", mode=0o660, usable=False)
    return replace(closed, **facts)


def test_no_port_is_no_problem() -> None:
    """A host without boards is well."""
    (found,) = judge([], ALICE, {SEGGER})

    assert (found.level, found.what) == (Level.OK, "none of a USB device is there")


def test_ports_that_can_be_opened_are_named() -> None:
    """All is well, and which ports that is."""
    (found,) = judge([port(usable=True), port("/dev/ttyACM1", usable=True)], ALICE, {SEGGER})

    assert (found.level, found.what) == (Level.OK, "you may open /dev/ttyACM0, /dev/ttyACM1")


def test_who_is_not_in_the_group_joins_it() -> None:
    """Ports of a group that may use them: one finding for all of them, and the command to paste."""
    (found,) = judge([port(), port("/dev/ttyACM1")], ALICE, {SEGGER})

    assert found.level is Level.PROBLEM
    assert found.what == "alice may not open /dev/ttyACM0, /dev/ttyACM1 (group dialout, mode 0660)"
    assert found.commands == ("sudo usermod -aG dialout alice",)


def test_who_joined_the_group_logs_in_anew() -> None:
    """Groups count from the next login on."""
    (found,) = judge([port()], replace(ALICE, listed_groups=frozenset({"dialout"})), {SEGGER})

    assert "log out and in again" in found.advice
    assert found.commands == ()


def test_who_is_in_the_group_is_told_of_something_else() -> None:
    """In a container permissions are not everything; no command is invented."""
    (found,) = judge([port()], replace(ALICE, groups=frozenset({"dialout"})), {SEGGER})

    assert "container" in found.advice
    assert found.commands == ()


@pytest.mark.parametrize("facts", [{"group": "root"}, {"mode": 0o600}, {"group": "root", "mode": 0o600}])
def test_ports_of_root_need_a_rule(facts: dict[str, Any]) -> None:
    """Ports that no group may use are given to one by udev."""
    (found,) = judge([port(**facts)], ALICE, {SEGGER})

    assert found.level is Level.PROBLEM
    assert found.commands == (
        "harness doctor --udev-rules | sudo tee /etc/udev/rules.d/70-harness-boards.rules",
        "sudo udevadm control --reload && sudo udevadm trigger",
        "sudo usermod -aG dialout alice",
    )


def test_ports_of_unknown_devices_are_a_warning() -> None:
    """Somebody's thermometer keeps no session from working, and gets no rule of ours."""
    known, unknown = judge(
        [port(), port("/dev/ttyUSB0", vendor=0x0403, group="root", mode=0o600)], ALICE, {SEGGER}
    )

    assert known.level is Level.PROBLEM
    assert (unknown.level, unknown.commands) == (Level.WARNING, ())
    assert "/dev/ttyUSB0" in unknown.what
    assert "No known board" in unknown.why


def test_ports_are_looked_at() -> None:
    """Mode and usability are the file's; what is not on USB, or gone by now, is left out."""
    master, slave = pty.openpty()
    device = os.ttyname(slave)
    os.fchmod(slave, 0o640)

    (found,) = look_at_ports(
        [
            SerialPort(device=device, vid=SEGGER, pid=1),
            SerialPort(device="/dev/gone", vid=SEGGER, pid=1),
            SerialPort(device=device),
        ]
    )

    assert (found.device, found.vendor, found.mode, found.usable) == (device, SEGGER, 0o640, True)
    os.close(master)
    os.close(slave)


def test_we_are_looked_up() -> None:
    """The user's name and groups are those of the system."""
    user = look_at_user()

    assert user.name
    assert user.groups


def test_a_user_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers run as users and groups whom nobody has named."""

    def unknown(number: int) -> None:
        raise KeyError(number)

    monkeypatch.setattr("pwd.getpwuid", unknown)
    monkeypatch.setattr("grp.getgrgid", unknown)

    user = look_at_user()

    assert user.name == f"uid {os.getuid()}"
    assert str(os.getgid()) in user.groups
    assert user.listed_groups == frozenset()
    assert serial_access.CHECK == "serial ports"
