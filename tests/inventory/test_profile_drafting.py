"""Drafts of profiles: whatever a device shows, a draft loads and fits this device alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.inventory.profile_drafting import draft, name_of_kind
from harness.inventory.profiles import Profile, load_profile
from harness.inventory.serial_ports import SerialPort

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

PROBE = SerialPort(
    device="/dev/ttyACM0",
    vid=0x1366,
    pid=0x1055,
    serial_number="000960012345",
    manufacturer="SEGGER",
    product="J-Link",
    location="1-1.2",
    interface=0,
)
THIRD = replace(PROBE, device="/dev/ttyACM1", interface=2)
BRIDGE = SerialPort(
    device="/dev/ttyUSB0",
    vid=0x10C4,
    pid=0xEA60,
    manufacturer="Silicon Labs",
    product="CP2102 [any] bridge*",
    location="1-3",
    interface=0,
)
SHOWN = st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


def loaded(directory: Path, port: SerialPort, *ports: SerialPort) -> Profile:
    """The profile that a draft is."""
    drafted = draft(port, [port, *ports], name="drafted")
    file = directory / "drafted.toml"
    file.write_text(drafted.text, encoding="utf-8")
    return load_profile(file)


def test_draft_of_a_probe_is_as_a_person_would_begin_it() -> None:
    """Everything that USB tells is there, and what it does not tell is marked."""
    drafted = draft(PROBE, [PROBE, THIRD], name="my-dk")

    assert drafted.text == (
        "# Drafted from what /dev/ttyACM0 shows on USB; nothing was opened.\n"
        "# Decide what is marked FILL IN, then: harness profile check my-dk.toml\n"
        'title = "J-Link"\n'
        'vendor = "SEGGER"\n'
        'driver = "none"  # FILL IN: the driver that speaks its dialect, for example "nrf91"\n'
        "capabilities = []  # FILL IN: what tests may ask for by needs=\n"
        "\n"
        "# FILL IN: it fits this one board; shorten the number to what all of its kind begin with.\n"
        "[[usb]]\n"
        "vid = 0x1366\n"
        "pid = 0x1055\n"
        'serial_prefixes = ["000960012345"]\n'
        "\n"
        "# FILL IN: what /dev/ttyACM0 is for; roles are console, trace, ...\n"
        "[endpoints.console]\n"
        "interface = 0\n"
        "baud = 115200  # FILL IN\n"
        'discipline = "raw"  # FILL IN: for example "at-host"\n'
        "rtscts = false  # FILL IN: hardware flow control\n"
        "# FILL IN: dtr = true and rts = true set these lines before the port is opened\n"
        "\n"
        "# FILL IN: what /dev/ttyACM1 is for; roles are console, trace, ...\n"
        "[endpoints.port-2]\n"
        "interface = 2\n"
        "baud = 115200  # FILL IN\n"
        'discipline = "raw"  # FILL IN: for example "at-host"\n'
        "rtscts = false  # FILL IN: hardware flow control\n"
        "# FILL IN: dtr = true and rts = true set these lines before the port is opened\n"
    )
    assert drafted.fill_in == ("driver", "capabilities", "[[usb]]", "endpoints.console", "endpoints.port-2")


def test_draft_fits_the_board_and_no_other(tmp_path: Path) -> None:
    """The harness writes to nothing more for a draft that somebody forgot."""
    profile = loaded(tmp_path, PROBE, THIRD)

    assert profile.strength(PROBE) > 0
    assert profile.strength(replace(PROBE, serial_number="000960012346")) == 0
    assert {role: one.interface for role, one in profile.endpoints.items()} == {"console": 0, "port-2": 2}


def test_named_port_is_the_console(tmp_path: Path) -> None:
    """Of a probe's ports the one counts that was named."""
    profile = loaded(tmp_path, THIRD, PROBE)

    assert {role: one.interface for role, one in profile.endpoints.items()} == {"console": 2, "port-0": 0}


def test_device_without_a_number_is_known_by_its_names(tmp_path: Path) -> None:
    """Where there is no serial number the names count, each character as it is."""
    profile = loaded(tmp_path, BRIDGE)

    assert profile.strength(BRIDGE) > 0
    assert profile.strength(replace(BRIDGE, product="CP2102 a bridge")) == 0


def test_kind_is_called_after_the_product() -> None:
    """What is no name in the product's is left out; without a product there is a name all the same."""
    assert name_of_kind(BRIDGE) == "cp2102-any-bridge"
    assert name_of_kind(replace(BRIDGE, product="J-Link (OB)")) == "j-link-ob"
    assert (
        name_of_kind(replace(BRIDGE, product=None))
        == name_of_kind(replace(BRIDGE, product="东"))
        == "my-board"
    )


@settings(deadline=None)  # the machine may be loaded
@given(manufacturer=SHOWN, product=SHOWN, serial=SHOWN)
def test_whatever_a_device_shows_the_draft_loads(
    tmp_path_factory: pytest.TempPathFactory,
    manufacturer: str | None,
    product: str | None,
    serial: str | None,
) -> None:
    """No text of a device breaks the file, and the profile fits the device."""
    port = replace(BRIDGE, manufacturer=manufacturer, product=product, serial_number=serial)

    profile = loaded(tmp_path_factory.mktemp("draft"), port)

    assert profile.strength(port) > 0
    assert profile.title == (product or "drafted")
