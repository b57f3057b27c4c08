"""How boards are found on a host, and which of them USB does not tell apart."""

from __future__ import annotations

import sys

import pytest

from harness.doctor import discovery
from harness.doctor.discovery import DiscoveryFacts, judge, look
from harness.doctor.findings import Level
from harness.inventory import serial_ports, udev
from harness.inventory.profiles import load_profiles
from harness.shipped import shipped_directory
from tests.inventory.usb_ports import SEGGER, usb_port

PROFILES = load_profiles([shipped_directory("boards")])


@pytest.mark.parametrize(
    ("linux", "udev", "told", "level", "what"),
    [
        (True, True, True, Level.OK, "udev tells which boards come and go"),
        (True, True, False, Level.WARNING, "udev's daemon does not run here"),
        (True, False, False, Level.WARNING, "there is no libudev"),
        (False, False, False, Level.OK, "pyserial lists the ports"),
    ],
)
def test_who_tells_of_boards(*, linux: bool, udev: bool, told: bool, level: Level, what: str) -> None:
    """Where boards are noticed late, it says why; on systems without udev that is as it should be."""
    (found,) = judge(DiscoveryFacts(linux=linux, udev=udev, told=told))

    assert found.level is level
    assert found.what.startswith(what)
    assert bool(found.advice) is (level is Level.WARNING)


def test_boards_that_look_alike_are_named() -> None:
    """Two probes with one serial number are a warning that says where they are, and what to do."""
    ports = [
        usb_port("/dev/ttyACM0", SEGGER, 0x1061, "001051200001", "1-1.2", 0),
        usb_port("/dev/ttyACM2", SEGGER, 0x1061, "001051200001", "1-4", 0),
        usb_port("/dev/ttyACM4", SEGGER, 0x1061, "001051200002", "1-5", 0),
    ]

    found = judge(look(PROFILES, ports))[-1]

    assert found.level is Level.WARNING
    assert found.what == (
        "USB serial numbers do not tell these boards apart:"
        " nrf9151dk at 1-1.2 (001051200001), nrf9151dk at 1-4 (001051200001)"
    )
    assert found.commands == ("harness boards --write rig.toml",)


def test_this_host_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the library is there, and whether anybody tells, is what discovery itself goes by."""
    monkeypatch.setenv(udev.MOCK_VARIABLE, "/nowhere")
    assert look(PROFILES, []) == DiscoveryFacts(linux=sys.platform == "linux", udev=True, told=True)

    monkeypatch.setattr(discovery, "connect_to_udev", lambda: None)
    assert look(PROFILES, []) == DiscoveryFacts(linux=sys.platform == "linux", udev=False, told=False)
    assert serial_ports.connect_to_udev() is not None
