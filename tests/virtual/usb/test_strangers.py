"""Nothing is ever done to a stranger: by no command, and by no session whatever its boards do meanwhile."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tomlkit

from tests.virtual.usb.strangers import NOTHING, plug_in_strangers, what_strangers_heard

if TYPE_CHECKING:
    Lab = Any

REPOSITORY = Path(__file__).parents[3]
SERIAL = "001051212345"
TWIN = "001051299999"

OPEN = """
import serial, sys
with serial.Serial(sys.argv[1], 9600) as port:
    port.write(b"AT\\r\\n")
    port.flush()
"""

# Each test pulls its own board's cable, and a stranger gets the tty that the board had; the board comes back
# on another hub port, and the same console goes on with it. A board that was not there comes, too.
SUITE = """
import fcntl
import pytest
from harness.virtual.client import BenchClient


@pytest.mark.board(driver="nrf91", each="board")
def test_moves(board):
    before = board.description.endpoints["console"].url
    imei = board.driver.imei()
    with BenchClient({socket!r}) as bench, open("lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (name,) = [one.id for one in bench.boards() if one.properties.get("imei") == imei]
        bench.board(name).unplug()
        taker = bench.add_stranger(
            id="taker-" + name, vendor_id=0x2341, product_id=0x43, manufacturer="Arduino", product="Uno"
        )
        assert str(taker.state().ports["port0"]) == before
        bench.board(name).plug(port="2-4." + name[-1])
        if name == "board-1":
            bench.add("nrf9151dk-virtual", id="late", usb={{"port": "2-1", "serial": {serial!r}}})
    board.driver.offline()
    board.driver.online()
    assert board.driver.functional_mode() == 1
    assert board.description.endpoints["console"].url != before
"""


@pytest.fixture
def lab(usb_lab: Lab) -> Lab:
    """A lab with two boards of one serial number, one with its own, and every stranger."""
    client = usb_lab.client
    client.add("nrf9151dk-virtual", id="board-1", usb={"port": "1-1.1", "serial": SERIAL})
    client.add("nrf9151dk-virtual", id="board-2", usb={"port": "1-1.2", "serial": SERIAL})
    client.add("nrf9151dk-virtual", id="board-3", usb={"port": "1-1.3", "serial": TWIN})
    plug_in_strangers(client)
    return usb_lab


def test_what_is_done_to_a_stranger_is_heard(lab: Lab) -> None:
    """Opening a port, writing to it and setting its line are each noticed: the check can fail."""
    probe = lab.client.board("probe")
    port = str(probe.state().ports["port1"])
    assert what_strangers_heard(lab.client) == {}

    lab.python(OPEN, port)

    heard = what_strangers_heard(lab.client)
    assert set(heard) == {"probe"}
    assert heard["probe"]["opens"] >= 1
    assert bytes.fromhex(heard["probe"]["written"]) == b"AT\r\n"
    assert heard["probe"]["settings"] >= 1
    assert lab.client.board("bridge").call("heard") == NOTHING


def test_commands_leave_strangers_alone(lab: Lab, tmp_path: Path) -> None:
    """Listing, asking, writing a rig file, drafting a profile of the stranger itself, looking for trouble."""
    ports = [str(port) for port in lab.client.board("bridge").state().ports.values()]
    rig = tmp_path / "rig.toml"
    env = {"HARNESS_LEASE_DIR": str(tmp_path / "leases")}

    said = {
        name: lab.run(
            [sys.executable, "-m", "harness.cli", *arguments], cwd=tmp_path, env=env, measured=False
        )
        for name, arguments in {
            "boards": ("boards",),
            "ask": ("boards", "--ask"),
            "dry run": ("boards", "--write", str(rig), "--dry-run"),
            "write": ("boards", "--write", str(rig)),
            "again": ("boards", "--write", str(rig)),
            "profile": ("profile", "new", ports[1], "-o", "mine.toml"),
            "doctor": ("doctor",),
        }.items()
    }

    assert what_strangers_heard(lab.client) == {}
    for name, done in said.items():
        assert done.returncode in ({0, 1} if name == "doctor" else {0}), (name, done)
    shown = said["boards"].stdout + said["boards"].stderr
    assert all(port in shown for port in ports), said["boards"]
    written = tomlkit.parse(rig.read_text())
    assert len(written["board"]) == 3, rig.read_text()
    assert "0x10c4" in (tmp_path / "mine.toml").read_text().lower()


def test_session_leaves_strangers_alone(lab: Lab, tmp_path: Path) -> None:
    """Boards are asked, lost, found elsewhere and reopened while strangers take their ttys' names."""
    (tmp_path / "test_it.py").write_text(SUITE.format(socket=str(lab.bench.socket), serial=SERIAL))
    others = ("randomly", "cacheprovider", "pytest_cov", "hypothesispytest", "anyio", "allure_pytest")
    quiet = [argument for name in others for argument in ("-p", f"no:{name}")]
    options = ("--bench", "attached", "-n", "auto", "--late-boards", "--reconnect", "30")

    done = lab.run(
        [sys.executable, "-m", "pytest", *quiet, *options, "test_it.py"],
        cwd=tmp_path,
        measured=False,  # all that counts here is what strangers heard
        env={"HARNESS_LEASE_DIR": str(tmp_path / "leases"), "PYTHONPATH": str(REPOSITORY)},
        timeout=300,
    )

    assert what_strangers_heard(lab.client) == {}, done.stdout
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
    assert len([state for state in lab.client.boards() if state.kind == "stranger"]) == 6
