"""A leased board that goes away and comes back: consoles, description and what is said of it."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import pytest

from harness.config import BoardSettings
from harness.errors import BoardLost, RigFault
from harness.inventory import live_ports
from harness.inventory.leased_board import LeasedBoard
from harness.inventory.port_watch import PortAdded, PortRemoved
from harness.inventory.serial_ports import SerialPort
from tests.console.dialect import AT
from tests.inventory.lamps import Desk, lamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.inventory.board import Board


class Watch:
    """Stands for :class:`harness.inventory.port_watch.PortWatch`; the test says what comes and goes.

    :ivar watches: those that were entered.
    """

    desk: Desk
    watches: list[Watch]

    def __init__(self, tell: Callable[[PortAdded | PortRemoved], None]) -> None:
        self.tell = tell
        self.ports: tuple[SerialPort, ...] = ()

    def __enter__(self) -> Self:
        self.ports = tuple(self.desk.ports)
        self.watches.append(self)
        return self

    def __exit__(self, *_error: object) -> None:
        self.watches.remove(self)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk that processes on this host see: this one."""
    monkeypatch.setenv("HARNESS_LEASE_DIR", str(tmp_path / "leases"))
    profiles = tmp_path / "profiles"
    profiles.mkdir()
    made = Desk(profiles)
    monkeypatch.setattr("harness.inventory.serial_ports.list_serial_ports", lambda: made.ports)
    monkeypatch.setattr(live_ports, "PortWatch", Watch)
    Watch.desk, Watch.watches = made, []
    yield made
    made.close()


@pytest.fixture
def lease(desk: Desk, tmp_path: Path) -> Iterator[Callable[..., LeasedBoard]]:
    """Lease a board."""
    leased: list[LeasedBoard] = []

    def lease(board: Board, seconds: float | None = 30.0) -> LeasedBoard:
        settings = BoardSettings(reconnect_seconds=seconds)
        made = LeasedBoard(board, desk.plugins, capture_directory=tmp_path / "captures", settings=settings)
        leased.append(made)
        return made

    yield lease
    for board in leased:
        board.close()


def pull(desk: Desk, location: str) -> None:
    """Pull a board out of the host, and tell who watches."""
    gone = [port for port in desk.ports if port.location == location]
    desk.unplug(location)
    for port in gone:
        desk.far[f"{location}:{port.interface}"].unplug()
        for watch in Watch.watches:
            watch.tell(PortRemoved(port.device, location))


def push(desk: Desk, location: str, serial: str | None, says: str) -> str:
    """Plug a board in, tell who watches, and return its path."""
    path = desk.plug(location, serial, says=says).path
    for watch in Watch.watches:
        watch.tell(PortAdded(desk.ports[-1]))
    return path


def wait_for_a_watch() -> None:
    """Wait until somebody looks."""
    pause = threading.Event()
    for _look in range(1000):
        if Watch.watches:
            return
        pause.wait(0.01)
    raise AssertionError("nobody looks")


def test_board_that_moves_in_the_middle_of_a_test(desk: Desk, lease: Callable[..., LeasedBoard]) -> None:
    """The next command waits for it and is answered by it, and its description says where it is now."""
    push(desk, "1-1", "7", "L7")
    board = lease(lamp())
    assert board.console.command("WHO", AT, timeout=5).lines == ("L7",)

    pull(desk, "1-1")
    wait_for_a_watch()
    path = push(desk, "1-3", "7", "L7")

    assert board.console.command("WHO", AT, timeout=30).lines == ("L7",)
    assert board.console.url == board.description.endpoints["console"].url == path
    assert board.description.properties["usb_location"] == "1-3"
    assert board.description.id == "lamp"
    assert board.lost is None


def test_board_that_another_one_is_taken_for_by_its_path(
    desk: Desk, lease: Callable[..., LeasedBoard], tmp_path: Path
) -> None:
    """What has the path of a board that went away is not written to, whether it is opened first or again."""
    link = tmp_path / "ttyACM0"
    first = desk.plug("1-1", "7", says="L7")
    link.symlink_to(first.path)
    desk.ports[-1] = replace(desk.ports[-1], device=str(link))
    board, closed = lease(lamp(), 0.3), lease(lamp(), 0.1)
    board.console.write(b"")

    pull(desk, "1-1")
    link.unlink()
    other = desk.plug("1-1", "8")
    link.symlink_to(other.path)
    desk.ports[-1] = replace(desk.ports[-1], device=str(link))

    for one in (board, closed):
        with pytest.raises(BoardLost, match="no USB device with the serial number 7 is there"):
            one.console.write(b"for the lamp")
    assert other.heard_nothing()


def test_board_that_stays_away(desk: Desk, lease: Callable[..., LeasedBoard]) -> None:
    """It is given up once; from then on everybody hears at once why, until it is back."""
    push(desk, "1-1", "7", "L7")
    board = lease(lamp(), 0.2)
    console = board.console

    pull(desk, "1-1")
    with pytest.raises(
        BoardLost, match=r"went away while reading.*; it is not back: no USB device"
    ) as given_up:
        console.expect("anything", timeout=30)
    assert str(board.lost) == str(given_up.value)
    with pytest.raises(BoardLost) as again:
        console.command("WHO", AT, timeout=30)
    assert str(again.value) == str(given_up.value), "it says the same, and no more each time"

    push(desk, "1-2", "7", "L7")
    assert console.command("WHO", AT, timeout=30).lines == ("L7",)
    assert board.lost is None


def test_board_that_is_not_there_when_it_is_opened(desk: Desk, lease: Callable[..., LeasedBoard]) -> None:
    """The first use waits for it too."""
    board = lease(lamp())
    timer = threading.Timer(0.2, push, (desk, "1-4", "7", "L7"))
    timer.start()

    assert board.console.command("WHO", AT, timeout=30).lines == ("L7",)
    timer.join()


def test_boards_with_one_number_are_asked(desk: Desk, lease: Callable[..., LeasedBoard]) -> None:
    """Each comes back as itself when they were swapped, though a port is taken for the other for a moment."""
    push(desk, "1-1", "7", "L7")
    push(desk, "1-2", "7", "L8")
    boards = [
        lease(lamp(ambiguous=True, identity="L7")),
        lease(lamp(location="1-2", id="lamp2", ambiguous=True, identity="L8")),
    ]
    for board, says in zip(boards, ("L7", "L8"), strict=True):
        assert board.console.command("WHO", AT, timeout=30).lines == (says,)

    pull(desk, "1-1")
    pull(desk, "1-2")
    push(desk, "1-1", "7", "L8")
    push(desk, "1-2", "7", "L7")

    for board, says in zip(boards, ("L7", "L8"), strict=True):
        assert board.console.command("WHO", AT, timeout=30).lines == (says,)
    assert [board.description.properties["usb_location"] for board in boards] == ["1-2", "1-1"]


def test_what_a_board_says_while_it_is_asked_is_captured(
    desk: Desk, lease: Callable[..., LeasedBoard], tmp_path: Path
) -> None:
    """Nothing gets lost between finding a board and going on with it."""
    push(desk, "1-1", "7", "L7")
    board = lease(lamp(ambiguous=True, identity="L7"))
    board.console.command("FIRST", AT, timeout=30)
    pull(desk, "1-1")
    wait_for_a_watch()
    push(desk, "1-1", "7", "booted\r\nL7")

    board.console.expect("booted", timeout=30)
    board.console.expect("OK", timeout=30)
    captured = (tmp_path / "captures" / "lamp-console.raw").read_bytes()
    assert captured == b"L7\r\nOK\r\nL7\r\nOK\r\nbooted\r\nL7\r\nOK\r\n"


def test_board_without_udevs_help(
    desk: Desk, lease: Callable[..., LeasedBoard], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing tells of ports they are listed again and again."""

    def refuse(_tell: Any) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(live_ports, "PortWatch", refuse)
    push(desk, "1-1", "7", "L7")
    board = lease(lamp())
    board.console.command("WHO", AT, timeout=30)
    pull(desk, "1-1")
    timer = threading.Timer(0.2, push, (desk, "1-2", "7", "L7"))
    timer.start()

    assert board.console.command("WHO", AT, timeout=30).lines == ("L7",)
    timer.join()


def test_plain_path_is_lost_at_once(desk: Desk, lease: Callable[..., LeasedBoard]) -> None:
    """A board that nothing but its path tells from others is not waited for, nor is its path opened again."""
    far = desk.plug("1-1", "7", says="L7")
    board = lease(replace(lamp(ports={}), endpoints={"console": _at(far.path)}))
    board.console.command("WHO", AT, timeout=30)
    far.unplug()

    for _use in range(2):
        with pytest.raises(BoardLost, match="only its path says"):
            board.console.expect("anything", timeout=600)
    missing = lease(replace(lamp(ports={}), endpoints={"console": _at("/dev/nowhere")}))
    with pytest.raises(BoardLost, match="cannot open /dev/nowhere"):
        _ = missing.console


def _at(url: str) -> Any:
    return replace(lamp().endpoints["console"], url=url)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_plugin_that_fails_leaves_nobody_waiting(desk: Desk, lease: Callable[..., LeasedBoard]) -> None:
    """Whatever a vendor's code raises while a board is looked for, the wait ends; the next one looks anew."""
    push(desk, "1-1", "7", "L7")
    board = lease(lamp(ambiguous=True, identity="L7"))
    console = board.console
    broken = threading.Event()

    def mistake() -> None:
        if not broken.is_set():
            raise LookupError("a plugin's own mistake")

    desk.before_asking = mistake
    pull(desk, "1-1")
    wait_for_a_watch()
    push(desk, "1-1", "7", "L7")
    with pytest.raises(BoardLost, match="a plugin's own mistake"):
        console.command("WHO", AT, timeout=30)
    for thread in threading.enumerate():
        if thread.name == "seek lamp":  # what it died of is told when it ends, to whatever test runs then
            thread.join(10)

    broken.set()
    assert console.command("WHO", AT, timeout=30).lines == ("L7",)


def test_closing_a_board_that_is_looked_for(desk: Desk, lease: Callable[..., LeasedBoard]) -> None:
    """Closing ends the search, the wait and every thread; the board can be opened anew."""
    push(desk, "1-1", "7", "L7")
    board = lease(lamp(), 600.0)
    console = board.console
    failures: list[RigFault] = []

    def wait() -> None:
        try:
            console.expect("anything", timeout=600)
        except RigFault as fault:
            failures.append(fault)

    pull(desk, "1-1")
    wait_for_a_watch()
    waiter = threading.Thread(target=wait)
    waiter.start()
    board.close()
    waiter.join(10)

    assert len(failures) == 1
    assert Watch.watches == []
    assert not [thread for thread in threading.enumerate() if thread.name == "seek lamp"]
    push(desk, "1-1", "7", "L7")
    assert board.console.command("WHO", AT, timeout=30).lines == ("L7",)


def test_ports_of_the_moment(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told while the first list is made counts before the list, and each change wakes who waits."""
    one, two, three = (SerialPort(device=f"/dev/tty{number}") for number in (1, 2, 3))
    newer = SerialPort(device="/dev/tty2", serial_number="2")

    class Early(Watch):
        def __enter__(self) -> Self:
            self.ports = (one, two)
            self.tell(PortRemoved("/dev/tty1"))
            self.tell(PortAdded(newer))
            return self

        def __exit__(self, *_error: object) -> None:
            """Nothing to end."""

    changed = threading.Event()
    monkeypatch.setattr(live_ports, "PortWatch", Early)
    with live_ports.LivePorts(changed) as ports:
        assert ports.now() == [newer]
        assert ports.now()[0] is newer
        changed.clear()
        ports._note(PortAdded(three))
        assert changed.is_set()
        ports._note(PortRemoved("/dev/tty2"))
        ports._note(PortRemoved("/dev/tty9"))
        assert ports.now() == [three]


def test_what_udev_did_not_tell_is_seen_all_the_same(desk: Desk, lease: Callable[..., LeasedBoard]) -> None:
    """A board whose return nobody told of is found by a new list, and its wait goes on."""
    push(desk, "1-1", "7", "L7")
    board = lease(lamp())
    board.console.command("WHO", AT, timeout=30)
    pull(desk, "1-1")
    wait_for_a_watch()
    desk.plug("1-2", "7", says="L7")

    assert board.console.command("WHO", AT, timeout=30).lines == ("L7",)
