"""Both agents in trouble: lost reports, unreadable commands, wrong CAs, no time, firmware without an agent.

As in ``test_agents.py`` every test that takes ``agent`` is run with the board's own and with the host's.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import CommandRefused, ConsoleTimeout
from harness_nordic.client_requests import (
    CertificateSigningRequest,
    Finished,
    ServerCertificate,
)
from harness_nordic.enums import CommandStatus, CredentialType
from harness_nordic.judging import jwt_is_signed_by, read_generated_key

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard

pytestmark = pytest.mark.board(driver="nrf91", needs={"attestation"})


@pytest.mark.backend(needs={"faults", "device-log"})
@pytest.mark.proves("any agent", "report taken but answered 500: executed once, reported once")
def test_answer_to_the_report_is_lost(
    board: LeasedBoard, agent: Any, nrfcloud: Any, claimed: Any, sec_tag: int
) -> None:
    """An agent that does not hear that its report was taken goes on; nothing is executed again."""
    command = claimed.add_command(CertificateSigningRequest(sec_tag=sec_tag))
    before = len(nrfcloud.device_requests(claimed.id))

    with nrfcloud.fault(claimed, on="report", kind="lost-answer", status=500):
        outcome = agent.provision()
    agent.provision()

    assert outcome.event == "NO_COMMANDS"
    assert command.refresh().status is CommandStatus.SUCCEEDED
    exported = read_generated_key(command.exported)
    assert jwt_is_signed_by(board.driver.jwt(tag=sec_tag), exported.public_key)
    requests = nrfcloud.device_requests(claimed.id)[before:]
    assert [each.method for each in requests if each.ids] == ["GET", "POST"]


@pytest.mark.backend(needs={"faults", "device-log", "exact-status"})
@pytest.mark.proves("any agent", "report refused with 500: after is advanced, nothing is executed again")
def test_report_is_lost(
    board: LeasedBoard, agent: Any, nrfcloud: Any, claimed: Any, sec_tag: int, held: Any
) -> None:
    """What the service never heard of stays IN_PROGRESS; the agent says that it is past it."""
    command = claimed.add_command(CertificateSigningRequest(sec_tag=sec_tag))
    before = len(nrfcloud.device_requests(claimed.id))

    with nrfcloud.fault(claimed, on="report", kind="status", status=500):
        outcome = agent.provision()
    made = held(sec_tag)
    agent.provision()

    assert outcome.event == "NO_COMMANDS"
    assert command.refresh().status is CommandStatus.IN_PROGRESS
    assert list(made) == [CredentialType.CLIENT_KEY]
    assert held(sec_tag) == made
    fetched = [each for each in nrfcloud.device_requests(claimed.id)[before:] if each.method == "GET"]
    after = [re.search(r"after=([^&.]*)", each.query) for each in fetched]
    assert [match[1] if match else None for match in after][1:] == [command.id] * 2


@pytest.mark.backend(needs={"faults"})
@pytest.mark.proves("any agent", "cut-off CBOR: FAILED, nothing executed or reported")
def test_commands_that_cannot_be_read(
    agent: Any, nrfcloud: Any, claimed: Any, sec_tag: int, root_ca: str, held: Any
) -> None:
    """A batch that ends too early is not executed in part."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))

    with nrfcloud.fault(claimed, on="fetch", kind="truncated"):
        outcome = agent.provision()

    assert (outcome.event, outcome.finished) == ("FAILED", False)
    assert [exchange.method for exchange in outcome.exchanges] == ["GET"]
    assert command.refresh().status is not CommandStatus.SUCCEEDED
    assert held(sec_tag) == {}


@pytest.mark.backend(needs={"faults"})
@pytest.mark.proves("any agent", "more commands than asked for: FAILED_TOO_MANY_COMMANDS")
def test_too_many_commands(
    agent: Any, nrfcloud: Any, claimed: Any, sec_tag: int, root_ca: str, held: Any
) -> None:
    """An agent executes nothing of a batch that is larger than it asked for."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))

    with nrfcloud.fault(claimed, on="fetch", kind="too-many"):
        outcome = agent.provision()

    assert outcome.event == "FAILED_TOO_MANY_COMMANDS"
    assert command.refresh().status in {CommandStatus.PENDING, CommandStatus.IN_PROGRESS}
    assert held(sec_tag) == {}


@pytest.mark.backend(needs={"tls"})
@pytest.mark.proves("any agent", "over TLS with the right CA: provisioned")
def test_tls(
    agent: Any, nrfcloud: Any, claimed: Any, sec_tag: int, root_ca: str, held: Any, as_written: Any
) -> None:
    """With the service's CA both agents provision over TLS."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    secure = nrfcloud.secure_endpoint
    assert secure.url.startswith("https://")
    agent.use_service(secure.url, secure.ca_pem)

    agent.provision()

    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert held(sec_tag) == {CredentialType.ROOT_CA: as_written(root_ca)}


@pytest.mark.backend(needs={"tls"})
@pytest.mark.proves("any agent", "over TLS with another CA: FAILED_WRONG_ROOT_CA, the service hears nothing")
def test_wrong_root_ca(
    agent: Any, nrfcloud: Any, claimed: Any, sec_tag: int, root_ca: str, held: Any
) -> None:
    """Nothing is fetched from a service that does not prove who it is."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    before = len(nrfcloud.device_requests(claimed.id))
    agent.use_service(nrfcloud.secure_endpoint.url, root_ca)

    outcome = agent.provision()

    assert (outcome.event, outcome.finished) == ("FAILED_WRONG_ROOT_CA", False)
    assert len(nrfcloud.device_requests(claimed.id)) == before
    assert command.refresh().status is CommandStatus.PENDING
    assert held(sec_tag) == {}


# What tells the two apart ------------------------------------------------------------------------------


@pytest.mark.backend(needs={"device-log"})
@pytest.mark.board(needs={"virtual", "provisioning-agent"})
@pytest.mark.proves("board agent", "no network time: FAILED_NO_VALID_DATETIME, the service hears nothing")
def test_board_without_time(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, sec_tag: int, root_ca: str, held: Any
) -> None:
    """The board's own agent waits for the network's time, and gives up without it."""
    claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    before = len(nrfcloud.device_requests(claimed.id))
    take_time_away(board)
    board.virtual.call("configure", time_wait=0.05)

    outcome = board.driver.provision(agent="board")

    assert outcome.event == "FAILED_NO_VALID_DATETIME"
    assert len(nrfcloud.device_requests(claimed.id)) == before
    assert held(sec_tag) == {}


@pytest.mark.board(needs={"virtual"})
@pytest.mark.proves("host agent", "no network time: the host's is given, provisioned without LTE")
def test_host_gives_the_time(
    board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str, held: Any, by_console: Any
) -> None:
    """A board that has never seen a network is provisioned by the host, with a clock set by it."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    claimed.add_command(Finished())
    take_time_away(board)
    board.driver.offline()
    with pytest.raises(CommandRefused):
        board.driver.at("AT%CCLK?")

    outcome = board.driver.provision(agent="host")

    assert outcome.finished
    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert held(sec_tag) == {CredentialType.ROOT_CA: by_console(root_ca)}
    assert board.driver.functional_mode() == 4
    assert board.driver.at("AT%CCLK?")[0].startswith('%CCLK: "')


@pytest.mark.board(needs={"virtual"})
@pytest.mark.proves("host agent", "plain AT firmware: provisioned over the console")
def test_plain_at_firmware(
    board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str, held: Any, by_console: Any
) -> None:
    """Firmware without an agent refuses to provision itself; the host does it."""
    board.virtual.call("configure", agent=False)
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    with pytest.raises(CommandRefused):
        board.driver.provision(agent="board")
    assert command.refresh().status is CommandStatus.PENDING

    board.driver.provision(agent="host")

    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert held(sec_tag) == {CredentialType.ROOT_CA: by_console(root_ca)}


@pytest.mark.backend(needs={"exact-status"})
@pytest.mark.board(needs={"virtual"})
@pytest.mark.proves("host agent", "board silent in mid-batch: nothing reported, all of it done later")
def test_board_falls_silent(
    board: LeasedBoard,
    nrfcloud: Any,
    claimed: Any,
    root_cas: tuple[str, ...],
    held: Any,
    status_of: Any,
    by_console: Any,
) -> None:
    """The host reports nothing of a batch in which the board fell silent; the service gives it again."""
    tags = board.driver.sec_tags[:2]
    commands = [
        claimed.add_command(ServerCertificate(sec_tag=tag, content=pem))
        for tag, pem in zip(tags, root_cas, strict=False)
    ]
    board.driver.host_options = replace(board.driver.host_options, at_timeout=0.6)
    board.virtual.call("fail_next", command=f"AT%CMNG=0,{tags[1]}", outcome="silent")

    with pytest.raises(ConsoleTimeout) as silence:
        board.driver.provision(agent="host")

    assert "CERTIFICATE" not in str(silence.value)
    assert [status_of(command) for command in commands] == [CommandStatus.IN_PROGRESS] * 2
    assert [list(held(tag)) for tag in tags] == [[CredentialType.ROOT_CA], []]

    board.driver.provision(agent="host")

    assert [status_of(command) for command in commands] == [CommandStatus.SUCCEEDED] * 2
    assert [held(tag) for tag in tags] == [{CredentialType.ROOT_CA: by_console(pem)} for pem in root_cas[:2]]


def take_time_away(board: LeasedBoard) -> None:
    """Leave a virtual board without the network's time, as before its first registration."""
    board.driver.offline()
    board.virtual.call("network_time", on=False)
    board.virtual.call("set_clock", seconds=None)
