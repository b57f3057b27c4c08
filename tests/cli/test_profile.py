"""``harness profile``: profiles checked, and drafted from what is plugged in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.inventory import serial_ports
from harness.inventory.serial_ports import SerialPort
from harness.shipped import shipped_directory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_good_profiles_are_listed(run: Callable[..., Any]) -> None:
    """Each profile of a directory is a line."""
    outcome = run("profile", "check", str(shipped_directory("boards")))

    assert outcome.code == 0
    assert len(outcome.out.splitlines()) == 19
    assert "thingy91x: Thingy:91 X, driver nrf91, endpoints console\n" in outcome.out


def test_twin_may_be_checked_alone(run: Callable[..., Any]) -> None:
    """One file is checked by itself, although it names another profile."""
    assert run("profile", "check", str(shipped_directory("boards") / "thingy91-virtual.toml")).code == 0


def test_mistake_is_shown(run: Callable[..., Any], tmp_path: Path) -> None:
    """A mistake is one line with file, key and the nearest key."""
    file = tmp_path / "mine.toml"
    file.write_text('title = "Mine"\nvendor = "Me"\ndrivr = "x"\n[endpoints.console]\ninterface = 0\n')

    outcome = run("profile", "check", str(file))

    assert outcome.code == 4
    assert outcome.err == f"harness: {file}: drivr: unknown key; expected driver (the nearest key)\n"


def test_directory_without_profiles_is_refused(run: Callable[..., Any], tmp_path: Path) -> None:
    """Nothing checked is not the same as nothing wrong."""
    outcome = run("profile", "check", str(tmp_path))

    assert outcome.code == 4
    assert "no profile here" in outcome.err


BRIDGE = SerialPort(
    device="/dev/ttyUSB0",
    vid=0x10C4,
    pid=0xEA60,
    serial_number="0001",
    manufacturer="Silicon Labs",
    product="CP2102",
    location="1-3",
    interface=0,
)
DK = SerialPort(device="/dev/ttyACM0", vid=0x1366, serial_number="001051200001", location="1-1", interface=0)


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bridge that no profile fits, a DK, and a port of the mainboard."""
    ports = [DK, SerialPort(device="/dev/ttyS0"), BRIDGE]
    monkeypatch.setattr(serial_ports, "list_serial_ports", lambda: ports)


@pytest.mark.usefixtures("plugged")
def test_draft_is_written_and_checks(run: Callable[..., Any], tmp_path: Path) -> None:
    """The draft is a profile, the output says what is to be decided; what is there is never overwritten."""
    file = tmp_path / "bridge.toml"

    drafted = run("profile", "new", "/dev/ttyUSB0", "-o", str(file))

    assert (drafted.code, drafted.out) == (0, "")
    assert drafted.err == (
        f"harness: {file} is a draft; decide what is marked FILL IN:"
        " driver, capabilities, [[usb]], endpoints.console\n"
    )
    checked = run("profile", "check", str(file))
    assert checked.out == "bridge: CP2102, driver none, endpoints console\n"
    again = run("profile", "new", "/dev/ttyUSB0", "-o", str(file))
    assert again.code == 4
    assert "is there already, and is not overwritten" in again.err


@pytest.mark.usefixtures("plugged")
def test_draft_is_printed(run: Callable[..., Any], tmp_path: Path) -> None:
    """Without a file the draft is the output; a link to a port is as good as the port."""
    link = tmp_path / "by-id"
    link.symlink_to("/dev/ttyUSB0")

    drafted = run("profile", "new", str(link))

    assert drafted.code == 0
    assert "harness profile check cp2102.toml\n" in drafted.out
    assert "cp2102 is a draft" in drafted.err


@pytest.mark.usefixtures("plugged")
def test_board_that_is_known_already_is_said_to_be(run: Callable[..., Any]) -> None:
    """Who drafts what there is learns it."""
    assert "profile nrf9151dk fits this board already" in run("profile", "new", "/dev/ttyACM0").err


@pytest.mark.usefixtures("plugged")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["/dev/ttyACM9"],
            "PORT: no such serial port here (got '/dev/ttyACM9'); expected /dev/ttyACM0, ",
        ),
        (["/dev/ttyS0"], "PORT: is not on USB, and so no profile finds it (got '/dev/ttyS0')"),
        (["/dev/ttyUSB0", "--name", "My Kind"], "nothing was written: My Kind.toml: the file's name is"),
        (["/dev/ttyUSB0", "--name", "a/b"], "--name: is no name (got 'a/b')"),
        (["/dev/ttyUSB0", "-o", "x.json"], "-o: a profile's file is named KIND.toml (got 'x.json')"),
        (
            ["/dev/ttyUSB0", "--name", "a", "-o", "b.toml"],
            "--name: the file's name is the kind's name",
        ),
        (["/dev/ttyUSB0", "-o", "/nowhere/b.toml"], "-o: cannot be written: No such file or directory"),
    ],
)
def test_wrong_use_is_one_line(run: Callable[..., Any], arguments: list[str], message: str) -> None:
    """What is wrong is said with the option and what was expected."""
    outcome = run("profile", "new", *arguments)

    assert outcome.code == 4
    assert message in outcome.err
    assert outcome.err.count("\n") == 1
