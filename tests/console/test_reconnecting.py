"""A console whose port goes away while somebody looks for the same board elsewhere."""

from __future__ import annotations

import threading
from contextlib import ExitStack, closing
from queue import SimpleQueue
from typing import TYPE_CHECKING

import pytest

from harness.console import Console
from harness.console.drain import DRAIN
from harness.console.ports import open_port
from harness.errors import BoardLost, ForbiddenOutput, RigFault
from harness.inventory.board import Endpoint
from tests.console.conftest import PtyBoard
from tests.console.dialect import AT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Finder:
    """Fulfils the console's contract of who looks for its board; the test says when it is found.

    :ivar asked: whether each look was a patient one.
    """

    def __init__(self) -> None:
        self.asked: list[bool] = []
        self.sought = threading.Event()
        self.give_up_at_once: str | None = None
        self._far = ExitStack()

    def seek(self, console: Console, *, patient: bool) -> None:
        self.asked.append(patient)
        if self.give_up_at_once is not None:
            console.give_up(BoardLost(self.give_up_at_once))
        self.sought.set()

    def bring_back(self, console: Console, said: bytes = b"") -> PtyBoard:
        """Find the board on another pty."""
        far = PtyBoard()
        self._far.callback(far.close)
        endpoint = Endpoint(role="console", url=far.path)
        console.close_port()
        console.resume(open_port(endpoint, console.name), url=far.path, said=said)
        return far

    def close(self) -> None:
        self._far.close()


@pytest.fixture
def finder() -> Iterator[Finder]:
    """Somebody who looks for the board."""
    made = Finder()
    yield made
    made.close()


@pytest.fixture
def console(board: PtyBoard, finder: Finder, tmp_path: Path) -> Iterator[Console]:
    """A console of the board that outlives its port."""
    endpoint = Endpoint(role="console", url=board.path)
    with Console.open(endpoint, name="b1-console", directory=tmp_path, seeker=finder) as opened:
        yield opened


def in_background(
    action: object, *arguments: object, **named: object
) -> tuple[threading.Thread, list[object]]:
    """Do something on a thread; the list gets what it returned or raised."""
    results: list[object] = []

    def run() -> None:
        try:
            results.append(action(*arguments, **named))  # type: ignore[operator]  # whatever the test hands in
        except (RigFault, ForbiddenOutput) as error:
            results.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, results


def waiting(board: PtyBoard, console: Console, wanted: str) -> tuple[threading.Thread, list[object]]:
    """Wait for something on a thread, and see the wait begin: it reads itself what the board says."""
    readers: SimpleQueue[threading.Thread] = SimpleQueue()
    console.add_observer(lambda _data: readers.put(threading.current_thread()))
    thread, results = in_background(console.expect, wanted, timeout=30)
    reader = None
    while reader is not thread:
        board.say(b".")
        reader = readers.get(timeout=5)
    return thread, results


def test_expect_goes_on_when_the_board_is_back(board: PtyBoard, console: Console, finder: Finder) -> None:
    """A wait that began before the board went away finds what the board says when it is back."""
    board.say(b"booting\r\n")
    console.expect("boot", timeout=5)
    thread, results = in_background(console.expect, "Ready", timeout=30)
    board.unplug()
    assert finder.sought.wait(5)
    far = finder.bring_back(console)
    far.say(b"Ready\r\n")
    thread.join(10)

    (match,) = results
    assert match.before == b"ing\r\n"  # type: ignore[attr-defined]  # what expect returns
    assert console.url == far.path
    assert console.lost is None


def test_capture_is_one(board: PtyBoard, console: Console, finder: Finder, tmp_path: Path) -> None:
    """What the board said before and after is in one capture, in order, also what was read to find it."""
    board.say(b"before\r\n")
    console.expect("before\r\n", timeout=5)
    board.unplug()
    assert finder.sought.wait(5), "nobody waits, and yet the loss is noticed"
    far = finder.bring_back(console, said=b"asked\r\n")
    far.say(b"after\r\n")
    console.expect("after\r\n", timeout=5)

    assert (tmp_path / "b1-console.raw").read_bytes() == b"before\r\nasked\r\nafter\r\n"
    assert [line for _time, line in console.lines_with_times(0)] == [b"before", b"asked", b"after"]


def test_capture_goes_on_though_nobody_waits(board: PtyBoard, console: Console, finder: Finder) -> None:
    """A board that came back is captured whether or not a test waits for it."""
    seen = threading.Event()
    board.unplug()
    assert finder.sought.wait(5)
    console.add_observer(lambda _data: seen.set())
    finder.bring_back(console).say(b"here I am\r\n")

    assert seen.wait(5)
    assert console.slice(0) == b"here I am\r\n"


def test_reply_that_was_under_way_is_lost(board: PtyBoard, console: Console, finder: Finder) -> None:
    """A command whose reply the port took along fails at once; the next waits for the board and works."""
    thread, results = in_background(console.command, "AT+A", AT, timeout=30)
    board.hear(len("AT+A\r"))
    board.say(b"half a li")
    board.unplug()
    thread.join(10)

    (lost,) = results
    assert isinstance(lost, BoardLost)
    assert "went away while reading" in str(lost)
    assert "the reply to 'AT+A' was lost with it" in str(lost)

    thread, results = in_background(console.command, "AT+B", AT, timeout=30)
    assert finder.sought.wait(5)
    far = finder.bring_back(console, said=b"351\r\nOK\r\n")
    far.hear(len("AT+B\r"))
    far.say(b"+B: 2\r\nOK\r\n")
    thread.join(10)

    (reply,) = results
    assert reply.lines == ("+B: 2",)  # type: ignore[attr-defined]  # what command returns
    assert finder.asked == [True]


def test_half_a_line_is_no_line(board: PtyBoard, console: Console, finder: Finder) -> None:
    """A line that the loss cut is not joined with the first line of the board that came back."""
    board.say(b"+CEREG: 5\r\n+CEREG: ")
    console.wait_unsolicited("+CEREG", timeout=5)
    board.unplug()
    assert finder.sought.wait(5)
    finder.bring_back(console).say(b"Ready\r\n")

    assert console.wait_unsolicited(lambda _text: True, timeout=5) == "Ready"
    assert [text for _time, text in console.unsolicited] == ["+CEREG: 5", "Ready"]


def test_write_goes_to_the_board_that_is_back(board: PtyBoard, console: Console, finder: Finder) -> None:
    """What is written while the board is away reaches it when it is back, whole."""
    board.unplug()
    assert finder.sought.wait(5)
    thread, _results = in_background(console.write, b"hello")
    far = finder.bring_back(console)
    thread.join(10)

    assert far.hear(5) == b"hello"


def test_write_that_was_torn_is_not_repeated(board: PtyBoard, console: Console, finder: Finder) -> None:
    """Of what was written in part nothing is sent to the board that comes back."""
    puller = board.unplug_when_written_to()
    with pytest.raises(BoardLost, match=r"when \d+ of 1000000 bytes were out"):
        console.write(b"x" * 1_000_000)
    puller.join()
    assert finder.sought.wait(5)

    far = finder.bring_back(console)
    console.write(b"new")

    assert far.hear(3) == b"new"


def test_flush_of_a_port_that_is_gone(board: PtyBoard, console: Console, finder: Finder) -> None:
    """Nothing that was written to a port that went away can be flushed."""
    board.unplug()
    assert finder.sought.wait(5)
    console.close_port()

    with pytest.raises(BoardLost, match="went away while reading"):
        console.flush()


def test_deadline_of_the_caller_holds_while_the_board_is_away(
    board: PtyBoard, console: Console, finder: Finder
) -> None:
    """A wait ends with its own deadline, as the rig's fault: the board could not have said it."""
    board.unplug()
    assert finder.sought.wait(5)

    with pytest.raises(BoardLost, match="it had not come back when the wait was over"):
        console.expect("Ready", timeout=0.05)
    with pytest.raises(BoardLost, match="it had not come back when the wait was over"):
        console.command("AT", AT, timeout=0.05)


def test_board_that_does_not_come_back(board: PtyBoard, console: Console, finder: Finder) -> None:
    """Who looks gives up for all that wait; the next wait has it looked for once more, and may succeed."""
    thread, results = waiting(board, console, "Ready")
    board.unplug()
    assert finder.sought.wait(5)
    console.give_up(BoardLost("looked long enough"))
    thread.join(10)
    assert [str(result) for result in results] == ["looked long enough"]

    finder.give_up_at_once = "still away"
    with pytest.raises(BoardLost, match="still away"):
        console.write(b"x")
    assert finder.asked == [True, False]

    finder.give_up_at_once = None
    finder.sought.clear()
    thread, results = in_background(console.expect, "Ready", timeout=30)
    assert finder.sought.wait(5)
    finder.bring_back(console).say(b"Ready")
    thread.join(10)
    assert results[0].text == b"Ready"  # type: ignore[attr-defined]  # what expect returns


def test_closing_ends_a_wait_for_the_return(board: PtyBoard, console: Console, finder: Finder) -> None:
    """Whoever waits for the board hears that the console was closed; a port that comes too late is closed."""
    thread, results = in_background(console.expect, "Ready", timeout=30)
    board.unplug()
    assert finder.sought.wait(5)
    console.close()
    thread.join(10)

    assert [str(result) for result in results] == ["b1-console: the console is closed"]
    late = finder.bring_back(console)
    Console.open(Endpoint(role="console", url=late.path), name="free again", directory=None).close()


def test_forbidden_output_is_seen_on_the_new_port_too(
    board: PtyBoard, console: Console, finder: Finder
) -> None:
    """What a board must not say it must not say after it came back either."""
    with pytest.raises(ForbiddenOutput, match="panic"), console.forbid("panic"):
        board.unplug()
        assert finder.sought.wait(5)
        finder.bring_back(console).say(b"kernel panic\r\n")
        console.expect("\r\n", timeout=5)


def test_closing_a_lost_console_leaves_alone_whoever_has_its_number_now(
    board: PtyBoard, console: Console, finder: Finder, tmp_path: Path
) -> None:
    """The kernel gives a descriptor's number away as soon as the port is closed: the other one is read on."""
    number = console._intake._fd
    finder.give_up_at_once = "it is gone"
    board.unplug()
    with pytest.raises(BoardLost):
        console.expect("x", timeout=30)
    console.close_port()
    equal = PtyBoard()
    there = Endpoint(role="console", url=equal.path)
    with closing(equal), Console.open(there, name="b2-console", directory=tmp_path) as other:
        assert other._intake._fd == number, "the test needs the number that was given away"

        console.close()

        assert number in DRAIN._readers, "nobody reads the other one's port any more"
        equal.say(b"still there")
        assert other.expect("there", timeout=5)
        assert other.position == len(b"still there")
