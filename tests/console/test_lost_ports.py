"""A console whose port goes away, cannot be opened or is none of this host's."""

from __future__ import annotations

import os
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from harness.console import Console
from harness.errors import BoardLost, RigFault, UsageError
from harness.inventory.board import Endpoint
from tests.console.dialect import AT

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import PtyBoard


def test_unplug_while_reading(board: PtyBoard, console: Console) -> None:
    """A board that vanishes under a wait ends the wait at once, as lost, with what it had said before."""
    board.say(b"last words")
    console.expect("last", timeout=5)
    timer = threading.Timer(0.05, board.unplug)
    timer.start()

    with pytest.raises(BoardLost, match=r"b1-console: /dev/pts/\d+ went away while reading"):
        console.expect("never", timeout=30)

    timer.join()
    assert console.slice(0) == b"last words"
    with pytest.raises(BoardLost):
        console.wait_unsolicited("more", timeout=30)


def test_unplug_while_nobody_reads(board: PtyBoard, console: Console) -> None:
    """A board that vanished unwatched is found lost by the next wait, after its last words."""
    board.say(b"bye\r\n")
    console.expect("b", timeout=5)
    board.unplug()

    assert console.expect("ye", timeout=5)
    with pytest.raises(BoardLost):
        console.expect("more", timeout=30)


def test_unplug_while_writing_and_flushing(board: PtyBoard, console: Console) -> None:
    """Writing to and flushing a port that is gone are the same fault as reading from it."""
    board.unplug()

    with pytest.raises(BoardLost, match="while writing"):
        console.write(b"x")
    with pytest.raises(BoardLost, match="while flushing"):
        console.flush()
    with pytest.raises(BoardLost):
        console.command("AT", AT, timeout=30)
    console.close()


def test_unplug_in_the_middle_of_a_long_write(board: PtyBoard, console: Console) -> None:
    """A write that waits for room ends when the board vanishes."""
    puller = board.unplug_when_written_to()

    with pytest.raises(BoardLost, match="while writing"):
        console.write(b"x" * 1_000_000)

    puller.join()


def test_port_that_does_not_exist(tmp_path: Path) -> None:
    """A missing port is a lost board, by name."""
    with pytest.raises(BoardLost, match=r"c1: cannot open .*/nowhere"):
        Console.open(Endpoint(role="console", url=str(tmp_path / "nowhere")), name="c1", directory=None)


@pytest.mark.parametrize("prefix", ["", "spy://"])
def test_port_in_use_by_somebody_else(board: PtyBoard, console: Console, prefix: str) -> None:
    """A port that another program holds is refused with a message that says so, by a URL too."""
    with pytest.raises(RigFault, match=r"c2: .* is in use by another program"):
        Console.open(Endpoint(role="console", url=f"{prefix}{board.path}"), name="c2", directory=None)


def test_url_of_an_unknown_kind() -> None:
    """A URL that nobody knows is the user's mistake."""
    with pytest.raises(UsageError, match="carrier-pigeon"):
        Console.open(Endpoint(role="console", url="carrier-pigeon://x"), name="c", directory=None)
    with pytest.raises(UsageError, match="socket://HOST:PORT"):
        Console.open(Endpoint(role="console", url="socket://host"), name="c", directory=None)


def test_closed_console_says_so(console: Console) -> None:
    """Closing twice is fine; waiting on a closed console is a clear fault."""
    console.close()
    console.close()

    with pytest.raises(RigFault, match="b1-console: the console is closed"):
        console.expect("x", timeout=1)


def test_device_that_may_not_be_opened(board: PtyBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing permission is named, with the usual remedy."""

    def refuse(*_args: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)

    with pytest.raises(RigFault, match="no permission to open"):
        Console.open(Endpoint(role="console", url=board.path), name="c", directory=None)


def test_socket_port_talks_to_a_real_server() -> None:
    """``socket://`` reads, writes and notices the end of the connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"socket://127.0.0.1:{server.getsockname()[1]}"
        with Console.open(Endpoint(role="console", url=url), name="net", directory=None) as console:
            peer, _address = server.accept()
            with peer:
                console.write(b"ping")
                console.flush()
                assert peer.recv(4) == b"ping"
                peer.sendall(b"pong\r\n")
                assert console.expect("pong", timeout=5).before == b""
            with pytest.raises(BoardLost, match="went away while reading"):
                console.expect("more", timeout=30)


def test_socket_port_refused() -> None:
    """A server that is not there is a lost board."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    with pytest.raises(BoardLost, match=r"net: cannot open socket://"):
        Console.open(Endpoint(role="console", url=f"socket://127.0.0.1:{port}"), name="net", directory=None)


def test_any_pyserial_url_is_read_by_event() -> None:
    """A URL that only pyserial knows is captured while nobody reads, and searched like any other."""
    with Console.open(Endpoint(role="console", url="loop://"), name="loop", directory=None) as console:
        seen = threading.Event()
        console.add_observer(lambda _data: seen.set())
        console.write(b"echoed\r\n")
        console.flush()

        assert seen.wait(5)
        assert console.expect("echoed", timeout=5)


def test_three_hundred_consoles_in_one_process() -> None:
    """More ports than select() can take are read at once by one process."""
    boards = []
    consoles = []
    try:
        for number in range(300):
            master, slave = os.openpty()
            boards.append((master, slave))
            endpoint = Endpoint(role="console", url=os.ttyname(slave))
            consoles.append(Console.open(endpoint, name=f"c{number}", directory=None))
        for number, (master, _slave) in enumerate(boards):
            os.write(master, b"I am %d.\n" % number)

        for number, console in enumerate(consoles):
            assert console.expect(f"I am {number}.", timeout=10)
    finally:
        for console in consoles:
            console.close()
        for master, slave in boards:
            os.close(master)
            os.close(slave)
