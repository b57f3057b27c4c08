"""Provisioning a board whose console is a Zephyr shell, by either agent.

The board's own agent is started by ``nrf_provisioning now``, where the shell has that; the host's works over
``at``. What a shell writes of a credential has CR LF for line ends, which shows in the digest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness_nordic.client_requests import (
    CertificateSigningRequest,
    ClientCertificate,
    ClientPrivateKey,
    Configuration,
    Finished,
    PreSharedKey,
    ServerCertificate,
)
from harness_nordic.client_rules import Authorities, OnboardingCertificates
from harness_nordic.digests import pem_digest
from harness_nordic.enums import CommandStatus, CredentialType, DeviceStatus
from harness_nordic.judging import jwt_is_signed_by, read_generated_key

if TYPE_CHECKING:
    from pathlib import Path

    from harness.inventory.leased_board import LeasedBoard

pytestmark = [
    pytest.mark.board(driver="nrf91", needs={"attestation"}),
    pytest.mark.parametrize("discipline", ["at-shell"], indirect=True),
    pytest.mark.usefixtures("discipline"),
]


@pytest.mark.backend(needs={"portal-commands"})
@pytest.mark.backend(needs={"portal-commands"})
@pytest.mark.proves(
    "any agent, shell", "every type of command SUCCEEDED, device PROVISIONED, the board holds it all"
)
def test_every_type_of_command(
    board: LeasedBoard,
    agent: Any,
    claimed: Any,
    root_ca: str,
    client_certificate: str,
    client_key: str,
    held: Any,
    as_written: Any,
) -> None:
    """What the service wants is on the board, with the line ends of whoever wrote it."""
    tags = board.driver.sec_tags
    commands = [
        claimed.add_command(request)
        for request in (
            ServerCertificate(sec_tag=tags[0], content=root_ca),
            ClientCertificate(sec_tag=tags[0], content=client_certificate),
            ClientPrivateKey(sec_tag=tags[0], content=client_key),
            PreSharedKey(sec_tag=tags[1], identity="harness", secret="00112233aabbccdd"),
            CertificateSigningRequest(sec_tag=tags[2], attributes="CN=harness", key_usage="101010000"),
            Configuration(properties={"harness/agent": agent.name}),
            Finished(),
        )
    ]

    outcome = agent.provision()

    assert (outcome.finished, outcome.event) == (True, "DONE")
    assert [command.refresh().status for command in commands] == [CommandStatus.SUCCEEDED] * 7
    assert claimed.refresh().status is DeviceStatus.PROVISIONED
    assert held(tags[0]) == {
        CredentialType.ROOT_CA: as_written(root_ca),
        CredentialType.CLIENT_CERT: as_written(client_certificate),
        CredentialType.CLIENT_KEY: as_written(client_key),
    }
    assert held(tags[1]) == {
        CredentialType.PSK: pem_digest("00112233aabbccdd"),
        CredentialType.PSK_IDENTITY: pem_digest("harness"),
    }
    request = read_generated_key(commands[4].exported)
    assert jwt_is_signed_by(board.driver.jwt(tag=tags[2]), request.public_key)


@pytest.mark.proves("any agent, shell", "blocked: refused, nothing executed; done after the unblock")
def test_blocked_device(
    agent: Any, claimed: Any, sec_tag: int, root_ca: str, held: Any, as_written: Any, refused: Any
) -> None:
    """The refusal is told by either agent, and the command waits."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    claimed.block()

    outcome = agent.provision()

    assert (outcome.event, outcome.refused_with) == refused.turned_away(403)
    assert command.refresh().status is CommandStatus.PENDING
    assert held(sec_tag) == {}
    claimed.unblock()
    agent.provision()
    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert held(sec_tag) == {CredentialType.ROOT_CA: as_written(root_ca)}


@pytest.mark.proves("any agent, shell", "unclaimed: event FAILED_DEVICE_NOT_CLAIMED")
def test_unclaimed_device(
    agent: Any, nrfcloud: Any, is_claimed_by: Any, sec_tag: int, held: Any, refused: Any
) -> None:
    """Both agents say that the device is nobody's."""
    assert not is_claimed_by(nrfcloud)

    outcome = agent.provision()

    assert (outcome.event, outcome.refused_with) == refused.turned_away(401)
    assert held(sec_tag) == {}


@pytest.mark.proves("any agent, shell", "nothing to do: NO_COMMANDS, again and again")
def test_nothing_to_do(agent: Any, claimed: Any) -> None:
    """Each run is told from the one before it."""
    outcomes = [agent.provision() for _run in range(2)]

    assert [(outcome.event, outcome.finished) for outcome in outcomes] == [("NO_COMMANDS", False)] * 2
    assert claimed.refresh().status is DeviceStatus.READY


@pytest.mark.backend(needs={"portal-commands"})
@pytest.mark.board(needs={"virtual"})
@pytest.mark.proves(
    "host's agent, shell", "FAILED what the shell's line cannot take, what is behind it waits"
)
def test_certificate_that_is_too_long_for_the_shell(
    board: LeasedBoard, claimed: Any, root_cas: tuple[str, ...], held: Any
) -> None:
    """The host's agent reports that the command could not be executed, and why; it goes no further."""
    tags = board.driver.sec_tags
    board.virtual.call("configure", shell_size=256)
    short = claimed.add_command(PreSharedKey(sec_tag=tags[0], identity="harness", secret="00112233aabbccdd"))
    long = claimed.add_command(ServerCertificate(sec_tag=tags[1], content=root_cas[0]))
    behind = claimed.add_command(ServerCertificate(sec_tag=tags[2], content=root_cas[1]))

    outcome = board.driver.provision(agent="host")

    assert not outcome.finished
    assert short.refresh().status is CommandStatus.SUCCEEDED
    assert long.refresh().status is CommandStatus.FAILED
    assert behind.refresh().status is not CommandStatus.SUCCEEDED
    assert claimed.refresh().status is DeviceStatus.ERROR
    assert [set(held(tag)) for tag in tags[:3]] == [
        {CredentialType.PSK, CredentialType.PSK_IDENTITY},
        set(),
        set(),
    ]


@pytest.mark.board(needs={"provisioning-agent", "virtual"})
@pytest.mark.proves("board's agent, shell", "the interval that was typed is kept without power")
def test_interval_that_is_typed_is_kept(board: LeasedBoard, claimed: Any, watch: Any) -> None:
    """What the shell was told outlives a boot, as what the service says does."""
    driver = board.driver
    board.virtual.call("configure", scheduled=True, interval=4000)
    driver.line.run(board.console, "nrf_provisioning interval 45", timeout=5, reason="another interval")
    assert board.virtual.call("schedule")["interval"] == 45
    poll_ends = watch()

    board.driver.reset()
    poll_ends("NO_COMMANDS")

    assert board.virtual.call("schedule")["interval"] == 45
    assert claimed.refresh().status is DeviceStatus.READY


@pytest.mark.backend(needs={"portal-commands"})
@pytest.mark.board(needs={"provisioning-agent", "virtual"})
@pytest.mark.proves("board's agent, shell", "its interval is changed by a configuration, and by the shell")
def test_interval(board: LeasedBoard, claimed: Any, watch: Any) -> None:
    """The setting of the service and the shell's command change the same thing; each poll finds its work."""
    driver = board.driver
    board.virtual.call("configure", scheduled=True, interval=4000)
    first = claimed.add_command(Configuration(properties={"provisioning/interval-sec": "100"}))
    driver.provision()
    assert first.refresh().status is CommandStatus.SUCCEEDED
    assert board.virtual.call("schedule")["interval"] == 100

    driver.line.run(board.console, "nrf_provisioning interval 4500", timeout=5, reason="another interval")

    assert board.virtual.call("schedule")["interval"] == 4500
    before = board.virtual.call("schedule")["polls"]
    second = claimed.add_command(Configuration(properties={"harness/polled": "yes"}))
    poll_ends = watch()
    board.virtual.call("pass_time", seconds=4400)
    assert board.virtual.call("schedule")["polls"] == before
    board.virtual.call("pass_time", seconds=100)
    poll_ends("NO_COMMANDS")
    assert second.refresh().status is CommandStatus.SUCCEEDED
    assert board.virtual.call("settings")["harness/polled"] == "yes"


@pytest.mark.proves("any agent, shell", "provisioned after the shell's own restart")
def test_restart_before_provisioning(
    board: LeasedBoard, agent: Any, claimed: Any, sec_tag: int, root_ca: str, held: Any, as_written: Any
) -> None:
    """As the client has it: claim, ``kernel reboot warm``, provision."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    finished = claimed.add_command(Finished())

    board.driver.reset()
    assert agent.provision().finished

    assert [each.refresh().status for each in (command, finished)] == [CommandStatus.SUCCEEDED] * 2
    assert claimed.refresh().status is DeviceStatus.PROVISIONED
    assert held(sec_tag) == {CredentialType.ROOT_CA: as_written(root_ca)}


@pytest.mark.backend(needs={"onboarding", "rules"})
@pytest.mark.proves("any agent, shell", "onboarded by a rule: PROVISIONED, keys and both CAs on the board")
def test_onboarding_by_a_rule(
    board: LeasedBoard,
    agent: Any,
    nrfcloud: Any,
    material: Path,
    sec_tag: int,
    held: Any,
    as_written: Any,
) -> None:
    """What a rule wants is done through the shell, certificates of nearly two thousand characters too."""
    authorities = Authorities(
        aws=(material / "onboarding-aws.pem").read_text(), coap=(material / "onboarding-coap.pem").read_text()
    )
    name = nrfcloud.own_name("onboarding")
    rule = nrfcloud.auto_onboard(name=name, authorities=authorities, sec_tag=sec_tag)
    device = nrfcloud.claim_with_rule(board.driver.attestation_token(), rule)

    assert agent.provision().finished

    assert device.refresh().status is DeviceStatus.PROVISIONED
    certificates = authorities.chosen(OnboardingCertificates.ALL)
    assert len(certificates) == 1792
    on_board = held(sec_tag)
    assert set(on_board) == {CredentialType.ROOT_CA, CredentialType.CLIENT_KEY}
    assert on_board[CredentialType.ROOT_CA] == as_written(certificates)
    assert device.id in {each.id for each in nrfcloud.core.devices()}
