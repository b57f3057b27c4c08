"""Boards on a running bench, as a client and pyserial see them."""

from __future__ import annotations

import os
import select
import threading
import time
from typing import TYPE_CHECKING

import pytest
import serial

from harness.errors import BenchFault, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.control import PowerSwitch
    from harness.virtual.client import BenchClient
    from harness.virtual.launcher import RunningBench

    OpenPort = Callable[..., serial.Serial]


def test_boards_are_described(client: BenchClient, running: RunningBench) -> None:
    """Identity, kind, ports by role and properties; ports are named lowest number first."""
    a, b = client.boards()

    assert (a.id, a.kind, a.plugged, a.powered, a.crashed) == ("a", "toy", True, True, None)
    number = int(a.properties["number"])
    assert a.properties == {"number": str(number), "colour": "red"}
    assert b.properties == {"number": str(number + 1)}
    dev = running.directory / "dev"
    assert a.ports == {"console": dev / "ttyVB0", "trace": dev / "ttyVB1"}
    assert b.ports == {"console": dev / "ttyVB2", "trace": dev / "ttyVB3"}
    assert client.board("a").state() == a


def test_a_board_answers_on_its_port(open_port: OpenPort) -> None:
    """Bytes go to the board and come back over a tty, and boards do not hear each other."""
    a, b = open_port("a"), open_port("b")
    a.write(b"hello\r")
    b.write(b"other\r")

    assert a.read_until(b"OK\r\n") == b"hello\r\nOK\r\n"
    assert b.read_until(b"OK\r\n") == b"other\r\nOK\r\n"


def test_roles_are_lines_of_their_own(client: BenchClient, open_port: OpenPort) -> None:
    """What a board sends on one endpoint does not arrive on another."""
    console, trace = open_port(), open_port(role="trace")
    client.board("a").call("send", text="traced\n", role="trace")
    client.board("a").call("send", text="said\n")

    assert console.read_until(b"\n") == b"said\n"
    assert trace.read_until(b"\n") == b"traced\n"


def test_every_byte_passes_and_more_than_a_pty_holds(open_port: OpenPort) -> None:
    """A megabyte of all byte values arrives whole, though a pty takes a few kilobytes at once."""
    port = open_port(timeout=5)
    port.write(b"big\r")

    assert port.read(1024 * 1024) == bytes(range(256)) * 4096


def test_what_nobody_heard_is_lost(client: BenchClient, open_port: OpenPort) -> None:
    """As on a UART: what was sent while the port was closed is not there when it is opened."""
    a = client.board("a")
    a.call("send", text="nobody is there\n")
    port = open_port()
    a.call("send", text="heard\n")

    assert port.read_until(b"\n") == b"heard\n"


def test_the_next_client_does_not_get_what_the_last_one_left(
    client: BenchClient, running: RunningBench
) -> None:
    """Unread bytes and settings of a client are gone with it."""
    a = client.board("a")
    path = a.state().ports["console"]
    first = os.open(path, os.O_RDWR | os.O_NOCTTY)
    a.call("send", text="left unread\n")
    assert select.select([first], [], [], 10)[0] == [first]
    os.close(first)
    # Each answer of the bench shows that it has seen what came before.
    a.state()
    second = os.open(path, os.O_RDWR | os.O_NOCTTY)
    a.call("send", text="fresh\n")

    assert os.read(second, 100) == b"fresh\n"
    os.close(second)


def test_unplugging_is_seen_by_a_blocked_reader(client: BenchClient, open_port: OpenPort) -> None:
    """pyserial, blocked in a read, is told at once; ports and links are gone."""
    port = open_port(timeout=10)
    told: list[BaseException] = []
    reading = threading.Event()

    def read() -> None:
        reading.set()
        try:
            port.read(1)
        except serial.SerialException as error:
            told.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    assert reading.wait(10)
    client.board("a").unplug()
    reader.join(10)

    assert len(told) == 1
    state = client.board("a").state()
    assert (state.plugged, state.powered, dict(state.ports)) == (False, True, {})
    assert not os.path.lexists(str(port.port))


@pytest.fixture
def patient_bench(client: BenchClient) -> Iterator[None]:
    """Boards that vanish wait for a reader who is slow to get the processor, too."""
    usual = client.board("b").call("drain", seconds=5.0)
    yield
    client.board("b").call("drain", seconds=usual)


@pytest.mark.usefixtures("patient_bench")
def test_what_arrived_before_the_unplugging_can_be_read(client: BenchClient, open_port: OpenPort) -> None:
    """The reader gets the last words of a board though the kernel drops unread bytes at a hang-up."""
    a = client.board("a")
    port = open_port()
    a.call("send", text="last words\n")
    unplugger = threading.Thread(target=a.unplug)
    unplugger.start()

    assert os.read(port.fileno(), 100) == b"last words\n"
    unplugger.join(10)


def test_a_client_that_does_not_read_holds_up_an_unplugging_only_a_moment(
    client: BenchClient, open_port: OpenPort
) -> None:
    """Unread bytes delay it for a moment, not for ever."""
    port = open_port()
    client.board("a").call("send", text="never read")
    start = time.monotonic()
    client.board("a").unplug()

    assert time.monotonic() - start > 0.05
    with pytest.raises(OSError, match="Input/output"):
        os.write(port.fileno(), b"x")


def test_plugging_again(client: BenchClient, open_port: OpenPort) -> None:
    """A board that is plugged again answers under the lowest free name; its firmware ran on."""
    a = client.board("a")
    before = a.state().ports
    a.unplug()
    a.unplug()
    a.plug()
    a.plug()

    assert a.state().ports == before
    port = open_port()
    port.write(b"AT\r")
    assert port.read_until(b"OK\r\n") == b"AT\r\nOK\r\n"
    assert a.call("events") == ["power_on"]


def test_replugging_gives_other_names(client: BenchClient, open_port: OpenPort) -> None:
    """After a re-enumeration no port has a name that the board had before; the old links are gone."""
    a = client.board("a")
    before = set(a.state().ports.values())
    a.replug()
    after = set(a.state().ports.values())

    assert len(after) == 2
    assert not before & after
    assert not any(os.path.lexists(path) for path in before)
    port = open_port()
    port.write(b"AT\r")
    assert port.read_until(b"OK\r\n") == b"AT\r\nOK\r\n"


def test_firmware_may_re_enumerate(client: BenchClient, open_port: OpenPort) -> None:
    """A board that asks its host for it vanishes and comes back under other names."""
    a = client.board("a")
    before = a.state().ports
    port = open_port(timeout=5)
    a.call("replug")
    with pytest.raises(serial.SerialException):
        port.read(1)

    assert set(a.state().ports.values()).isdisjoint(before.values())


def test_an_unplugged_board_cannot_re_enumerate(client: BenchClient) -> None:
    """By hand it is an error, by firmware it does nothing."""
    a = client.board("a")
    a.unplug()
    a.call("replug")

    with pytest.raises(BenchFault, match="board a is not plugged"):
        a.replug()
    assert not a.state().plugged


def test_a_removed_board_leaves_nothing(client: BenchClient, running: RunningBench) -> None:
    """Ports, name and identity are free again."""
    client.remove("a")

    assert [state.id for state in client.boards()] == ["b"]
    assert sorted(link.name for link in (running.directory / "dev").iterdir()) == ["ttyVB2", "ttyVB3"]
    with pytest.raises(BenchFault, match=r"the bench has no board 'a'; it has b"):
        client.board("a").state()
    assert client.add("toy", id="a").ports["console"].name == "ttyVB0"


def test_a_board_without_power_is_silent(client: BenchClient, open_port: OpenPort) -> None:
    """No power: bytes reach nobody, nothing is sent, timers are called off; ports stay."""
    a = client.board("a")
    switch: PowerSwitch = a
    port = open_port(timeout=0.5)
    a.call("later", seconds=2, text="from before the power went\n")
    switch.set_power(on=False)
    switch.set_power(on=False)
    port.write(b"AT\r")
    a.call("send", text="dead men tell no tales\n")

    assert port.read(100) == b""
    assert (a.state().plugged, a.state().powered) == (True, False)
    with pytest.raises(BenchFault, match="board a has no power"):
        a.reset()
    switch.set_power(on=True)
    a.call("later", seconds=2, text="and that is all\n")
    port.timeout = 10
    assert port.read_until(b"all\n") == b"boot\r\nand that is all\n"
    assert a.call("events") == ["power_on", "power_off", "power_on"]


def test_reset(client: BenchClient, open_port: OpenPort) -> None:
    """The reset line reaches the board."""
    port = open_port()
    client.board("a").reset()

    assert port.read_until(b"\n") == b"reset\r\n"


def test_timers(client: BenchClient, open_port: OpenPort) -> None:
    """A board's timer runs at its time; one called off does not run."""
    port = open_port()
    client.board("a").call("later", seconds=0.01, text="called off", cancel=True)
    client.board("a").call("later", seconds=0.05, text="rang")

    assert port.read_until(b"rang") == b"rang"


def test_blocking_work_runs_beside_the_loop(client: BenchClient, open_port: OpenPort) -> None:
    """It has a thread of its own, from which bytes, timers and calls find their way."""
    port = open_port()
    client.board("a").call("blocking", text="done\n")

    assert port.read_until(b"done\n") == b"working\r\ndone\n"
    assert client.board("a").call("threads") == ["a-work"]
    assert client.board("a").call("events") == ["power_on", "called soon"]


def test_failing_work_is_logged(client: BenchClient, running: RunningBench) -> None:
    """Its exception is in the log; the board lives on."""
    # Other tests of this bench let boards crash with the same words: what they left in the log is not ours.
    before = len(running.log.read_text())
    client.board("a").call("failing_work")
    deadline = time.monotonic() + 10
    while "RuntimeError: this work fails" not in running.log.read_text()[before:]:
        assert time.monotonic() < deadline, running.log.read_text()[before:]
        client.board("a").state()

    assert "a: blocking work failed\nTraceback" in running.log.read_text()[before:]
    assert client.board("a").state().crashed is None


def test_no_secret_in_the_log(client: BenchClient, running: RunningBench) -> None:
    """What goes wrong is logged without the secrets in it."""
    before = len(running.log.read_text())
    token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJib2FyZCJ9.c2lnbmF0dXJl"

    with pytest.raises(BenchFault, match="TypeError"):
        client.board("a").call("replug", **{token: 1})

    said = running.log.read_text()[before:]
    assert "unexpected keyword argument '[redacted: token]'" in said
    assert token not in said


def test_a_crashing_board_hurts_nobody_else(
    client: BenchClient, running: RunningBench, open_port: OpenPort
) -> None:
    """A board's exception marks it as crashed and is logged; the other boards do not notice."""
    a, b = open_port("a", timeout=0.1), open_port("b")
    a.write(b"crash\r")
    b.write(b"AT\r")
    assert b.read_until(b"OK\r\n") == b"AT\r\nOK\r\n"

    state = client.board("a").state()
    assert state.crashed == "receive: RuntimeError: told to crash"
    assert state.properties["colour"] == "red"
    assert "a crashed in receive\nTraceback" in running.log.read_text()
    with pytest.raises(BenchFault, match=r"board a has crashed: receive: RuntimeError: told to crash"):
        client.board("a").call("events")
    a.write(b"AT\r")
    assert a.read(1) == b""


def test_a_board_that_crashes_at_its_end(client: BenchClient, running: RunningBench) -> None:
    """It is removed all the same, and the log says what it did."""
    client.add("toy", id="bad", options={"close": "crash"})
    client.remove("bad")

    assert "bad crashed in close" in running.log.read_text()
    assert [state.id for state in client.boards()] == ["a", "b"]


def test_the_bench_names_boards(client: BenchClient) -> None:
    """Kind and number, never a name that is taken."""
    number = int(client.board("b").state().properties["number"])
    client.add("toy", id=f"toy-{number + 2}")

    assert client.add("toy").id == f"toy-{number + 3}"


@pytest.mark.parametrize("board_id", ["", "a/b", ".hidden", "x" * 65, "ö", "a\n"])
def test_unfit_identities_are_refused(client: BenchClient, board_id: str) -> None:
    """An identity becomes part of file names."""
    with pytest.raises(UsageError, match=r"^id: not fit for a board's identity"):
        client.add("toy", id=board_id)


def test_wrong_boards_are_refused(client: BenchClient, running: RunningBench) -> None:
    """A taken identity, an unknown kind, options that the kind refuses, a factory that fails."""
    with pytest.raises(UsageError, match=r"id: the bench has a board of this identity .got 'a'"):
        client.add("toy", id="a")
    with pytest.raises(UsageError, match=r"kind: no plugin gives this kind .*'tpy'.*toy"):
        client.add("tpy")
    with pytest.raises(UsageError, match=r"toy: refuse: toys take no such option"):
        client.add("toy", options={"refuse": 1})
    with pytest.raises(
        BenchFault, match=r"factory toy_boards:make of kind 'toy' failed: RuntimeError: the fac"
    ):
        client.add("toy", options={"fail": 1})
    assert "factory toy_boards:make failed\nTraceback" in running.log.read_text()
    assert [state.id for state in client.boards()] == ["a", "b"]


def test_links_never_point_nowhere(client: BenchClient, running: RunningBench) -> None:
    """While a board comes and goes, every link that is there can be opened."""
    dev: Path = running.directory / "dev"
    for _ in range(20):
        client.board("a").replug()
        for link in dev.iterdir():
            os.close(os.open(link, os.O_RDWR | os.O_NOCTTY))

    assert len(list(dev.iterdir())) == 4
