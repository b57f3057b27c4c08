"""Attached boards: what is found, said, allowed and put back.

The boards are toys of a virtual bench, but the session does not know: a rig file names their ports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.inventory.board import Board
from harness.inventory.leases import Leases
from harness.virtual.client import BenchClient
from harness.virtual.launcher import start_bench

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.pytest_plugin.conftest import Suite

MEASURED = True

ATTACHED = ("--bench", "attached")
# A host of our own making: conftest.py of a suite replaces what pyserial lists.
HOST = """
from harness.inventory import serial_ports

port = serial_ports.SerialPort(
    device="/dev/ttyUSB7", product="Toaster", vid={vid}, pid=0x6001, serial_number={serial}, location="1-2"
)
serial_ports.list_serial_ports = lambda: [port] * {count}
"""
NO_PORTS = HOST.format(vid=1, serial=None, count=0)


@pytest.fixture
def desk(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """Two toys that are plugged in; returns the rig file's entry for either, with more keys."""
    for name in ("HARNESS_PLUGINS", "TOY_LOG", "HARNESS_RUNTIME_DIR"):
        monkeypatch.setenv(name, suite.environment[name])
    suite.environment["HARNESS_LEASE_DIR"] = str(suite.runtime / "leases")
    monkeypatch.setenv("HARNESS_LEASE_DIR", suite.environment["HARNESS_LEASE_DIR"])
    suite.write("conftest.py", NO_PORTS)
    with start_bench(suite.runtime / "bench", [("toy-a", None, {}), ("toy-a", None, {})]) as bench:
        with BenchClient(bench.socket) as client:
            ports = [str(state.ports["console"]) for state in client.boards()]

        def entry(number: int, more: str = "") -> str:
            return (
                f'[[board]]\nid = "desk-{number}"\nprofile = "toy-real"\n'
                f'endpoints.console = "{ports[number]}"\n{more}\n'
            )

        yield entry


def test_session_says_that_it_runs_on_hardware(suite: Suite, desk: Callable[..., str]) -> None:
    """Header, summary and reports say which bench it is, which tags are used, and what is allowed."""
    suite.write("rig.toml", f'name = "wooden desk"\nsec_tags = "5-7"\n{desk(0)}{desk(1)}')
    suite.write("test_it.py", "def test_it(board): assert board.driver.get() == ''")

    result = suite.run(
        *ATTACHED, "--summary", "summary.html", "--junitxml", "junit.xml", "--alluredir", "all"
    )

    assert result.code == 0, result
    assert len(result.lines_with("harness: ATTACHED bench, 2 boards (2 toy-real)")) == 2
    assert len(result.lines_with("harness: THE BOARDS ARE ATTACHED: this runs on hardware")) == 2
    assert len(result.lines_with("harness: rig: wooden desk; security tags: 5-7; allow destructive: no")) == 2
    assert "VIRTUAL" not in result.out
    summary = (suite.directory / "summary.html").read_text()
    environment = (suite.directory / "all/environment.properties").read_text()
    junit = (suite.directory / "junit.xml").read_text()
    for text in ("wooden desk", "5-7"):
        assert text in summary
        assert text in environment
        assert text in junit
    assert "HARDWARE" in summary
    assert "HARDWARE" in environment
    assert 'name="bench" value="hardware"' in junit


def test_command_line_to_repeat_a_test_names_the_rig(suite: Suite, desk: Callable[..., str]) -> None:
    """What a failed test says to paste uses the same board in the same way."""
    suite.write("rigs/one.toml", desk(0))
    suite.write("test_it.py", "def test_it(board): raise RuntimeError")

    result = suite.run(
        *ATTACHED, "--rig", "rigs/one.toml", "--sec-tags", "8-9", "--allow-destructive", "--junitxml", "j.xml"
    )

    options = "--bench attached --board desk-0 --rig rigs/one.toml --sec-tags 8-9 --allow-destructive"
    assert result.lines_with(f"pytest test_it.py::test_it {options}"), result


def test_what_is_allowed_is_said(suite: Suite, desk: Callable[..., str]) -> None:
    """Options count before the rig file, and a session that may break things says so loudly."""
    suite.write("rig.toml", f'sec_tags = "5-7"\n{desk(0)}')
    suite.write("test_it.py", "def test_it(board): assert board.settings.sec_tags == range(8, 10)")

    result = suite.run(*ATTACHED, "--sec-tags", "8-9", "--allow-destructive")

    assert result.code == 0, result
    assert result.lines_with("security tags: 8-9; allow destructive: YES, boards may be changed for good")


WORKERS = pytest.mark.parametrize("workers", [(), ("-n", "auto")], ids=["one-process", "workers"])


@WORKERS
def test_every_board_is_used_and_put_back(
    suite: Suite, desk: Callable[..., str], workers: tuple[str, ...]
) -> None:
    """With ``-n auto`` each board has a worker; after each test, a failed one too, its driver restores it."""
    suite.write("rig.toml", desk(0) + desk(1))
    suite.write(
        "test_it.py",
        """
        import pytest

        @pytest.mark.board(each="board")
        def test_changes(board):
            board.driver.set("changed")

        @pytest.mark.board(each="board")
        def test_fails(board):
            assert board.driver.get() == ""
            board.driver.set("changed again")
            raise RuntimeError

        @pytest.mark.board(each="board")
        def test_finds_nothing(board):
            assert board.driver.get() == ""
            assert not board.description.virtual
            assert board.power is None
        """,
    )

    result = suite.run(*ATTACHED, *workers)

    assert result.outcomes == {
        "test_changes[desk-0]": "passed",
        "test_changes[desk-1]": "passed",
        "test_fails[desk-0]": "failed",
        "test_fails[desk-1]": "failed",
        "test_finds_nothing[desk-0]": "passed",
        "test_finds_nothing[desk-1]": "passed",
    }, result
    for board in ("desk-0", "desk-1"):
        restored = [line for line in suite.log if line.startswith(f"restore {board} ")]
        assert restored == [f"restore {board} changed", f"restore {board} changed again", f"restore {board} "]
    assert suite.left_behind == []


TESTS_THAT_BREAK = """
import pytest

@pytest.mark.board(destructive=True)
def test_destructive(board): board.driver.set("for good")

@pytest.mark.board(needs={"virtual"})
def test_virtual(board): assert board.virtual

def test_ordinary(board): ...
"""


def test_hardware_is_not_harmed(suite: Suite, desk: Callable[..., str]) -> None:
    """A test that changes things for good, or needs the virtual bench, is skipped with the reason."""
    suite.write("rig.toml", desk(0))
    suite.write("test_it.py", TESTS_THAT_BREAK)

    careful = suite.run(*ATTACHED)
    careless = suite.run(*ATTACHED, "--allow-destructive")

    assert careful.outcomes == {"test_ordinary": "passed"}
    assert careful.lines_with(
        "desk-0 is hardware and has to stay as it is; expected a virtual board, or --allow"
    )
    assert careful.lines_with(
        "needed a board that can do virtual; boards of this session: desk-0 is hardware"
    )
    assert careless.outcomes == {"test_ordinary": "passed", "test_destructive": "passed"}


def test_virtual_boards_may_be_broken(suite: Suite) -> None:
    """On a virtual bench the same tests run without any option."""
    suite.write("test_it.py", TESTS_THAT_BREAK)

    result = suite.run("--bench", "virtual", "--boards", "toy-a=1")

    assert set(result.outcomes.values()) == {"passed"}
    assert len(result.outcomes) == 3


def test_session_knows_the_boards_that_are_absent(suite: Suite, desk: Callable[..., str]) -> None:
    """The header names them; the others are used; and to ask for one is a usage error."""
    gone = '[[board]]\nid = "desk-9"\nprofile = "toy-real"\nendpoints.console = "/dev/nope"\n'
    suite.write("rig.toml", desk(0) + gone)
    suite.write("test_it.py", "def test_it(board): ...")

    result = suite.run(*ATTACHED)
    named = suite.run(*ATTACHED, "--board", "desk-9")

    assert result.outcomes == {"test_it": "passed"}
    assert result.lines_with("harness: absent: desk-9: there is no /dev/nope")
    assert named.code == 4
    assert (
        "--board: the rig file has this board, and it is absent: there is no /dev/nope (got 'desk-9')"
        in named.err
    )


@pytest.mark.parametrize(
    ("host", "rig", "parts"),
    [
        (
            NO_PORTS,
            "",
            ["nRF9131 EK (USB 1366:* with serial number 0010510...)", "saw no serial port"],
        ),
        (
            HOST.format(vid=0x0403, serial="'A5'", count=1),
            "",
            ["saw the serial ports /dev/ttyUSB7 (0403:6001 A5 Toaster): no profile has the vendor id 0403"],
        ),
        (HOST.format(vid=0x0403, serial="'A5'", count=10), "", ["and 2 more, see: harness boards"]),
        (
            NO_PORTS,
            '[[board]]\nusb_serial = "77"',
            ["rig.toml are absent: 77: no serial port has the USB serial number 77"],
        ),
    ],
    ids=["no port", "a stranger", "many strangers", "absent"],
)
def test_no_board_says_what_was_looked_for_and_seen(
    suite: Suite, host: str, rig: str, parts: list[str]
) -> None:
    """One line: what was looked for, every port that was seen and why it is none, and what to do."""
    suite.write("conftest.py", host)
    suite.write("rig.toml", rig)
    suite.write("test_it.py", "def test_it(board): ...")

    result = suite.run(*ATTACHED)

    assert result.code == 4
    (line,) = [line for line in result.err.splitlines() if line]
    assert line.startswith("ERROR: --bench: no board found: looked for ")
    for part in (*parts, "expected a board that is plugged in and switched on", "or --bench virtual"):
        assert part in line


def test_plugins_of_the_rig_file_reach_workers(suite: Suite, desk: Callable[..., str]) -> None:
    """A plugin that only the rig file names serves every process, and finds its tables of the file."""
    suite.write(
        "relays.py",
        """
        class Relay:
            def __init__(self, outlet): self.outlet = outlet
            def set_power(self, *, on): ...

        def harness_make_power_switch(board):
            return Relay(board.description.control["relay"]["outlet"])
        """,
    )
    suite.environment["PYTHONPATH"] += f":{suite.directory}"
    rig = 'plugins = ["relays"]\n' + "".join(
        desk(number, f"control.relay = {{ outlet = {number} }}") for number in (0, 1)
    )
    suite.write("rig.toml", rig)
    suite.write(
        "test_it.py",
        """
        import pytest

        @pytest.mark.board(each="board")
        def test_it(board): assert board.id == f"desk-{board.power.outlet}"
        """,
    )

    result = suite.run(*ATTACHED, "-n", "auto")

    assert list(result.outcomes.values()) == ["passed", "passed"], result


def test_plugin_of_the_rig_file_that_is_not_there(suite: Suite) -> None:
    """The line names the file and the module; so it does for a virtual bench."""
    suite.write("rig.toml", 'plugins = ["nothing_of_this_name"]')
    suite.write("test_it.py", "def test_it(board): ...")

    result = suite.run("--bench", "virtual", "--boards", "toy-a=1")

    assert result.code == 4
    assert "rig.toml: plugins: cannot import: No module named 'nothing_of_this_name'" in result.err


def test_rig_file_of_the_ini_file(suite: Suite, desk: Callable[..., str]) -> None:
    """A path in the ini file is meant from where that is, wherever one is; the option counts before it."""
    suite.write("rigs/one.toml", desk(0))
    suite.write("rigs/two.toml", desk(1))
    suite.write("pytest.ini", "[pytest]\nfilterwarnings = error\nharness_rig = rigs/one.toml\n")
    suite.write("deep/test_it.py", "def test_it(board): print(f'on {board.id}.')")

    by_ini = suite.run(*ATTACHED, "deep")
    by_option = suite.run(*ATTACHED, "deep", "--rig", "rigs/two.toml")

    assert by_ini.lines_with("on desk-0."), by_ini
    assert by_option.lines_with("on desk-1."), by_option


@WORKERS
def test_board_that_somebody_holds(suite: Suite, desk: Callable[..., str], workers: tuple[str, ...]) -> None:
    """A session does not touch a board that another one has; one line says who, and the exit status is 1."""
    suite.write("rig.toml", desk(0))
    suite.write("test_it.py", "def test_it(board): ...")

    with Leases("run-7") as leases:
        leases.take([Board(id="desk-0", kind="toy-real", driver="toy")], deadline=0)
        result = suite.run(*ATTACHED, "--lease-deadline", "0", *workers)

    assert result.code == 1
    (line,) = [line for line in result.err.splitlines() if line]
    assert line.startswith("ERROR: board desk-0 is leased by session run-7")
    assert suite.log == []


def test_secrets_of_a_driver_stay_out_of_reports(suite: Suite, desk: Callable[..., str]) -> None:
    """What a driver says is secret is taken out of what the test printed."""
    suite.write("rig.toml", desk(0))
    suite.write(
        "test_it.py",
        """
        def test_it(board):
            board.register_secret("correct horse battery", "passphrase")
            board.register_secret("", "nothing")
            print("it is correct horse battery")
            raise RuntimeError
        """,
    )

    result = suite.run(*ATTACHED)

    assert result.outcomes == {"test_it": "failed"}
    assert "correct horse battery" not in result.out.split("Captured stdout call")[1]


def test_virtual_board_by_its_profile_is_refused(suite: Suite, desk: Callable[..., str]) -> None:
    """Nothing virtual passes for hardware by a mistake in the rig file."""
    suite.write("rig.toml", desk(0).replace("toy-real", "toy-a"))
    suite.write("test_it.py", "def test_it(board): ...")

    result = suite.run(*ATTACHED)

    assert result.code == 4
    assert "rig.toml: board[0].profile: is a kind of virtual board" in result.err
