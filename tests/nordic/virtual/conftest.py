"""Virtual boards on a paper bench, and services that they provision with."""

from __future__ import annotations

import base64
import importlib.util
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness_nordic.virtual.board import Nrf91Board
from harness_nordic.virtual.coap_link import CoapLink
from harness_nordic.virtual.datagram_faults import DatagramFaults
from tests.nordic.virtual.agent_runs import run
from tests.nordic.virtual.coap_script import DEADLINE, Script
from tests.virtual.paper_bench import PaperBoard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class BoardInHand(PaperBoard):
    """A board on a host, driven from the test's thread."""

    def __init__(self, kind: str, number: int, options: dict[str, Any]) -> None:
        super().__init__(Nrf91Board, kind, number, options, roles=("console", "trace"))

    def at(self, command: str) -> str:
        """Run a command in the modem, past the line; the text of the reply."""
        reply: str | None = self.host.on_loop(lambda: self.board.modem.execute(command))
        assert reply is not None
        return reply

    def offline(self) -> None:
        assert self.at("AT+CFUN=4") == "OK\r\n"
        assert self.at("AT+CMEE=1") == "OK\r\n"


def boards_in_hand() -> Iterator[Callable[..., BoardInHand]]:
    """Make boards that are switched on; they end with the fixture that this is of."""
    boards: list[BoardInHand] = []

    def make(kind: str = "nrf9151dk-virtual", number: int = 0, **options: Any) -> BoardInHand:
        board = BoardInHand(kind, number, options)
        boards.append(board)
        board.power_on()
        return board

    yield make
    for board in boards:
        board.close()


@pytest.fixture
def make_board() -> Iterator[Callable[..., BoardInHand]]:
    """Make boards that are switched on; they end with the test."""
    yield from boards_in_hand()


@pytest.fixture
def board(make_board: Callable[..., BoardInHand]) -> BoardInHand:
    """An nRF9151 DK that is switched on."""
    return make_board()


@pytest.fixture
def openssl() -> Any:
    """The OpenSSL command line."""
    spec = importlib.util.spec_from_file_location("nordic_openssl", Path(__file__).with_name("openssl.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def unpack() -> Callable[[str], bytes]:
    """Decode base64url without padding."""
    return lambda text: base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A certificate that OpenSSL made (PEM, LF, no line break at its end)."""
    directory = tmp_path_factory.mktemp("certificate")
    make = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=test"
    openssl = shutil.which("openssl")
    assert openssl is not None
    arguments = [*make.split(), "-keyout", "key.pem", "-out", "crt.pem"]
    subprocess.run([openssl, *arguments], cwd=directory, check=True, capture_output=True)
    return (directory / "crt.pem").read_text().strip()


@pytest.fixture
def service(literal_service: Any) -> Any:
    """A service that answers 204 when it was told nothing else."""
    return literal_service


@pytest.fixture
def provision(board: Any, service: Any) -> Callable[..., list[dict[str, Any]]]:
    """Let the board provision until a notification comes, and return what its agent did."""
    board.call("set_service", url=service.url)
    return lambda wanted=0: run(board, wanted)


@pytest.fixture
def script() -> Iterator[Script]:
    """A service of literal bytes."""
    script = Script()
    yield script
    script.close()


@pytest.fixture
def make_link() -> Iterator[Callable[..., CoapLink]]:
    """Make links that send nothing twice unless a test wants that; they end with the test."""
    links: list[CoapLink] = []

    def make(port: int | None, **changes: Any) -> CoapLink:
        usual: dict[str, Any] = {
            "rx_size": 2304,
            "timeout": DEADLINE,
            # A service of a busy machine answers late: what is then sent again would be counted, too.
            "ack_timeout": DEADLINE,
            "block_size": 64,
            "faults": DatagramFaults(),
            "answered": lambda _name: None,
            "repeated": lambda _name: None,
        }
        link = CoapLink(None if port is None else f"coap://127.0.0.1:{port}", **{**usual, **changes})
        links.append(link)
        return link

    yield make
    for link in links:
        link.close()
