"""Line faults on a running bench: what a reader gets."""

from __future__ import annotations

import os
import select
import time
from typing import TYPE_CHECKING

import pytest

from harness.errors import BenchFault

if TYPE_CHECKING:
    from collections.abc import Callable

    import serial

    from harness.virtual.client import BenchClient

    OpenPort = Callable[..., serial.Serial]


SECONDS = 20.0


def arrivals(fd: int, count: int) -> list[tuple[float, bytes]]:
    """Read until ``count`` bytes have arrived; give each piece with its time."""
    pieces: list[tuple[float, bytes]] = []
    while sum(len(piece) for _, piece in pieces) < count:
        assert select.select([fd], [], [], 5)[0], f"only {pieces} arrived"
        pieces.append((time.monotonic(), os.read(fd, 4096)))
    return pieces


def until_heard(client: BenchClient, line: str) -> None:
    """Wait until the board has heard a line, and has said to it what it says."""
    end = time.monotonic() + SECONDS
    while line not in client.board("a").call("heard"):
        assert time.monotonic() < end, f"the board does not hear {line!r}"


def test_a_slow_line(client: BenchClient, open_port: OpenPort) -> None:
    """200 bytes at 1000 bytes a second take 0.2 s, in the right order, and not all at the end."""
    port = open_port()
    client.board("a").shape(bytes_per_second=1000)
    text = "".join(f"{number:04}" for number in range(50))
    start = time.monotonic()
    client.board("a").call("send", text=text)
    pieces = arrivals(port.fileno(), 200)

    assert b"".join(piece for _, piece in pieces) == text.encode()
    # The last piece of 10 bytes is handed over when its own time begins.
    assert pieces[-1][0] - start >= 0.189
    assert len(pieces) >= 5


def test_a_split_line(client: BenchClient, open_port: OpenPort) -> None:
    """Pieces have the asked size and are the asked time apart."""
    port = open_port()
    client.board("a").shape(chunk=3, gap=0.03)
    start = time.monotonic()
    client.board("a").call("send", text="abcdefgh")
    pieces = arrivals(port.fileno(), 8)

    assert [piece for _, piece in pieces] == [b"abc", b"def", b"gh"]
    assert pieces[-1][0] - start >= 0.06


def test_a_garbled_line(client: BenchClient, open_port: OpenPort) -> None:
    """The same seed garbles the same bytes; another seed others; the length stays."""
    port = open_port()
    heard = []
    for seed in (1, 1, 2):
        client.board("a").shape(garble=0.2, seed=seed)
        client.board("a").call("send", text="x" * 100)
        heard.append(port.read(100))

    assert heard[0] == heard[1] != heard[2]
    assert 5 <= sum(byte != ord("x") for byte in heard[0]) <= 40


def test_a_silent_line(client: BenchClient, open_port: OpenPort) -> None:
    """Nothing arrives while it is silent, what was said then is lost, and the board still hears."""
    port = open_port(timeout=0.1)
    a = client.board("a")
    a.shape(silent=True)
    port.write(b"AT\r")
    until_heard(client, "AT")
    assert port.read(10) == b""
    a.unshape("console")
    port.timeout = 10
    port.write(b"ATI\r")

    assert port.read_until(b"OK\r\n") == b"ATI\r\nOK\r\n"


def test_faults_of_one_line_spare_the_others(client: BenchClient, open_port: OpenPort) -> None:
    """A silent trace leaves the console alone, and another board too."""
    client.board("a").shape("trace", silent=True)
    port = open_port()
    port.write(b"AT\r")

    assert port.read_until(b"OK\r\n") == b"AT\r\nOK\r\n"


def test_faults_stay_over_a_replug_and_end_with_unshape(client: BenchClient, open_port: OpenPort) -> None:
    """A line is as bad after a re-enumeration as it was before, until its faults are taken away."""
    a = client.board("a")
    a.shape(silent=True)
    a.replug()
    port = open_port(timeout=0.1)
    port.write(b"AT\r")
    until_heard(client, "AT")
    assert port.read(10) == b""
    a.unshape()
    port.timeout = 10
    port.write(b"AT\r")

    assert port.read_until(b"OK\r\n") == b"AT\r\nOK\r\n"


def test_a_fault_ends_at_once(client: BenchClient, open_port: OpenPort) -> None:
    """What waits for its turn on a slow line goes out when the line is fast again."""
    port = open_port()
    a = client.board("a")
    a.shape(bytes_per_second=1)
    a.call("send", text="x" * 50)
    a.unshape()

    assert port.read(50) == b"x" * 50


def test_power_off_cuts_a_slow_transmission(client: BenchClient, open_port: OpenPort) -> None:
    """What has not left the board when its power goes never arrives."""
    port = open_port(timeout=0.3)
    a = client.board("a")
    a.shape(bytes_per_second=10)
    a.call("send", text="x" * 1000)
    a.set_power(on=False)
    a.unshape()  # the line is fast: whatever still waited for its turn would come at once

    assert len(port.read(1000)) < 100


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"role": "nope"}, "board a has no endpoint 'nope'; expected console or trace"),
        ({"bytes_per_second": -1}, "bytes_per_second: expected a positive number, got -1.0"),
        ({"bytes_per_second": 10**400}, "parameter 'bytes_per_second': too large"),
        ({"chunk": 0}, "chunk: expected at least 1 byte, got 0"),
        ({"chunk": 1.5}, "parameter 'chunk': expected int, got 1.5"),
        ({"chunk": True}, "parameter 'chunk': expected int, got True"),
        ({"garble": 2}, "garble: expected a probability from 0 to 1, got 2.0"),
        ({"silent": 1}, "parameter 'silent': expected bool, got 1"),
    ],
)
def test_unfit_faults_are_refused(client: BenchClient, params: dict[str, object], problem: str) -> None:
    """A fault that no line can have is refused with the parameter and what was expected."""
    with pytest.raises(BenchFault, match=f"^{problem}$"):
        client.board("a").shape(**params)  # type: ignore[arg-type]  # wrong values are the point


def test_all_faults_end_at_once(client: BenchClient, open_port: OpenPort) -> None:
    """Line faults, a pulled cable, no power and the board's own faults end together; twice is fine."""
    a = client.board("a")
    a.shape(silent=True)
    a.shape(role="trace", garble=1.0)
    a.unplug()
    a.set_power(on=False)

    a.clear_faults()
    a.clear_faults()

    state = a.state()
    assert (state.plugged, state.powered, set(state.ports)) == (True, True, {"console", "trace"})
    assert a.call("events")[-3:] == ["clear_faults", "power_on", "clear_faults"]
    port = open_port("a")
    port.write(b"hello\r")
    assert port.read_until(b"OK\r\n") == b"hello\r\nOK\r\n"


def test_a_board_cuts_its_own_supply(client: BenchClient, open_port: OpenPort) -> None:
    """It is dark until somebody switches it on, or boots again at once; what waited in it is lost."""
    a = client.board("a")
    port = open_port("a")
    a.shape(bytes_per_second=10)
    a.call("send", text="never arrives as a whole")
    a.call("cut_power", comes_back=False)
    assert not a.state().powered
    a.unshape()
    a.set_power(on=True)
    assert port.read_until(b"boot\r\n").endswith(b"boot\r\n")

    a.call("cut_power", comes_back=True)

    assert port.read_until(b"boot\r\n") == b"boot\r\n"
    assert a.state().powered


def test_power_that_was_to_come_back_stays_away_when_it_is_switched_off(client: BenchClient) -> None:
    """Who switches a board off finds it off, whatever was to happen to it."""
    a = client.board("a")
    a.call("cut_and_off")

    assert not a.state().powered
    assert a.call("events")[-1] == "power_off"
