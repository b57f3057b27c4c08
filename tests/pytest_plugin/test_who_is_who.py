"""Sessions in a USB lab: boards are asked who they are before the first test, and nobody is mistaken."""

from __future__ import annotations

import signal
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from harness.inventory.board import USB_LOCATION, USB_SERIAL, Board
from harness.inventory.leases import Leases

if TYPE_CHECKING:
    import subprocess

    from tests.pytest_plugin.conftest import Suite

    Lab = Any

MEASURED = True

ATTACHED = ("--bench", "attached")
TWINS, OWN, FIRST = "001051200077", "001051200078", "001051200001"

TESTS = """
import pytest

IMEIS = {imeis!r}

@pytest.mark.board(each="board")
def test_it(board):
    assert board.driver.imei() == IMEIS[board.id] == board.description.identity
    assert board.description.confirmed
    assert ("leftish" in board.capabilities) == (board.id == "left")
"""
# The file has left where right is, and the other way round.
SWAPPED = """
[[board]]
id = "left"
usb_serial = "{serial}"
identity = "{left}"
location = "1-1.2"
capabilities.add = ["leftish"]

[[board]]
id = "right"
usb_serial = "{serial}"
identity = "{right}"
location = "1-1.1"
"""
KEEP_OPEN = """
import serial, sys
with serial.Serial(sys.argv[1], 9600, exclusive=True):
    print("open", flush=True)
    sys.stdin.read()
"""


class Desk:
    """Boards of a lab, and a suite that runs on them.

    :ivar imeis: who the boards are, by the name that they were added with.
    """

    def __init__(self, lab: Lab, suite: Suite) -> None:
        self.lab = lab
        self.suite = suite
        self.imeis: dict[str, str] = {}
        suite.environment.update(lab.bench.usb_environment)
        suite.environment["HARNESS_LEASE_DIR"] = str(suite.runtime / "leases")

    def plug_in(self, name: str, port: str, serial: str) -> None:
        """Plug a development kit in."""
        self.lab.client.add("nrf9151dk-virtual", id=name, usb={"port": port, "serial": serial})
        (state,) = [one for one in self.lab.client.boards() if one.id == name]
        self.imeis[name] = state.properties["imei"]

    def look_alike(self, port: str, serial: str) -> Any:
        """Plug in what looks as a development kit, and never says anything."""
        return self.lab.client.add_stranger(
            id="silent",
            vendor_id=0x1366,
            product_id=0x1069,
            manufacturer="SEGGER",
            product="J-Link",
            serial=serial,
            port=port,
        )

    def swapped(self) -> str:
        """Plug in left and right, which share a serial number; return what the rig file says of them."""
        self.plug_in("left", "1-1.1", TWINS)
        self.plug_in("right", "1-1.2", TWINS)
        return SWAPPED.format(serial=TWINS, **self.imeis)

    def write_tests(self, **names: str) -> None:
        """Write a test of every board that expects the boards under other names than they were added with."""
        imeis = {names.get(name, name): imei for name, imei in self.imeis.items()}
        self.suite.write("test_it.py", TESTS.format(imeis=imeis))

    def harness(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of ours in the lab."""
        done: subprocess.CompletedProcess[str] = self.lab.run(
            [sys.executable, "-m", "harness.cli", *arguments],
            env={**self.suite.environment, "HARNESS_PLUGINS": ""},
            cwd=self.suite.directory,
        )
        return done


@pytest.fixture
def desk(usb_lab: Lab, suite: Suite, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """An empty desk."""
    desk = Desk(usb_lab, suite)
    monkeypatch.setenv("HARNESS_LEASE_DIR", suite.environment["HARNESS_LEASE_DIR"])
    return desk


def twin(location: str) -> Board:
    """One of the two boards with one serial number, as a session knows it that did not ask it."""
    facts = {USB_SERIAL: TWINS, USB_LOCATION: location}
    return Board(id="x", kind="nrf9151dk", driver="nrf91", properties=facts, ambiguous=True)


def test_everybody_is_who_the_session_says(desk: Desk) -> None:
    """Swapped twins, a board on another interface than the file says, and a silent one; with workers."""
    rig = desk.swapped()
    desk.plug_in("own", "2-1", OWN)
    silent = desk.look_alike("2-2", FIRST)
    bystander = desk.lab.client.add_stranger(
        id="stranger", vendor_id=0x10C4, product_id=0xEA60, manufacturer="x", product="y", port="2-3"
    )
    desk.suite.write("rig.toml", f'{rig}\n[[board]]\nusb_serial = "{OWN}"\nendpoints.console.interface = 2\n')
    desk.write_tests(own=OWN)

    result = desk.suite.run(*ATTACHED, "-n", "auto", "--summary", "summary.html")

    assert result.code == 0, result
    assert result.outcomes == dict.fromkeys((f"test_it[{name}]" for name in ("left", "right", OWN)), "passed")
    shared = f"its USB serial number {TWINS} is not unique"
    for line in (
        f"harness: board left at 1-1.1 was told apart by asking: it is {desk.imeis['left']} ({shared})",
        f"harness: board right at 1-1.2 was told apart by asking: it is {desk.imeis['right']} ({shared})",
        f"harness: board {OWN} answers on /dev/ttyACM4 and not on /dev/ttyACM5; for good: endpoints.console",
        f"harness: left out: {FIRST}: it did not say who it is: ",
    ):
        assert len(result.lines_with(line)) == 2, line  # in the header and in the summary
    summary = (desk.suite.directory / "summary.html").read_text()
    assert summary.count(f"told apart by asking: {shared}") == 2
    assert bytes.fromhex(silent.call("heard")["written"]).startswith(b"AT+CGSN\r\n")
    assert bystander.call("heard") == {"opens": 0, "written": "", "settings": 0}
    assert desk.suite.left_behind == []


@pytest.mark.parametrize("arguments", [("--strict-boards",), ("--board", FIRST), ("--boards", "2")])
def test_board_that_does_not_answer_may_be_an_error(desk: Desk, arguments: tuple[str, ...]) -> None:
    """With --strict-boards, when it is named, and when it is needed: one line with the reason, status 1."""
    desk.plug_in("own", "2-1", OWN)
    desk.plug_in("used", "2-2", FIRST)
    desk.write_tests(own=OWN, used=FIRST)
    used = [sys.executable, "-c", KEEP_OPEN, "/dev/ttyACM2"]
    with desk.lab.open(used, stdin=-1, stdout=-1) as other:
        assert other.stdout.readline() == "open\n"

        result = desk.suite.run(*ATTACHED, *arguments)

        other.stdin.close()
    assert result.code == 1, result
    (line,) = [line for line in result.err.splitlines() if line]
    assert line.startswith("ERROR: ")
    assert f"{FIRST}" in line
    assert "it did not say who it is: " in line
    assert "/dev/ttyACM2 is in use by another program" in line
    assert result.outcomes == {}


def test_another_board_takes_the_place_of_one_that_does_not_answer(desk: Desk) -> None:
    """Nobody touches what another session has leased by its place; the next one that answers is used."""
    desk.plug_in("theirs", "1-1.1", TWINS)
    desk.plug_in("mine", "1-1.2", TWINS)
    desk.look_alike("1-1.3", FIRST)
    desk.write_tests(mine=desk.imeis["mine"])

    with Leases("run-7") as leases:
        leases.take([twin("1-1.1")], deadline=0)
        result = desk.suite.run(*ATTACHED, "--boards", "1")

    assert result.code == 0, result
    assert result.outcomes == {f"test_it[{desk.imeis['mine']}]": "passed"}
    assert result.lines_with(f"harness: left out: {FIRST}: it did not say who it is: ")


def test_named_board_is_looked_for(desk: Desk) -> None:
    """Where the file has it is another one: that one is asked, and then the others, and given back."""
    rig = desk.swapped()
    desk.suite.write("rig.toml", f'{rig}\n[[board]]\nid = "gone"\nidentity = "353358899999990"\n')
    desk.write_tests()

    right = desk.suite.run(*ATTACHED, "--board", "right")
    gone = desk.suite.run(*ATTACHED, "--board", "gone")
    typo = desk.suite.run(*ATTACHED, "--board", "rihgt")

    assert right.code == 0, right
    assert right.outcomes == {"test_it[right]": "passed"}
    assert right.lines_with("harness: absent: gone: no board says that it is 353358899999990")
    assert (gone.code, typo.code) == (4, 4)
    assert (
        "--board: the rig file has this board, and it is absent: no board says that it is 353358899999990 "
        "(got 'gone')" in gone.err
    )
    assert (
        "--board: no such board, and none of those that were asked says that it is this one (got 'rihgt'); "
        "expected left, right" in typo.err
    )


def test_rig_file_that_names_the_wrong_identity(desk: Desk) -> None:
    """One line: file, key, value, and who the board is."""
    desk.plug_in("own", "2-1", OWN)
    rig = desk.suite.write("rig.toml", f'[[board]]\nusb_serial = "{OWN}"\nidentity = "353358899999990"\n')
    desk.write_tests(own=OWN)

    result = desk.suite.run(*ATTACHED)

    assert result.code == 4, result
    assert result.err.strip() == (
        f"ERROR: {rig}: board[0].identity: the board with the USB serial number {OWN} says that it is "
        f"another (got '353358899999990'); expected '{desk.imeis['own']}', or the serial number of that board"
    )


def test_by_hand_the_board_that_has_the_name(desk: Desk) -> None:
    """A command reaches the board that says that it is the one; by its place one is taken as it is."""
    desk.suite.write("rig.toml", desk.swapped())

    left = desk.harness("send", "left", "AT+CGSN")
    by_place = desk.harness("send", f"{TWINS}@1-1.1", "AT+CGSN")

    assert desk.imeis["left"] in left.stdout, left
    assert "was told apart by asking" in left.stderr
    assert by_place.returncode == 4
    desk.suite.write("rig.toml", "")
    by_place = desk.harness("send", f"{TWINS}@1-1.1", "AT+CGSN")
    assert desk.imeis["left"] in by_place.stdout, by_place
    assert by_place.stderr == ""


def test_interrupted_while_asking(desk: Desk) -> None:
    """Ctrl-C while a silent board is asked: no traceback, nothing left behind, and the board is free."""
    silent = desk.look_alike("2-2", FIRST)
    desk.write_tests()
    process = desk.suite.start(*ATTACHED)
    deadline = time.monotonic() + 30
    while not silent.call("heard")["written"] and time.monotonic() < deadline:
        time.sleep(0.02)

    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)

    assert process.returncode == 2, out
    assert "Traceback" not in out
    assert desk.suite.left_behind == []
    with Leases("next") as leases:
        facts = {USB_SERIAL: FIRST}
        leases.take([Board(id="x", kind="nrf9151dk", driver="nrf91", properties=facts)], deadline=0)


def test_sweep_puts_back_the_board_that_was_changed(desk: Desk) -> None:
    """What a dead session left is undone on the board that has the name now that it was asked."""
    desk.suite.write("rig.toml", desk.swapped())
    desk.suite.write(
        "test_it.py",
        """
        import os

        def test_dies(board):
            board.driver.offline()
            os._exit(9)
        """,
    )
    assert desk.suite.run(*ATTACHED, "--board", "right").code == 9
    assert "+CFUN: 4" in desk.harness("send", "right", "AT+CFUN?").stdout

    swept = desk.harness("sweep", "--yes")

    assert "1 of 1 undone." in swept.stdout, swept
    assert "+CFUN: 1" in desk.harness("send", "right", "AT+CFUN?").stdout
