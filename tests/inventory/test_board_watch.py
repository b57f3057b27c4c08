"""The watch of a session's boards: over ports that a test moves by hand, and over a virtual USB lab."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Self

from harness.config import Settings
from harness.errors import LeaseBusy
from harness.inventory.attached import survey_host
from harness.inventory.board_news import Joined, Lost, Refused, Returned
from harness.inventory.board_watch import BoardWatch
from harness.inventory.builtin import known_profiles
from harness.inventory.identity import Answer
from harness.inventory.port_watch import PortAdded, PortRemoved
from harness.plugins import load_plugins
from tests.inventory.test_presence import SERIAL, dk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pytest

    from harness.inventory.board import Board
    from harness.inventory.board_news import News
    from harness.inventory.serial_ports import SerialPort

    Lab = Any

DEADLINE = 30.0


class PortsByHand:
    """Stands for :class:`~harness.inventory.port_watch.PortWatch`.

    :ivar closed: it was left.
    """

    def __init__(self, *ports: SerialPort, meanwhile: tuple[PortAdded | PortRemoved, ...] = ()) -> None:
        """Have some ports, and tell of some while they are listed."""
        self.ports = ports
        self.closed = False
        self._meanwhile = meanwhile

    def __call__(self, tell: Callable[[PortAdded | PortRemoved], None]) -> Self:
        """Be made by the watch of boards."""
        self.tell = tell
        return self

    def __enter__(self) -> Self:
        """Tell what happened before anybody listened."""
        for event in self._meanwhile:
            self.tell(event)
        return self

    def __exit__(self, *_error: object) -> None:
        """Be left."""
        self.closed = True


class Asked:
    """Answers for the boards, as soon as a test says what.

    :ivar questions: the boards that are asked, in their order.
    """

    def __init__(self) -> None:
        """Know no answers."""
        self.questions: SimpleQueue[Board] = SimpleQueue()
        self.answers: SimpleQueue[str | Exception] = SimpleQueue()

    def __call__(self, board: Board) -> Answer:
        """Wait for the answer to give."""
        self.questions.put(board)
        answer = self.answers.get(timeout=DEADLINE)
        if isinstance(answer, Exception):
            raise answer
        if answer == "":
            return Answer(board=board, problem="it is silent")
        return Answer(board=board, identity=answer)


@contextmanager
def watching(
    ports: PortsByHand, ask: Callable[[Board], Answer] | None = None, *, late: bool = False, **options: float
) -> Iterator[SimpleQueue[News]]:
    """Watch the two boards of one serial number that are listed, or the one."""
    plugins = load_plugins()
    news: SimpleQueue[News] = SimpleQueue()
    boards = survey_host(known_profiles(plugins), ports.ports, None).boards
    boards = tuple(replace(board, identity=f"number {number}") for number, board in enumerate(boards))
    made: Any = ports
    with BoardWatch(
        boards,
        plugins,
        Settings(),
        late=late,
        tell=news.put,
        ask=ask,
        watch_ports=made,
        **options,
    ):
        yield news
    assert ports.closed


def test_what_happens_while_ports_are_listed_counts_after_the_list() -> None:
    """A board that went and came while the list was made is told as lost and as returned."""
    ports = PortsByHand(
        dk("ttyACM0", "1-1"),
        meanwhile=(PortRemoved("/dev/ttyACM0"), PortAdded(dk("ttyACM1", "1-1"))),
    )
    with watching(ports) as news:
        assert news.get(timeout=DEADLINE) == Lost(SERIAL, "/dev/ttyACM0 went away")
        back = news.get(timeout=DEADLINE)
        assert isinstance(back, Returned)
        assert back.board.endpoints["console"].url == "/dev/ttyACM1"


def test_busy_board_is_asked_again() -> None:
    """A board whose port or lease somebody else holds is asked until it answers."""
    asked = Asked()
    ports = PortsByHand(dk("ttyACM0", "1-1"), dk("ttyACM1", "1-2"))
    for answer in (LeaseBusy("another session has it"), "", "number 0"):
        asked.answers.put(answer)
    with watching(ports, asked) as news:
        ports.tell(PortRemoved("/dev/ttyACM0"))
        ports.tell(PortAdded(dk("ttyACM7", "1-1")))
        assert isinstance(news.get(timeout=DEADLINE), Lost)
        back = news.get(timeout=DEADLINE)

    assert isinstance(back, Returned)
    assert back.board.endpoints["console"].url == "/dev/ttyACM7"
    assert [asked.questions.get(timeout=DEADLINE).id for _ in range(3)] == [f"{SERIAL}@1-1"] * 3


def test_board_that_never_answers_is_refused() -> None:
    """After the deadline a board that does not answer is refused, with the reason."""
    asked = Asked()
    asked.answers.put(LeaseBusy("another session has it"))
    ports = PortsByHand()
    with watching(ports, asked, late=True, ask_again_seconds=0) as news:
        ports.tell(PortAdded(dk("ttyACM0", "1-1")))
        refused = news.get(timeout=DEADLINE)

    assert isinstance(refused, Refused)
    assert (refused.board.id, refused.reason) == (SERIAL, "another session has it")


def test_question_to_a_board_that_went_is_called_off() -> None:
    """Nobody goes on asking a board that went away, and what it said last counts for nobody."""
    asked = Asked()
    ports = PortsByHand(dk("ttyACM0", "1-1"), dk("ttyACM1", "1-2"))
    with watching(ports, asked) as news:
        ports.tell(PortRemoved("/dev/ttyACM0"))
        ports.tell(PortAdded(dk("ttyACM0", "1-1")))
        asked.questions.get(timeout=DEADLINE)  # it is asked, and goes before it answers
        ports.tell(PortRemoved("/dev/ttyACM0"))
        ports.tell(PortAdded(dk("ttyACM0", "1-1")))
        asked.questions.get(timeout=DEADLINE)
        assert isinstance(news.get(timeout=DEADLINE), Lost)
        asked.answers.put("number 0")
        asked.answers.put("number 0")
        assert isinstance(news.get(timeout=DEADLINE), Returned)
    assert news.empty()


def test_session_ends_while_boards_are_asked() -> None:
    """The end of the watch ends its questions, and no thread stays behind."""
    before = set(threading.enumerate())
    asked = Asked()
    ports = PortsByHand()
    with watching(ports, asked, late=True):
        ports.tell(PortAdded(dk("ttyACM0", "1-1")))
        asked.questions.get(timeout=DEADLINE)
        asked.answers.put("")
    assert set(threading.enumerate()) <= before  # what others left may end meanwhile


def test_listener_that_fails_keeps_nobody_else_from_the_news(caplog: pytest.LogCaptureFixture) -> None:
    """What a listener raises is logged, and the next news are told all the same."""
    heard: SimpleQueue[News] = SimpleQueue()

    def tell(news: News) -> None:
        heard.put(news)
        raise ZeroDivisionError

    ports: Any = PortsByHand(dk("ttyACM0", "1-1"))
    plugins = load_plugins()
    boards = survey_host(known_profiles(plugins), ports.ports, None).boards
    with BoardWatch(boards, plugins, Settings(), late=False, tell=tell, watch_ports=ports):
        ports.tell(PortRemoved("/dev/ttyACM0"))
        ports.tell(PortAdded(dk("ttyACM0", "1-1")))
        assert isinstance(heard.get(timeout=DEADLINE), Lost)
        assert isinstance(heard.get(timeout=DEADLINE), Returned)
    assert "ZeroDivisionError" in caplog.text


def test_late_board_is_asked_by_the_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who gives no way of asking has the plugins ask; one that was given up is late when it comes again."""
    monkeypatch.setattr(
        "harness.inventory.board_watch.ask_boards",
        lambda boards, _plugins: [Answer(board=board, identity="late") for board in boards],
    )
    ports = PortsByHand()
    plugins = load_plugins()
    news: SimpleQueue[News] = SimpleQueue()
    made: Any = ports
    with BoardWatch([], plugins, Settings(), late=True, tell=news.put, watch_ports=made) as watch:
        ports.tell(PortAdded(dk("ttyACM0", "1-1")))
        joined = news.get(timeout=DEADLINE)
        assert isinstance(joined, Joined)
        assert (joined.board.id, joined.board.identity) == (SERIAL, "late")
        watch.forget(SERIAL)
        ports.tell(PortRemoved("/dev/ttyACM0"))
        ports.tell(PortAdded(dk("ttyACM0", "1-1")))
        assert news.get(timeout=DEADLINE) == joined


class Watcher:
    """A process in the lab that watches all of its boards."""

    def __init__(self, lab: Lab, *options: str, **variables: str) -> None:
        """Start it."""
        self.process = lab.open(
            [
                "env",
                *(f"{name}={value}" for name, value in variables.items()),
                *(sys.executable, "-m", "tests.inventory.watcher", *options),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._too_late = threading.Timer(2 * DEADLINE, self.process.kill)
        self._too_late.start()
        self.lost: set[str] = set()
        self.ports: dict[str, dict[str, str]] = {}
        ready = self.read("ready")
        self.udev: bool = ready["udev"]
        self.ids: dict[str, str] = ready["ids"]

    def read(self, what: str) -> dict[str, Any]:
        """Read lines up to one of some sort, and keep what they say."""
        while True:
            line = self.process.stdout.readline()
            assert line, "the watcher ended"
            told: dict[str, Any] = json.loads(line)
            if told["what"] == "Lost":
                assert told["id"] not in self.lost
                self.lost.add(told["id"])
            elif told["what"] == "Returned":
                self.lost.remove(told["id"])
                self.ports[told["id"]] = told["ports"]
            if told["what"] == what:
                return told

    def __enter__(self) -> Self:
        """Have it end with the block."""
        return self

    def __exit__(self, *_error: object) -> None:
        """End it."""
        with self.process:
            self.process.stdin.close()
        self._too_late.cancel()


def test_storm_of_plugs(usb_lab: Lab) -> None:
    """After any storm of unplugs, swaps and renamed ttys each board is known where it really is.

    Three of the boards have one serial number, two have their own.
    """
    serials = ["001051200001", "001051200002", *3 * ["001051200009"]]
    for number, serial in enumerate(serials):
        usb_lab.client.add(
            "nrf9151dk-virtual", id=f"b{number}", usb={"port": f"1-1.{number + 1}", "serial": serial}
        )
    boards = {state.id: state.properties["imei"] for state in usb_lab.client.boards()}
    dice = random.Random(20261121)  # noqa: S311 - a storm that can be repeated
    with Watcher(usb_lab) as watcher:
        assert watcher.ids.keys() == set(boards.values())
        plugged = dict.fromkeys(boards, True)
        for _ in range(40):
            name = dice.choice(list(boards))
            controls = usb_lab.client.board(name)
            if plugged[name]:
                controls.unplug()
            else:
                used = {state.usb["port"] for state in usb_lab.client.boards() if state.plugged}
                free = [f"1-1.{port}" for port in range(1, 7) if f"1-1.{port}" not in used]
                numbers = dice.sample(range(40, 80), 2)
                names = {"console": f"ttyACM{numbers[0]}", "trace": f"ttyACM{numbers[1]}"}
                taken = {path for state in usb_lab.client.boards() for path in map(str, state.ports.values())}
                names = {role: one for role, one in names.items() if f"/dev/{one}" not in taken}
                controls.plug(port=dice.choice(free), names=names)
            plugged[name] = not plugged[name]
        for name in boards:  # what is lost now is known to be lost: each was there at the begin
            if not plugged[name]:
                usb_lab.client.board(name).plug()
        states = {state.id: state for state in usb_lab.client.boards()}
        last = {watcher.ids[imei]: str(states[name].ports["console"]) for name, imei in boards.items()}
        while watcher.lost or any(watcher.ports.get(one, {}).get("console") != last[one] for one in last):
            watcher.read("Returned")


def test_host_without_udev(usb_lab: Lab, tmp_path: Path) -> None:
    """Where nobody tells of ports they are listed again and again: a swap under renamed ttys is seen, too."""
    (tmp_path / "pyudev.py").write_text("raise ImportError('there is no libudev')")
    serials = {"own": "001051200001", "twin1": "001051200009", "twin2": "001051200009"}
    places = dict(zip(serials, ("1-1.1", "1-1.2", "1-1.3"), strict=True))
    boards = {}
    for name, serial in serials.items():
        state = usb_lab.client.add("nrf9151dk-virtual", id=name, usb={"port": places[name], "serial": serial})
        boards[state.properties["imei"]] = name
    with Watcher(usb_lab, PYTHONPATH=str(tmp_path)) as watcher:
        assert not watcher.udev
        assert watcher.ids.keys() == boards.keys()
        for name in boards.values():
            usb_lab.client.board(name).unplug()
        while watcher.lost != set(watcher.ids.values()):
            watcher.read("Lost")
        for name, place in (("twin1", "1-1.1"), ("twin2", "1-1.2"), ("own", "1-1.3")):
            usb_lab.client.board(name).plug(port=place)
        while watcher.lost:
            watcher.read("Returned")
        for state in usb_lab.client.boards():
            now = watcher.ports[watcher.ids[state.properties["imei"]]]
            assert now["console"] == str(state.ports["console"])


def test_late_boards_of_the_lab(usb_lab: Lab) -> None:
    """Late boards of one serial number join as who they say they are; a stranger is not touched."""
    with Watcher(usb_lab, "--late") as watcher:
        stranger = usb_lab.client.add_stranger(
            id="stranger",
            vendor_id=0x10C4,
            product_id=0xEA60,
            manufacturer="Silicon Labs",
            product="CP2102 USB to UART Bridge Controller",
            port_driver="cp210x",
        )
        said = {}
        for number in range(2):
            state = usb_lab.client.add(
                "nrf9151dk-virtual",
                id=f"late{number}",
                usb={"port": f"1-2.{number + 1}", "serial": "001051200077"},
            )
            joined = watcher.read("Joined")
            said[joined["identity"]] = joined["ports"]["console"]
            assert said[state.properties["imei"]] == str(state.ports["console"])
        assert len(said) == 2
        assert stranger.call("heard") == {"opens": 0, "written": "", "settings": 0}
