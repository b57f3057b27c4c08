"""The driver ``nrf91`` over a reset: what the board forgets, and that it may come back under other names."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from harness.backends.contract import UnkeptAccounts
from harness.config import BoardSettings
from harness.console import Reply
from harness.errors import BoardLost, CommandRefused, ConsoleTimeout
from harness.inventory.board import Board, Endpoint
from harness.inventory.leased_board import LeasedBoard
from harness.plugins import load_plugins
from harness.virtual.client import BenchClient
from harness.virtual.launcher import start_bench
from harness_nordic.driver import Nrf91Driver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BOARDS = [("nrf9151dk-virtual", "dk", {}), ("thingy91x-virtual", "thingy", {"reset_replugs": True})]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A bench with a kit, whose ports stay, and a board that leaves USB with every reset."""
    with start_bench(tmp_path_factory.mktemp("bench"), BOARDS) as bench:
        yield bench


@pytest.fixture
def lease(bench: Any, tmp_path: Path) -> Iterator[Callable[..., LeasedBoard]]:
    """Lease one of the boards."""
    leased: list[LeasedBoard] = []

    def lease(board_id: str, **settings: Any) -> LeasedBoard:
        with BenchClient(bench.socket) as client:
            state = client.board(board_id).state()
        description = Board(
            id=state.id,
            kind=state.kind,
            driver="nrf91",
            bench=str(bench.socket),
            endpoints={role: Endpoint(role=role, url=str(path)) for role, path in state.ports.items()},
        )
        board = LeasedBoard(
            description, load_plugins(), capture_directory=tmp_path, settings=BoardSettings(**settings)
        )
        leased.append(board)
        return board

    yield lease
    for board in leased:
        board.virtual.clear_faults()
        board.driver.restore()
        board.close()


def test_reset_of_a_kit(lease: Callable[..., LeasedBoard]) -> None:
    """The board is as after a boot, but that the driver's error numbers are on again; its ports stay."""
    board = lease("dk")
    board.driver.offline()
    url = board.console.url

    board.driver.reset()

    assert board.driver.functional_mode() == 1
    assert board.driver.at("AT+CMEE?") == ["+CMEE: 1"]
    assert board.console.url == url


def test_reset_that_takes_the_board_off_usb(lease: Callable[..., LeasedBoard], tmp_path: Path) -> None:
    """Consoles and driver go on where the board came back, in one capture; its description is true again."""
    board = lease("thingy", reconnect_seconds=30.0)
    board.driver.offline()
    trace = board.endpoint("trace")
    before = {"console": board.console.url, "trace": trace.url}

    board.driver.reset()

    assert board.driver.functional_mode() == 1
    pause, deadline = threading.Event(), time.monotonic() + 30
    while not trace.is_there() or trace.url == before["trace"]:
        assert time.monotonic() < deadline, "the log's port does not come back"
        pause.wait(0.01)
    board.virtual.call("provision")  # there is no service, which the log says
    trace.expect("nrf_provisioning: event START", timeout=30)
    after = {role: str(path) for role, path in board.virtual.state().ports.items()}
    assert not set(after.values()) & set(before.values())
    assert {role: endpoint.url for role, endpoint in board.description.endpoints.items()} == after
    assert (board.console.url, trace.url) == (after["console"], after["trace"])
    assert board.lost is None
    said = (tmp_path / "thingy-console.raw").read_bytes()
    assert said.count(b"+CMEE: 0\r\n") == said.count(b"+CFUN: 1\r\n") == 2, "before the reset and after it"


def test_reset_in_the_middle_of_a_wait(lease: Callable[..., LeasedBoard]) -> None:
    """A command whose reply a reset takes along is lost, and all that come after it work."""
    board = lease("thingy")
    driver = board.driver
    board.virtual.call("disturb_next", command="AT+CGSN", how="slow", seconds=60.0)
    driver.at("AT")
    board.virtual.call("passed_points", clear=True)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(driver.imei)
        pause, deadline = threading.Event(), time.monotonic() + 30
        while ["before at", "AT+CGSN"] not in board.virtual.call("passed_points"):
            assert time.monotonic() < deadline, "the command does not arrive"
            pause.wait(0.01)
        board.virtual.reset()
        with pytest.raises(BoardLost, match="the reply to 'AT\\+CGSN' was lost with it"):
            asked.result(30)

    assert driver.at("AT+CMEE?") == ["+CMEE: 0"]
    assert driver.imei() == board.virtual.state().properties["imei"]


def test_firmware_that_cannot_reset(lease: Callable[..., LeasedBoard]) -> None:
    """A firmware without the command says so, and nothing was reset."""
    board = lease("dk")
    board.driver.offline()
    board.virtual.call("fail_next", command="AT#XRESET", outcome="error")

    with pytest.raises(CommandRefused, match="AT#XRESET was refused"):
        board.driver.reset()
    with pytest.raises(CommandRefused):
        board.driver.at("AT#XRESET=1")

    assert board.driver.functional_mode() == 4


class Stubborn:
    """A board that takes every order and does nothing.

    :ivar lost: as of a board that went away for good.
    """

    def __init__(self, lost: BoardLost | None = None) -> None:
        self.id = "stubborn"
        self.console = self
        self.settings = BoardSettings(allow_destructive=True)
        self.accounts = UnkeptAccounts()
        self.capabilities: frozenset[str] = frozenset()
        self.description = Board(id="stubborn", kind="stubborn", driver="nrf91")
        self.lost: BoardLost | None = None
        self._gets_lost = lost
        self._error_mode = 0

    def command(self, line: str, _dialect: Any, *, timeout: float, reason: str, shown: str) -> Reply:
        assert timeout > 0
        assert reason
        assert shown == line
        if self.lost is not None:
            raise self.lost
        if line == "AT#XRESET":
            self.lost = self._gets_lost
        self._error_mode = 1 if line == "AT+CMEE=1" else self._error_mode
        lines = {"AT+CMEE?": (f"+CMEE: {self._error_mode}",), "AT+CFUN?": ("+CFUN: 1",)}.get(line, ())
        return Reply(command=line, lines=lines, final="OK", seconds=0)

    def wait_unsolicited(self, _wanted: str, *, timeout: float) -> str:
        raise ConsoleTimeout(f"nothing within {timeout:g} s")


def test_board_that_does_not_restart() -> None:
    """Who takes the order and never boots is noticed: what a boot forgets is still there."""
    driver = Nrf91Driver(Stubborn())  # type: ignore[arg-type]  # as much of a board as the driver uses

    with pytest.raises(ConsoleTimeout, match="took the order to restart, and did not"):
        driver.reset(timeout=0.05)


def test_board_that_does_not_come_back() -> None:
    """A board that is lost for good is not waited for any longer."""
    driver = Nrf91Driver(Stubborn(BoardLost("gone for good")))  # type: ignore[arg-type]  # see above

    with pytest.raises(BoardLost, match="gone for good"):
        driver.reset(timeout=60.0)
