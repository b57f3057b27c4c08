"""The driver ``nrf91`` with boards whose console is a Zephyr shell: restarts, runs of the agent, secrets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.config import BoardSettings
from harness.errors import CommandRefused, ConsoleTimeout
from harness.inventory.board import Board, Endpoint
from harness.inventory.leased_board import LeasedBoard
from harness.plugins import load_plugins
from harness.redaction import Redactor
from harness.virtual.client import BenchClient
from harness.virtual.launcher import start_bench
from harness_nordic.driver_line import LineDiscipline
from harness_nordic.enums import CredentialType
from tests.console.conftest import PtyBoard
from tests.nordic.paper_shell import PaperShell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.nordic.conftest import Service

KEY = Path(__file__).parents[2] / "suites/nrfcloud/material/client-key.sample.pem"
TAG = 910000001
BOARDS: list[tuple[str, str | None, Mapping[str, Any]]] = [
    ("nrf9151dk-virtual", "dk", {"discipline": "at-shell"}),
    ("thingy91x-virtual", "thingy", {"discipline": "at-shell", "reset_replugs": True}),
]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A bench with a kit, whose ports stay, and a board that leaves USB with every reset."""
    with start_bench(tmp_path_factory.mktemp("bench"), BOARDS) as bench:
        yield bench


@pytest.fixture
def secrets() -> list[tuple[str, str]]:
    """What the driver has registered."""
    return []


@pytest.fixture
def lease(bench: Any, tmp_path: Path, secrets: list[tuple[str, str]]) -> Iterator[Callable[..., LeasedBoard]]:
    """Lease one of the boards, with the endpoints that are named."""
    leased: list[LeasedBoard] = []

    def lease(board_id: str, *roles: str) -> LeasedBoard:
        with BenchClient(bench.socket) as client:
            state = client.board(board_id).state()
        ports = {role: path for role, path in state.ports.items() if role in (roles or state.ports)}
        description = Board(
            id=state.id,
            kind=state.kind,
            driver="nrf91",
            bench=str(bench.socket),
            capabilities=frozenset({"provisioning-agent"}),
            endpoints={role: Endpoint(role=role, url=str(path)) for role, path in ports.items()},
        )
        board = LeasedBoard(
            description,
            load_plugins(),
            capture_directory=tmp_path,
            settings=BoardSettings(reconnect_seconds=30.0),
            register_secret=lambda value, label: secrets.append((value, label)),
        )
        leased.append(board)
        return board

    yield lease
    for board in leased:
        board.virtual.clear_faults()
        board.driver.restore()
        board.close()


@pytest.mark.parametrize("board_id", ["dk", "thingy"])
def test_restart(lease: Callable[..., LeasedBoard], board_id: str) -> None:
    """``kernel reboot warm`` restarts the board, also one that leaves USB; error numbers are on again."""
    board = lease(board_id)
    board.driver.offline()
    url = board.console.url

    board.driver.reset()

    assert board.driver.functional_mode() == 1
    assert board.driver.at("AT+CMEE?") == ["+CMEE: 1"]
    assert (board.console.url == url) is (board_id == "dk")
    assert b"kernel reboot warm" in board.console.slice(0)


@pytest.mark.parametrize("roles", [("console",), ("console", "trace")], ids=["on the console", "on a trace"])
def test_end_of_a_run_is_in_the_log(
    lease: Callable[..., LeasedBoard], literal_service: Service, roles: tuple[str, ...]
) -> None:
    """A shell notifies nobody: what the firmware logs tells how a run ended, wherever it logs."""
    board = lease("dk", *roles)
    board.virtual.call("set_service", url=literal_service.url)
    literal_service.status(403)

    outcomes = [board.driver.provision(timeout=20, agent="board") for _run in range(2)]

    assert [(outcome.event, outcome.refused_with) for outcome in outcomes] == [
        ("FAILED", 403),
        ("NO_COMMANDS", None),
    ]
    assert [[each.status for each in outcome.exchanges] for outcome in outcomes] == [[403], [204]]
    assert board.console.slice(0).count(b"nrf_provisioning now") == 2


def test_run_that_does_not_end(lease: Callable[..., LeasedBoard], literal_service: Service) -> None:
    """Whoever waits is told what for, and how long."""
    board = lease("dk", "console")
    board.virtual.call("set_service", url=literal_service.url)
    literal_service.hold.clear()

    with pytest.raises(ConsoleTimeout, match=r"started by 'nrf_provisioning now', 0.3 s at most"):
        board.driver.provision(timeout=0.3, agent="board")

    literal_service.hold.set()
    board.console.expect("nrf_provisioning: event NO_COMMANDS", timeout=20)


def test_firmware_without_an_agent(lease: Callable[..., LeasedBoard]) -> None:
    """A shell without ``nrf_provisioning`` is asked as the Serial Modem is, which refuses in its turn."""
    board = lease("dk")
    board.virtual.call("configure", agent=False)
    board.driver.reset()

    with pytest.raises(CommandRefused, match="AT#XNRFPROV was refused: ERROR"):
        board.driver.provision(agent="board")

    board.virtual.clear_faults()
    board.driver.reset()  # the shell's commands are those of the firmware that was booted


def test_nothing_that_is_echoed_stays_readable(
    lease: Callable[..., LeasedBoard], secrets: list[tuple[str, str]]
) -> None:
    """A shell repeats the keys that are typed, broken where the terminal ends: none stays readable."""
    board = lease("dk")
    key = KEY.read_text()
    board.virtual.call("configure", terminal_width=80)
    board.driver.write_credential(TAG, CredentialType.CLIENT_KEY, key)
    board.driver.write_credential(TAG, CredentialType.PSK, "00112233445566778899aabbccddeeff")
    jwt = board.driver.jwt()
    said = board.console.slice(0).decode()
    assert "00112233445566778899aabbccddeeff" in said.replace("\r\n", "")

    redactor = Redactor()
    for value, label in secrets:
        redactor.add(value, label)
    clean = redactor.redact(said).replace("\r\n", "")

    assert "[redacted: " in clean
    secret_lines = [line for line in key.splitlines() if "-----" not in line]
    for secret in (*secret_lines, "00112233445566778899aabbccddeeff", jwt):
        pieces = {secret[at : at + 12] for at in range(len(secret) - 12)}
        assert not [piece for piece in pieces if piece in clean]


def test_batch_of_a_service_that_cannot_be_typed(lease: Callable[..., LeasedBoard]) -> None:
    """The agent on the host hears why, in a text that is no modem's; the board was told nothing."""
    board = lease("dk")
    board.driver.offline()
    before = len(board.console.slice(0))

    answer = board.driver.answer(f'AT%CMNG=0,{TAG},4,"a\\nb"', 5)

    assert answer.endswith("cannot be typed to a Zephyr shell: a credential with a backslash before an n\r\n")
    assert b"CMNG" not in board.console.slice(before)


def test_what_a_dead_session_left_is_put_back(lease: Callable[..., LeasedBoard]) -> None:
    """The next session does it through the shell."""
    board = lease("dk")
    board.driver.write_credential(TAG, CredentialType.PSK, "00112233")
    details = {"error-numbers": "0", "mode": "1", "sec-tags": f"{TAG}-{TAG}", "others": ""}

    board.driver.recover(details)

    assert board.driver.line.discipline is LineDiscipline.AT_SHELL
    assert board.driver.health()
    assert not [each for each in board.virtual.call("credentials") if each["tag"] == TAG]
    assert board.driver.functional_mode() == 1


@pytest.mark.parametrize(
    "said", ["kernel: command not found", "kernel - Kernel commands\r\n\r\nSubcommands:"]
)
def test_shell_that_cannot_restart(said: str) -> None:
    """Firmware without the command says so, and nobody waits for a boot."""
    far = PtyBoard()
    shell = PaperShell(
        {"AT+CMEE?": "+CMEE: 1\r\nOK\r\n", "AT+CFUN?": "+CFUN: 1\r\nOK\r\n", "AT+CMEE=1": "OK\r\n"}
    )
    shell.commands["kernel reboot warm"] = said.encode() + b"\r\n"
    description = Board(
        id="b1",
        kind="toy",
        driver="nrf91",
        endpoints={"console": Endpoint(role="console", url=far.path, discipline="at-shell")},
    )
    board = LeasedBoard(
        description, load_plugins(), capture_directory=None, settings=BoardSettings(allow_destructive=True)
    )
    try:
        far.answer(shell)
        with pytest.raises(CommandRefused, match="kernel reboot warm was refused"):
            board.driver.reset(timeout=20)
    finally:
        board.close()
        far.close()
    assert shell.typed[-1] == "kernel reboot warm"
