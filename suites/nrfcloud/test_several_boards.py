"""Several boards of one team at once: what is for one of them reaches that one, and what is for all, all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness_nordic.client_requests import Finished, ServerCertificate
from harness_nordic.digests import pem_digest
from harness_nordic.enums import CommandStatus, CredentialType

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard

pytestmark = pytest.mark.board(driver="nrf91", needs={"attestation"}, count=2)


def roots(board: LeasedBoard, tag: int) -> set[str]:
    """Return the digests of what a board trusts under a tag."""
    entries = board.driver.credentials(tag=tag)
    return {entry.digest for entry in entries if entry.type is CredentialType.ROOT_CA}


@pytest.mark.proves("bulk claim", "200, two boards by one call")
def test_two_boards_are_claimed_at_once(boards: tuple[LeasedBoard, ...], nrfcloud: Any) -> None:
    """One body with the tokens of two boards claims both, and the agent of each is served."""
    outcome = nrfcloud.claim_many([board.driver.attestation_token() for board in boards])

    assert outcome.failed == ()
    assert {device.id for device in outcome.claimed} == {board.driver.device_uuid() for board in boards}
    assert {device.imei for device in outcome.claimed} == {board.driver.imei() for board in boards}
    assert [board.driver.provision().refused_with for board in boards] == [None, None]


@pytest.mark.backend(needs={"exact-status"})
@pytest.mark.proves("block", "the other board goes on")
def test_block_of_one_board_leaves_the_other(boards: tuple[LeasedBoard, ...], nrfcloud: Any) -> None:
    """The blocked one of two boards is refused and keeps its command, the other executes its own."""
    first, second = boards
    devices = [nrfcloud.claim(board.driver.attestation_token()) for board in boards]
    commands = [device.add_command(Finished()) for device in devices]

    devices[0].block()

    assert first.driver.provision().refused_with == 403
    assert second.driver.provision().finished
    assert [command.refresh().status for command in commands] == [
        CommandStatus.PENDING,
        CommandStatus.SUCCEEDED,
    ]


@pytest.mark.backend(needs={"exact-status"})
@pytest.mark.proves("create command", "201, executed by the board that it is for and by no other")
def test_commands_reach_their_board(
    boards: tuple[LeasedBoard, ...], nrfcloud: Any, root_cas: tuple[str, ...]
) -> None:
    """Each of two boards gets the certificate that was meant for it, in whatever order they ask."""
    first, second = boards
    tag = first.driver.sec_tags[0]
    for board, pem in ((second, root_cas[1]), (first, root_cas[0])):
        device = nrfcloud.claim(board.driver.attestation_token())
        device.add_command(ServerCertificate(sec_tag=tag, content=pem))

    first.driver.provision()
    assert (roots(first, tag), roots(second, tag)) == ({pem_digest(root_cas[0])}, set())

    second.driver.provision()
    assert (roots(first, tag), roots(second, tag)) == ({pem_digest(root_cas[0])}, {pem_digest(root_cas[1])})


@pytest.mark.backend(needs={"rules"})
@pytest.mark.proves("rule", "applied to each board of its group, when that one is online")
def test_rule_reaches_every_board_of_its_group(
    boards: tuple[LeasedBoard, ...], nrfcloud: Any, tag: Any, root_ca: str
) -> None:
    """Two boards with the tag of a rule get its certificate, each when it asks and not before."""
    first, second = boards
    sec_tag = first.driver.sec_tags[0]
    commands = [ServerCertificate(sec_tag=sec_tag, content=root_ca)]
    nrfcloud.create_rule(nrfcloud.own_name("rule"), commands, [tag.name])
    for board in boards:
        nrfcloud.claim(board.driver.attestation_token(), tags=[tag.name])

    first.driver.provision()
    assert (len(roots(first, sec_tag)), roots(second, sec_tag)) == (1, set())

    second.driver.provision()
    assert len(roots(second, sec_tag)) == 1
