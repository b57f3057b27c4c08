"""``harness boards --watch``: what happens to boards, as it happens."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pexpect
import pytest

from harness.cli import boards_watch
from harness.cli.boards_chronicle import Chronicle
from harness.cli.boards_now import BoardNow, Seen
from harness.config import BenchChoice, Settings
from harness.errors import RigFault, UsageError
from harness.inventory.board import Board, Endpoint
from harness.inventory.lease_records import Holder
from harness.inventory.leases import Leases
from harness.inventory.port_watch import PortWatch
from harness.plugins import load_plugins

if TYPE_CHECKING:
    from collections.abc import Iterator

    Lab = Any

BOARD = Board(
    id="one",
    kind="toy",
    driver="toy",
    endpoints={"console": Endpoint(role="console", url="/dev/ttyACM0")},
    properties={"usb_location": "1-1"},
)
FREE = BoardNow(board=BOARD, holder=None, state="free")
HOLDER = Holder(user="ann", pid=7, host="desk", session="run-7", since="2026-01-02T03:04:05+00:00")
HELD = replace(FREE, holder=HOLDER, state="leased")
IN_TEST = replace(HELD, holder=replace(HOLDER, test="test_x.py::test_y"))
ABSENT = replace(FREE, state="absent", remark="no serial port has it")
ELSEWHERE = replace(
    FREE,
    board=replace(
        BOARD,
        endpoints={"console": Endpoint(role="console", url="/dev/ttyACM4")},
        properties={"usb_location": "1-2"},
    ),
)
SEEN = Seen(boards=[BOARD], absent=[], survey=None)
ON_A_BENCH = Settings(bench=BenchChoice(kind="virtual", socket=Path("/x")))
NOTHING: list[BoardNow] = []


def at(second: int) -> datetime:
    """A time."""
    return datetime(2026, 1, 2, 3, 4, second, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "after", "events"),
    [
        (NOTHING, [FREE], ["is here, toy at 1-1, console /dev/ttyACM0"]),
        ([FREE], [FREE], []),
        ([FREE], NOTHING, ["went away"]),
        ([FREE], [ABSENT], ["went away"]),
        ([ABSENT], [FREE], ["is here, toy at 1-1, console /dev/ttyACM0"]),
        (NOTHING, [ABSENT], ["is absent"]),
        ([FREE], [ELSEWHERE], ["moved, now at 1-2, console /dev/ttyACM4"]),
        ([FREE], [HELD], ["taken by ann, session run-7"]),
        ([FREE], [IN_TEST], ["taken by ann, session run-7, in test_x.py::test_y"]),
        ([HELD], [IN_TEST], ["in test_x.py::test_y"]),
        ([IN_TEST], [HELD], ["between two tests"]),
        ([IN_TEST], [FREE], ["given back by ann, session run-7"]),
        (
            [IN_TEST],
            [replace(HELD, holder=replace(HOLDER, user="bob", session="run-8", pid=8))],
            ["taken by bob, session run-8"],
        ),
        ([HELD], NOTHING, ["lost while ann, session run-7 had it"]),
        (
            [IN_TEST],
            [replace(IN_TEST, state="lost")],
            ["lost while ann, session run-7 had it in test_x.py::test_y"],
        ),
    ],
)
def test_each_change_is_one_line(before: list[BoardNow], after: list[BoardNow], events: list[str]) -> None:
    """What became of a board between two looks is said once, in words; nothing when nothing did."""
    holder = before[0].holder if before else None
    chronicle = Chronicle(lambda board: left_behind(board, holder))
    chronicle.note(before, at(1))

    happened = chronicle.note(after, at(2))

    assert [str(event) for event in happened] == [f"03:04:02 one: {text}" for text in events]
    assert chronicle.note(after, at(3)) == []


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """What a watch changes about signals ends with the test."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def seen(chronicle: Chronicle) -> tuple[str, datetime | None]:
    """How the board is, and since when."""
    watched = chronicle.boards["one"]
    return watched.now.state, watched.since


def left_behind(board: Board, holder: Holder | None) -> BoardNow:
    """How a board is that was pulled."""
    return BoardNow(board=board, holder=holder, state="absent" if holder is None else "lost")


def test_board_that_went_stays_in_sight() -> None:
    """A board that nobody described is shown as gone, or as lost while somebody holds it, since it went."""
    holders: list[Holder | None] = [None, None, HOLDER, None]
    chronicle = Chronicle(lambda board: left_behind(board, holders.pop(0)))
    assert chronicle.note([FREE], at(1)) == []
    assert seen(chronicle) == ("free", None)

    chronicle.note([], at(2))
    chronicle.note([], at(3))
    assert seen(chronicle) == ("gone", at(2))

    chronicle.note([HELD], at(4))
    chronicle.note([], at(5))
    assert seen(chronicle) == ("lost", at(5))
    (given_back,) = chronicle.note([], at(6))
    assert given_back.text == "given back by ann, session run-7"
    assert seen(chronicle) == ("gone", at(5))


class Watching:
    """A lab, and commands that watch it."""

    def __init__(self, lab: Lab, directory: Path) -> None:
        self.lab = lab
        self.directory = directory
        self.environment = {
            **lab.environment,
            "HARNESS_LEASE_DIR": os.environ["HARNESS_LEASE_DIR"],
            "TERM": "xterm",
        }
        self.command = [sys.executable, "-m", "harness.cli", "boards", "--watch"]

    def plug(self) -> None:
        """Plug a kit in."""
        self.lab.client.add("nrf9151dk-virtual", id="kit", usb={"port": "1-1", "serial": "001051200077"})


@pytest.fixture
def watching(usb_lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watching:
    """A lab of the module, with leases of its own."""
    monkeypatch.setenv("HARNESS_LEASE_DIR", str(tmp_path / "leases"))
    monkeypatch.delenv("HARNESS_RIG", raising=False)
    return Watching(usb_lab, tmp_path)


@pytest.fixture
def piped(watching: Watching) -> Iterator[subprocess.Popen[str]]:
    """The command with a pipe as its output."""
    with subprocess.Popen(
        watching.command,
        env=watching.environment,
        cwd=watching.directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        deadline = threading.Timer(60, process.kill)  # who waits for a line that never comes reads an end
        deadline.start()
        try:
            yield process
        finally:
            deadline.cancel()
            process.kill()


def test_changes_are_lines_of_a_pipe(watching: Watching, piped: subprocess.Popen[str]) -> None:
    """A program gets a line a change, at once; SIGTERM and Ctrl-C end it well."""
    assert piped.stdout is not None

    def line() -> str:
        assert piped.stdout is not None
        return re.sub(r"^\d\d:\d\d:\d\d ", "", piped.stdout.readline().rstrip("\n"))

    watching.plug()
    assert line() == "001051200077: is here, nrf9151dk at 1-1, console /dev/ttyACM0"
    with Leases("run-7") as leases:
        leases.take([Board(id="001051200077", kind="x", driver="x")], deadline=0)
        assert re.fullmatch(r"001051200077: taken by \S+, session run-7", line())
        leases.note_test("001051200077", "test_x.py::test_y")
        assert line() == "001051200077: in test_x.py::test_y"
        watching.lab.client.board("kit").unplug()
        assert re.fullmatch(
            r"001051200077: lost while \S+, session run-7 had it in test_x\.py::test_y", line()
        )
    assert re.fullmatch(r"001051200077: given back by \S+, session run-7", line())
    piped.send_signal(signal.SIGTERM)
    assert piped.wait(20) == 0
    assert piped.stderr is not None
    assert piped.stderr.read() == ""


def test_reader_that_goes_ends_the_watch(watching: Watching, piped: subprocess.Popen[str]) -> None:
    """When nobody reads any more, the next line ends the command, and no traceback is shown."""
    assert piped.stdout is not None
    assert piped.stderr is not None
    watching.plug()
    piped.stdout.readline()
    piped.stdout.close()

    watching.lab.client.board("kit").unplug()

    assert piped.wait(20) in {0, 1}
    assert piped.stderr.read() == ""


def test_table_is_kept_up_to_date_on_a_terminal(watching: Watching) -> None:
    """On a terminal there is a table with what happened last below it; Ctrl-C ends it with 0."""
    program, *rest = watching.command
    terminal = pexpect.spawn(
        program,
        rest,
        env=watching.environment,
        cwd=str(watching.directory),
        dimensions=(30, 110),
        timeout=30,
        encoding="utf-8",
    )
    try:
        terminal.expect("No board is here")
        watching.plug()
        terminal.expect(r"1 board: 1 free")
        terminal.expect(r"001051200077 +nrf9151dk +1-1 +ttyACM0 +\S*free\s*\S* +\d\d:\d\d:\d\d")
        terminal.expect(r"001051200077: is here")
        watching.lab.client.board("kit").unplug()
        terminal.expect(r"001051200077: went away")
        terminal.sendintr()
        terminal.expect(pexpect.EOF)
    finally:
        terminal.close()
    assert terminal.exitstatus == 0


def test_mistake_that_comes_meanwhile_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that does not fit for a while, as one that is being written, is said once; the boards stay."""
    mistake = UsageError("unknown key", file="toy.toml", key="titel")
    looks: list[Seen | BaseException] = [SEEN, mistake, mistake, SEEN, KeyboardInterrupt()]

    def look_again(*_arguments: object) -> Seen:
        found = looks.pop(0)
        if isinstance(found, BaseException):
            raise found
        return found

    monkeypatch.setattr(boards_watch, "look", look_again)

    boards_watch.watch_boards(load_plugins(), ON_A_BENCH)

    lines = [
        line.partition(" ")[2] if ": is" in line else line for line in capsys.readouterr().out.splitlines()
    ]
    assert lines == ["one: is here, toy at 1-1, console /dev/ttyACM0", "toy.toml: titel: unknown key"]


def test_mistake_at_the_start_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit from the beginning ends the command with what is wrong."""

    def refuse(*_arguments: object) -> Seen:
        raise UsageError("unknown key", file="rig.toml")

    monkeypatch.setattr(boards_watch, "look", refuse)

    with pytest.raises(UsageError, match=r"rig\.toml: unknown key"):
        boards_watch.watch_boards(load_plugins(), ON_A_BENCH)


def test_host_that_tells_nothing_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the system does not let us listen, one line says so."""

    def refuse(*_arguments: object) -> None:
        raise OSError("too many sockets")

    monkeypatch.setattr(PortWatch, "__enter__", refuse)

    with pytest.raises(RigFault, match="nobody tells which ports come and go: too many sockets"):
        boards_watch.watch_boards(load_plugins(), Settings())
