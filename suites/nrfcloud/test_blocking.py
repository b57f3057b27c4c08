"""Blocking and unblocking: what a blocked board may do, and what becomes of its queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness_nordic.client_requests import Finished, ServerCertificate
from harness_nordic.digests import pem_digest
from harness_nordic.enums import CommandStatus, CredentialType, DeviceStatus

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard

pytestmark = pytest.mark.board(driver="nrf91", needs={"attestation"})


@pytest.mark.backend(needs={"exact-status"})
@pytest.mark.proves("block", "204, the device is BLOCKED and still ours")
def test_block(nrfcloud: Any, claimed: Any, is_claimed_by: Any) -> None:
    """A blocked device says so and stays claimed."""
    claimed.block()

    assert claimed.refresh().status is DeviceStatus.BLOCKED
    assert is_claimed_by(nrfcloud)


@pytest.mark.proves("fetch", "403 while blocked, commands stay PENDING, the board is unchanged")
def test_blocked_board_keeps_its_commands_pending(
    board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str, held: Any, status_of: Any, refused: Any
) -> None:
    """The agent on a blocked board is turned away; nothing is executed and nothing is lost."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    claimed.block()

    outcome = board.driver.provision()

    assert outcome.refused_with == refused.status(403)
    assert not outcome.finished
    assert status_of(command) is CommandStatus.PENDING
    assert held(sec_tag) == {}


@pytest.mark.proves("unblock", "204, pending commands run")
def test_unblocked_board_runs_its_commands(
    board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str, held: Any, status_of: Any, refused: Any
) -> None:
    """After unblocking, the very commands that waited are executed by the board."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    finished = claimed.add_command(Finished())
    claimed.block()
    assert board.driver.provision().refused_with == refused.status(403)
    claimed.unblock()

    assert board.driver.provision().finished

    assert status_of(command) is CommandStatus.SUCCEEDED
    assert status_of(finished) is CommandStatus.SUCCEEDED
    assert held(sec_tag) == {CredentialType.ROOT_CA: pem_digest(root_ca)}
    assert claimed.refresh().status is DeviceStatus.PROVISIONED


@pytest.mark.backend(needs={"exact-status"})
@pytest.mark.proves("unblock", "204, the status before the block is back")
def test_unblock_restores_the_status(claimed: Any, sec_tag: int, root_ca: str) -> None:
    """Unblocking puts back READY and PENDING as they were."""
    claimed.block()
    claimed.unblock()
    assert claimed.refresh().status is DeviceStatus.READY

    claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    claimed.block()
    assert claimed.refresh().status is DeviceStatus.BLOCKED
    claimed.unblock()
    assert claimed.refresh().status is DeviceStatus.PENDING


@pytest.mark.backend(needs={"exact-status"})
@pytest.mark.proves("create command", "201 for a blocked device, it waits")
def test_command_for_a_blocked_device(
    board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str, status_of: Any, refused: Any
) -> None:
    """A command may be added while the device is blocked; it runs after unblocking and not before."""
    claimed.block()
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))

    assert board.driver.provision().refused_with == refused.status(403)
    assert status_of(command) is CommandStatus.PENDING
    assert claimed.refresh().status is DeviceStatus.BLOCKED

    claimed.unblock()
    board.driver.provision()
    assert status_of(command) is CommandStatus.SUCCEEDED


@pytest.mark.backend(needs={"teams"})
@pytest.mark.proves("claim", "409 for a blocked device of another team")
def test_block_keeps_the_claim(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, refused: Any, is_claimed_by: Any
) -> None:
    """Blocking does not set a device free."""
    other = nrfcloud.another_team()
    claimed.block()

    with refused(409):
        other.claim(board.driver.attestation_token())

    assert is_claimed_by(nrfcloud)
    assert not is_claimed_by(other)


@pytest.mark.parametrize("operation", ["block", "unblock"])
@pytest.mark.proves("block", "404 for an unknown device")
def test_block_of_an_unknown_device(board: LeasedBoard, nrfcloud: Any, operation: str, refused: Any) -> None:
    """An unknown device can neither be blocked nor unblocked."""
    answer = nrfcloud.raw.request(
        "POST", f"/v1/claimed-devices/00000000-0000-4000-8000-000000000000/{operation}"
    )

    assert answer.status_code == refused.status(404)


@pytest.mark.backend(needs={"teams"})
@pytest.mark.parametrize("operation", ["block", "unblock"])
@pytest.mark.proves("block", "404 for another team's device")
def test_block_of_another_teams_device(nrfcloud: Any, claimed: Any, operation: str, refused: Any) -> None:
    """Another team neither blocks nor unblocks our device."""
    if operation == "unblock":
        claimed.block()
    before = claimed.refresh().status

    answer = nrfcloud.another_team().raw.request("POST", f"/v1/claimed-devices/{claimed.id}/{operation}")

    assert answer.status_code == refused.status(404)
    assert claimed.refresh().status is before


@pytest.mark.proves("block", "204 again, one unblock is enough")
def test_block_twice(board: LeasedBoard, claimed: Any) -> None:
    """Blocking a blocked device changes nothing: it remembers the status before the first block."""
    claimed.block()
    claimed.block()
    claimed.unblock()

    assert claimed.refresh().status is DeviceStatus.READY
    assert board.driver.provision().refused_with is None
