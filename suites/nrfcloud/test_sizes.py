"""What a small board can take: the service never sends more, and says so of what can never be sent.

Sizes: nrfcloud fact sheet, sections 3.2, 3.5 and 3.6. What the real service does with a command that can
never fit is unknown, hence ``exact-status``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness_nordic.client_requests import CertificateSigningRequest, Configuration, ServerCertificate
from harness_nordic.digests import pem_digest
from harness_nordic.enums import CommandStatus, CredentialType, DeviceStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.inventory.leased_board import LeasedBoard

pytestmark = [
    pytest.mark.board(driver="nrf91", needs={"attestation", "provisioning-agent"}),
    pytest.mark.backend(needs={"exact-status", "command-control"}),
]


@pytest.fixture
def built(board: LeasedBoard) -> Iterator[Callable[..., None]]:
    """Build the board's firmware with other buffers, until the test ends."""
    if not board.description.virtual:
        pytest.skip("only a virtual board's firmware is built at will")
    before = board.virtual.call("configuration")
    changed: set[str] = set()

    def build(**options: int) -> None:
        changed.update(options)
        board.virtual.call("configure", **options)

    yield build
    board.virtual.call("configure", **{name: before[name] for name in changed})


@pytest.mark.proves("size", "FAILED what is longer than the board's buffer for AT commands; then it fits")
def test_longer_than_the_buffer_for_commands(
    board: LeasedBoard, claimed: Any, built: Any, sec_tag: int, root_ca: str, held: Any
) -> None:
    """Such a command would crash the board's library, so it is never sent."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    built(tx_size=500, at_size=500)

    assert board.driver.provision().event == "NO_COMMANDS"
    assert command.refresh().status is CommandStatus.FAILED
    assert "buffer for AT commands" in str(command.response)
    assert claimed.refresh().status is DeviceStatus.ERROR
    assert held(sec_tag) == {}

    built(tx_size=2304, at_size=2048)
    claimed.reset()
    board.driver.provision()
    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert held(sec_tag) == {CredentialType.ROOT_CA: pem_digest(root_ca)}


@pytest.mark.backend(needs={"exact-status", "command-control", "device-log"})
@pytest.mark.proves("size", "one command a fetch for a board that takes one, all executed")
def test_board_that_takes_one_command(board: LeasedBoard, nrfcloud: Any, claimed: Any, built: Any) -> None:
    """``limit`` counts what the device executes, and is never exceeded."""
    commands = [claimed.add_command(Configuration(properties={f"harness/{n}": "on"})) for n in range(3)]
    before = len(nrfcloud.device_requests(claimed.id))
    built(limit=1)

    board.driver.provision()

    assert {command.refresh().status for command in commands} == {CommandStatus.SUCCEEDED}
    served = [each.ids for each in nrfcloud.device_requests(claimed.id)[before:] if each.method == "GET"]
    assert [len(ids) for ids in served] == [1, 1, 1, 0]


@pytest.mark.proves("size", "FAILED a key for a board that takes one command: it takes two in one batch")
def test_key_for_a_board_that_takes_one_command(
    board: LeasedBoard, claimed: Any, built: Any, sec_tag: int, held: Any
) -> None:
    """Deleting the old key and making the new one are never torn apart."""
    command = claimed.add_command(CertificateSigningRequest(sec_tag=sec_tag))
    built(limit=1)

    board.driver.provision()

    assert command.refresh().status is CommandStatus.FAILED
    assert "2 steps" in str(command.response)
    assert held(sec_tag) == {}


@pytest.mark.backend(needs={"exact-status", "command-control", "device-log"})
@pytest.mark.parametrize(("rx_size", "most"), [(1200, 1), (2304, 2), (4096, 4)])
@pytest.mark.proves(
    "size", "as many commands a fetch as the board has room for, every answer fits, all executed"
)
def test_boards_of_different_sizes(
    board: LeasedBoard,
    nrfcloud: Any,
    claimed: Any,
    built: Any,
    root_cas: tuple[str, ...],
    held: Any,
    rx_size: int,
    most: int,
) -> None:
    """A batch is split over fetches where the board's buffer ends; status line and headers count, too."""
    tags = board.driver.sec_tags[:5]
    pems = [root_cas[number % len(root_cas)] for number in range(len(tags))]
    commands = [
        claimed.add_command(ServerCertificate(sec_tag=tag, content=pem))
        for tag, pem in zip(tags, pems, strict=True)
    ]
    before = len(nrfcloud.device_requests(claimed.id))
    built(rx_size=rx_size)
    board.virtual.call("agent_log", clear=True)

    assert board.driver.provision(agent="board").event == "NO_COMMANDS"

    assert {command.refresh().status for command in commands} == {CommandStatus.SUCCEEDED}
    served = [len(each.ids) for each in nrfcloud.device_requests(claimed.id)[before:] if each.method == "GET"]
    assert (max(served), sum(served)) == (most, len(tags))
    answers = [each["size"] for each in board.virtual.call("agent_log") if each.get("exchange") == "GET"]
    assert len(answers) == len(served)
    assert max(answers) < rx_size
    assert [held(tag) for tag in tags] == [{CredentialType.ROOT_CA: pem_digest(pem)} for pem in pems]


@pytest.mark.proves(
    "size", "report that does not fit the board: nothing is reported; then it fits, SUCCEEDED"
)
def test_report_larger_than_the_buffer(board: LeasedBoard, claimed: Any, built: Any, held: Any) -> None:
    """What the board cannot tell it has done; with room, and when it has forgotten, it does it again."""
    tags = board.driver.sec_tags[:2]
    commands = [claimed.add_command(CertificateSigningRequest(sec_tag=tag)) for tag in tags]
    built(tx_size=1000, at_size=1000)

    assert board.driver.provision(agent="board").event == "FAILED"
    assert {command.refresh().status for command in commands} == {CommandStatus.IN_PROGRESS}
    first = [held(tag) for tag in tags]
    assert [set(slot) for slot in first] == [{CredentialType.CLIENT_KEY}] * 2
    # It remembers what it processed, so the service does not give it that again.
    assert board.driver.provision(agent="board").event == "NO_COMMANDS"
    assert {command.refresh().status for command in commands} == {CommandStatus.IN_PROGRESS}

    built(tx_size=2304, at_size=2048)
    board.virtual.reset()
    board.driver.provision(agent="board")
    assert {command.refresh().status for command in commands} == {CommandStatus.SUCCEEDED}
    assert [held(tag) == slot for tag, slot in zip(tags, first, strict=True)] == [False, False]
