"""Firmware that stands still, as a client, the reset line and the supply see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.cli.main import execute
from harness.errors import BenchFault

if TYPE_CHECKING:
    from collections.abc import Callable

    import serial

    from harness.virtual.client import BenchClient

    OpenPort = Callable[..., serial.Serial]


CASES = [
    ("reset", "reset", "ends"),
    ("reset", "power", "ends"),
    ("power", "reset", "stays"),
    ("power", "power", "ends"),
    ("never", "reset", "stays"),
    ("never", "power", "stays"),
]


@pytest.mark.parametrize(("until", "what", "outcome"), CASES)
def test_what_ends_it(client: BenchClient, open_port: OpenPort, until: str, what: str, outcome: str) -> None:
    """It hears and says nothing, though power and ports are there, until something ends it; then it boots."""
    console, board = open_port(), client.board("a")
    board.hang(until=until)
    board.call("send", text="nobody hears it\n")
    assert (board.state().plugged, board.state().powered, board.state().hung) == (True, True, until)

    if what == "reset":
        board.reset()
    else:
        _power_cycle(client)

    if outcome == "stays":
        assert board.state().hung == until
        console.write(b"lost\r")
        console.timeout = 0.3
        assert console.read() == b""
        return
    assert board.state().hung is None
    console.write(b"hello\r")
    assert console.read_until(b"OK\r\n") == b"boot\r\nhello\r\nOK\r\n"


def _power_cycle(client: BenchClient) -> None:
    client.board("a").set_power(on=False)
    client.board("a").set_power(on=True)


def test_it_outlives_the_faults_of_a_test(client: BenchClient, open_port: OpenPort) -> None:
    """What a board does by itself is not undone with what a test ordered; its timers are called off."""
    console, board = open_port(), client.board("a")
    board.call("later", seconds=0.2, text="from before\n")
    board.hang()

    board.clear_faults()

    assert board.state().hung == "power"
    assert board.call("events") == ["power_on", "power_off", "clear_faults"]
    _power_cycle(client)
    assert console.read_until(b"\n") == b"boot\r\n"


def test_it_is_ordered_by_hand(client: BenchClient, capfd: pytest.CaptureFixture[str]) -> None:
    """The list of boards says so; what does not fit is one message."""
    bench = ("--bench", str(client.socket))

    assert execute(["bench", "hang", "a", *bench]) == 0
    assert execute(["bench", "hang", "b", "--until", "never", *bench]) == 0
    assert execute(["bench", "list", *bench]) == 0
    shown = capfd.readouterr().out
    assert "plugged, on, hangs until power" in shown
    assert "plugged, on, hangs for good" in shown
    assert execute(["bench", "hang", "a", "--until", "lunch", *bench]) == 4
    assert (
        "--until: nothing ends so (got 'lunch'); expected reset or power or never" in capfd.readouterr().err
    )


def test_it_cannot_hang_until_anything_else(client: BenchClient) -> None:
    """The message says until what it can."""
    with pytest.raises(BenchFault, match="until is 'lunch'; expected one of 'reset', 'power', 'never'"):
        client.board("a").hang(until="lunch")
    with pytest.raises(BenchFault, match="parameter 'until' is missing"):
        client.request("hang", board="a")

    assert client.board("a").state().hung is None
