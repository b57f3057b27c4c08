"""``harness doctor``: what a person, and a program, reads of a host."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.doctor import discovery, modem_manager
from harness.errors import RigFault
from harness.inventory import serial_ports
from harness.inventory.serial_ports import SerialPort

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


#: The port of a board that is told by its serial number.
PORT = SerialPort(
    device="/dev/null", vid=0x1915, pid=0x520F, serial_number="THINGY91X_1", location="1-1", interface=0
)


@pytest.fixture(autouse=True)
def host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A host without boards, whose directories are this test's."""
    place = Path(tempfile.mkdtemp(prefix="hd"))
    monkeypatch.setenv("HARNESS_RUNTIME_DIR", str(place / "r"))
    monkeypatch.setenv("HARNESS_STATE_DIR", str(place / "state"))
    monkeypatch.setenv("HARNESS_LEASE_DIR", str(place / "leases"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(serial_ports, "list_serial_ports", list)
    monkeypatch.setattr(modem_manager, "is_running", lambda: False)
    told = discovery.DiscoveryFacts(linux=True, udev=True, told=True)
    monkeypatch.setattr(discovery, "look", lambda _profiles, _ports: told)
    (place / "node").write_text("#!/bin/sh\necho v22.1.0\n")
    (place / "node").chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")
    monkeypatch.setenv("HARNESS_ALLURE", str(place / "node"))
    yield place
    shutil.rmtree(place)


def test_a_healthy_host(run: Callable[..., Any]) -> None:
    """One line a check, and the verdict."""
    outcome = run("doctor")

    assert outcome.code == 0
    assert outcome.err == ""
    lines = outcome.out.splitlines()
    assert lines[-1] == "All is well."
    assert [line.split(":")[0] for line in lines[:-2]] == [
        "ok       serial ports",
        "ok       ModemManager",
        "ok       discovery",
        "ok       leases",
        "ok       quarantine",
        "ok       directories",
        "ok       directories",
        "ok       leftovers",
        "ok       tools",
    ]


def test_a_problem_and_its_remedy(
    run: Callable[..., Any], host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A problem is exit code 1; why it is one, and what to paste, are below it; the worst comes last."""
    (host / "leases").symlink_to(host)
    monkeypatch.setattr(modem_manager, "is_running", lambda: True)

    outcome = run("doctor")

    assert outcome.code == 1
    lines = outcome.out.splitlines()
    at = lines.index(
        f"PROBLEM  leases: {host}/leases (named by HARNESS_LEASE_DIR or the rig file) is a symbolic link"
    )
    assert lines[at - 1] == ""
    assert lines[at + 1].startswith("    Sessions of other users do not see")
    assert f"        sudo rm {host}/leases && sudo install -d -o root -m 1777 {host}/leases" in lines
    modems = "warning  ModemManager: runs, and takes boards of USB vendor 1209, 1366 for modems of the host"
    assert lines.index(modems) < at
    assert lines[-1] == "1 problem, 1 warning."


def test_warnings_alone_are_no_failure(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """What only some need is told and does not fail."""
    monkeypatch.setenv("HARNESS_ALLURE", "/missing")
    monkeypatch.setattr(modem_manager, "is_running", lambda: True)

    outcome = run("doctor")

    assert outcome.code == 0
    assert outcome.out.endswith("\n2 warnings.\n")


def test_fix_mends_and_says_so(run: Callable[..., Any], host: Path) -> None:
    """What was done is told first; what is shown then is how it is now."""
    (host / "r" / "s" / "dead0000").mkdir(parents=True, mode=0o755)
    (host / "r").chmod(0o755)

    assert "harness doctor --fix mends it." in run("doctor").out
    outcome = run("doctor", "--fix")

    assert outcome.code == 0
    assert outcome.out.splitlines()[:3] == [
        f"--fix: made {host}/leases for all users",
        f"--fix: gave {host}/r mode 0700",
        "--fix: removed the files of dead session dead0000",
    ]
    assert outcome.out.endswith("\nAll is well.\n")
    assert not (host / "r" / "s" / "dead0000").exists()
    assert not run("doctor", "--fix").out.startswith("--fix")


def test_what_cannot_be_mended_is_told(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A remedy that fails keeps nobody from the next one."""

    def fail(_directory: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("harness.doctor.leases.make_shared", fail)

    assert "--fix: could not: [Errno 13] Permission denied" in run("doctor", "--fix").out


def test_what_cannot_be_looked_at_is_a_problem(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other checks are made all the same."""

    def fail() -> None:
        raise RigFault("the lock stayed locked")

    monkeypatch.setattr("harness.doctor.leftovers.look", fail)

    outcome = run("doctor")

    assert outcome.code == 1
    assert "PROBLEM  leftovers: cannot be looked at: the lock stayed locked" in outcome.out
    assert "ok       tools:" in outcome.out


def test_json_is_for_programs(run: Callable[..., Any], host: Path) -> None:
    """Every finding with its parts, what was fixed, and the same exit code."""
    (host / "leases").symlink_to(host)

    outcome = run("doctor", "--json", "--fix")

    assert outcome.code == 1
    answer = json.loads(outcome.out)
    assert (answer["healthy"], answer["fixed"]) == (False, [])
    (problem,) = (found for found in answer["findings"] if found["level"] == "problem")
    assert problem["check"] == "leases"
    assert set(problem) == {"check", "level", "what", "why", "advice", "commands", "fixable"}


def test_a_rig_file_counts(run: Callable[..., Any], host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The doctor looks at the leases that the rig file names; a mistake in it is a problem like others."""
    monkeypatch.delenv("HARNESS_LEASE_DIR")
    (host / "rig.toml").write_text(f'[leases]\ndirectory = "{host}/of-the-rig"\n')
    (host / "of-the-rig").mkdir(mode=0o755)

    outcome = run("doctor", "--rig", str(host / "rig.toml"))
    assert outcome.code == 1
    assert f"PROBLEM  leases: {host}/of-the-rig (named by" in outcome.out

    (host / "rig.toml").write_text("colour = 1\n")
    outcome = run("doctor", "--rig", str(host / "rig.toml"))
    assert outcome.code == 1
    assert f"PROBLEM  rig file: {host}/rig.toml: colour: " in outcome.out
    assert "directories: " in outcome.out


def test_udev_rules_are_made_of_the_profiles(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing but rules is printed: for vendors that profiles name, and for boards told by serial number."""
    monkeypatch.setattr(serial_ports, "list_serial_ports", lambda: [PORT])

    outcome = run("doctor", "--udev-rules")

    assert outcome.code == 0
    assert outcome.out.splitlines() == [
        'SUBSYSTEM=="usb", ATTR{idVendor}=="1209", ENV{ID_MM_DEVICE_IGNORE}="1"',
        'SUBSYSTEM=="tty", ATTRS{idVendor}=="1209", GROUP="dialout", MODE="0660", TAG+="uaccess"',
        'SUBSYSTEM=="usb", ATTR{idVendor}=="1366", ENV{ID_MM_DEVICE_IGNORE}="1"',
        'SUBSYSTEM=="tty", ATTRS{idVendor}=="1366", GROUP="dialout", MODE="0660", TAG+="uaccess"',
        'SUBSYSTEM=="usb", ATTR{idVendor}=="1915", ENV{ID_MM_DEVICE_IGNORE}="1"',
        'SUBSYSTEM=="tty", ATTRS{idVendor}=="1915", GROUP="dialout", MODE="0660", TAG+="uaccess"',
    ]
