"""How the board fetches and executes: order, batches, failures, interruptions, and what is refused."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest

from harness_nordic.client_requests import Configuration, Finished, ServerCertificate
from harness_nordic.digests import pem_digest
from harness_nordic.enums import CommandStatus, CredentialType, DeviceStatus

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard

pytestmark = pytest.mark.board(driver="nrf91", needs={"attestation"})

FETCH, REPORT = "/v1/provisioning/commands", "/v1/provisioning/response"


@pytest.mark.proves("fetch", "204 without commands")
def test_nothing_to_do(board: LeasedBoard, claimed: Any) -> None:
    """A claimed board without commands is told so and changes nothing."""
    outcome = board.driver.provision()

    assert not outcome.finished
    assert outcome.refused_with is None
    assert claimed.refresh().status is DeviceStatus.READY


@pytest.mark.proves("fetch", "403 for a JWT that another key signed")
def test_forged_jwt(
    board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str, held: Any, refused: Any
) -> None:
    """A board that cannot prove who it is gets no command; with its own key again it does."""
    if not board.description.virtual:
        pytest.skip("only a virtual board can be told to forge its own JWT")
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    board.virtual.call("forge", what="jwt-signature", times=1)

    assert board.driver.provision().refused_with == refused.status(403)
    assert command.refresh().status is CommandStatus.PENDING
    assert held(sec_tag) == {}

    board.driver.provision()
    assert command.refresh().status is CommandStatus.SUCCEEDED


@pytest.mark.proves("execution", "in the order of creation, the last write stays")
def test_commands_run_in_order(
    board: LeasedBoard, claimed: Any, sec_tag: int, root_cas: tuple[str, ...], held: Any
) -> None:
    """Three writes to one slot: what stays is the last."""
    commands = [claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=pem)) for pem in root_cas]

    board.driver.provision()

    assert {command.refresh().status for command in commands} == {CommandStatus.SUCCEEDED}
    assert held(sec_tag) == {CredentialType.ROOT_CA: pem_digest(root_cas[-1])}


@pytest.mark.proves("execution", "split over fetches, all executed")
def test_many_commands_are_split_over_fetches(
    board: LeasedBoard, claimed: Any, root_cas: tuple[str, ...], held: Any
) -> None:
    """More commands than fit one answer reach the board in several, none lost."""
    tags = board.driver.sec_tags
    expected = {tag: root_cas[index % len(root_cas)] for index, tag in enumerate(tags)}
    for tag, pem in expected.items():
        claimed.add_command(ServerCertificate(sec_tag=tag, content=pem))
    claimed.add_command(Finished())

    assert board.driver.provision().finished

    assert {tag: held(tag) for tag in tags} == {
        tag: {CredentialType.ROOT_CA: pem_digest(pem)} for tag, pem in expected.items()
    }


@pytest.mark.board(needs={"certificate-check"})
@pytest.mark.proves("execution", "FAILED at a certificate that the board refuses, device ERROR")
def test_command_that_the_board_refuses(board: LeasedBoard, claimed: Any, sec_tag: int, held: Any) -> None:
    """A board's refusal shows at the command with the board's own number, and at the device."""
    bad = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content="no certificate at all"))

    outcome = board.driver.provision()

    assert not outcome.finished
    assert bad.refresh().status is CommandStatus.FAILED
    assert "527" in str(bad.response)
    assert claimed.refresh().status is DeviceStatus.ERROR
    assert held(sec_tag) == {}


@pytest.mark.board(needs={"certificate-check"})
@pytest.mark.backend(needs={"exact-status"})
@pytest.mark.proves("execution", "stops at the failing command, what is behind it waits")
def test_commands_behind_a_failing_one_wait(
    board: LeasedBoard, claimed: Any, root_cas: tuple[str, ...], held: Any
) -> None:
    """What stands before the failing command is done, what stands behind it is not."""
    before, failing, behind = board.driver.sec_tags[:3]
    done = claimed.add_command(ServerCertificate(sec_tag=before, content=root_cas[0]))
    bad = claimed.add_command(ServerCertificate(sec_tag=failing, content="no certificate at all"))
    waits = claimed.add_command(ServerCertificate(sec_tag=behind, content=root_cas[1]))
    claimed.add_command(Finished())

    assert not board.driver.provision().finished
    assert not board.driver.provision().finished

    assert [command.refresh().status for command in (done, bad, waits)] == [
        CommandStatus.SUCCEEDED,
        CommandStatus.FAILED,
        CommandStatus.PENDING,
    ]
    assert held(before) == {CredentialType.ROOT_CA: pem_digest(root_cas[0])}
    assert held(behind) == {}


@pytest.mark.board(needs={"certificate-check"})
@pytest.mark.backend(needs={"exact-status"})
@pytest.mark.proves("create command", "201 after ERROR, it waits and the device stays in ERROR")
def test_command_after_error(
    board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str, held: Any, status_of: Any
) -> None:
    """A device in ERROR gets nothing more to do until somebody looks after it."""
    claimed.add_command(ServerCertificate(sec_tag=sec_tag, content="no certificate at all"))
    board.driver.provision()

    more = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    board.driver.provision()

    assert claimed.refresh().status is DeviceStatus.ERROR
    assert status_of(more) is CommandStatus.PENDING
    assert held(sec_tag) == {}


@pytest.mark.proves("create command", "201 after PROVISIONED, the device is PENDING again")
def test_command_after_provisioned(
    board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str, held: Any
) -> None:
    """A provisioned device can be given more to do, and does it."""
    claimed.add_command(Finished())
    board.driver.provision()
    assert claimed.refresh().status is DeviceStatus.PROVISIONED

    more = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    assert claimed.refresh().status is DeviceStatus.PENDING
    board.driver.provision()

    assert more.refresh().status is CommandStatus.SUCCEEDED
    assert held(sec_tag) == {CredentialType.ROOT_CA: pem_digest(root_ca)}


@pytest.mark.proves("fetch", "403 for an expired JWT")
def test_expired_jwt(
    board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str, held: Any, status_of: Any, refused: Any
) -> None:
    """A board whose clock is an hour behind makes JWTs that have expired, and gets nothing for them."""
    if not board.description.virtual:
        pytest.skip("only a virtual board's clock can be set while it has network")
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    board.driver.online()
    board.virtual.call("set_clock", seconds=time.time() - 3600)
    try:
        outcome = board.driver.provision()
    finally:
        board.virtual.call("set_clock", seconds=time.time())

    assert outcome.refused_with == refused.status(403)
    assert status_of(command) is CommandStatus.PENDING
    assert held(sec_tag) == {}

    board.driver.provision()
    assert status_of(command) is CommandStatus.SUCCEEDED


@pytest.mark.backend(needs={"portal-commands"})
@pytest.mark.proves("execution", "split into what the board takes at once, all executed")
def test_more_commands_than_the_board_takes_at_once(board: LeasedBoard, claimed: Any) -> None:
    """A board takes ten commands at once; of fifteen small ones none is lost."""
    commands = [
        claimed.add_command(Configuration(properties={f"harness/{number}": "on"})) for number in range(15)
    ]
    finished = claimed.add_command(Finished())

    assert board.driver.provision().finished

    assert {command.refresh().status for command in [*commands, finished]} == {CommandStatus.SUCCEEDED}


@pytest.mark.backend(needs={"device-log"})
@pytest.mark.proves("fetch", "204 once everything is reported")
def test_reported_command_is_not_served_again(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, sec_tag: int, root_ca: str
) -> None:
    """A command is served once, reported once, and then there is nothing more."""
    before = len(nrfcloud.device_requests(claimed.id))
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))

    board.driver.provision()

    requests = nrfcloud.device_requests(claimed.id)[before:]
    assert [(each.method, each.path, each.status) for each in requests] == [
        ("GET", FETCH, 200),
        ("POST", REPORT, 200),
        ("GET", FETCH, 204),
    ]
    assert [[served.partition(".")[0] for served in each.ids] for each in requests] == [
        [command.id],
        [command.id],
        [],
    ]


@pytest.mark.backend(needs={"exact-status"})
@pytest.mark.board(needs={"provisioning-agent", "virtual"})
@pytest.mark.proves("execution", "IN_PROGRESS while the board is at it; after a power cut all of it runs")
def test_power_cut_in_mid_batch(
    board: LeasedBoard, claimed: Any, root_cas: tuple[str, ...], held: Any, status_of: Any
) -> None:
    """What a board fetched and never reported is served to it again."""
    expected = dict(zip(board.driver.sec_tags[:2], root_cas, strict=False))
    commands = [
        claimed.add_command(ServerCertificate(sec_tag=tag, content=pem)) for tag, pem in expected.items()
    ]
    board.driver.online()
    if board.driver.line.is_shell:
        pytest.skip("firmware with a shell sees to LTE by itself: nothing stops it here")
    # Firmware that leaves LTE to its host stops between fetching and executing, until the host reacts.
    board.virtual.call("configure", lte_control="host")
    try:
        board.driver.at("AT#XNRFPROV")
        board.console.wait_unsolicited(re.compile("#XNRFPROV: 1"), timeout=10, reason="the fetched batch")
        caught = [status_of(command) for command in commands]
        device_status = claimed.refresh().status
        board.virtual.set_power(on=False)
    finally:
        board.virtual.call("configure", lte_control="board")
        board.virtual.set_power(on=True)

    assert (caught, device_status) == ([CommandStatus.IN_PROGRESS] * 2, DeviceStatus.PENDING)
    board.driver.provision()
    assert [status_of(command) for command in commands] == [CommandStatus.SUCCEEDED] * 2
    assert {tag: held(tag) for tag in expected} == {
        tag: {CredentialType.ROOT_CA: pem_digest(pem)} for tag, pem in expected.items()
    }


@pytest.mark.backend(needs={"exact-status"})
@pytest.mark.proves("execution", "PROVISIONED when all is done, also without finished")
def test_done_without_finished(board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str) -> None:
    """A device whose commands are all done is provisioned, though nobody said finished."""
    claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))

    assert not board.driver.provision().finished

    assert claimed.refresh().status is DeviceStatus.PROVISIONED


@pytest.mark.proves("execution", "the board is online again")
def test_board_is_online_again(board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str) -> None:
    """The board goes offline to write credentials and online again to report."""
    claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))

    board.driver.provision()

    assert board.driver.functional_mode() == 1
