"""Unclaiming: the claim ends, the queue vanishes, the board keeps what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness_nordic.client_requests import ServerCertificate
from harness_nordic.digests import pem_digest
from harness_nordic.enums import CredentialType, DeviceStatus

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard

pytestmark = pytest.mark.board(driver="nrf91", needs={"attestation"})


@pytest.mark.proves("unclaim", "204, the device is gone from the team")
def test_unclaim(nrfcloud: Any, claimed: Any, refused: Any, is_claimed_by: Any) -> None:
    """An unclaimed device is neither listed nor found."""
    claimed.unclaim()

    assert not is_claimed_by(nrfcloud)
    with refused(404):
        nrfcloud.device(claimed.id)


@pytest.mark.proves("fetch", "401 for an unclaimed board")
def test_unclaimed_board_is_turned_away(
    board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str, held: Any, refused: Any
) -> None:
    """The agent of an unclaimed board is turned away and executes nothing of its old queue."""
    claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    claimed.unclaim()

    outcome = board.driver.provision()

    assert outcome.refused_with == refused.status(401)
    assert held(sec_tag) == {}


@pytest.mark.proves("fetch", "401 for a board that was never claimed")
def test_never_claimed_board_is_turned_away(board: LeasedBoard, nrfcloud: Any, refused: Any) -> None:
    """A board nobody claimed is turned away."""
    assert board.driver.provision().refused_with == refused.status(401)


@pytest.mark.proves("claim", "201 after an unclaim, with a clean record")
def test_claim_after_unclaim(
    board: LeasedBoard,
    nrfcloud: Any,
    claimed: Any,
    refused: Any,
    sec_tag: int,
    root_ca: str,
    held: Any,
    would_claim: Any,
) -> None:
    """A new claim starts READY and without the old commands; the board runs none of them."""
    old = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    claimed.unclaim()
    assert would_claim(nrfcloud).status_code == 202

    again = nrfcloud.claim(board.driver.attestation_token())

    assert again.status is DeviceStatus.READY
    assert list(again.tags) == []
    with refused(404):
        again.command(old.id)
    assert not board.driver.provision().finished
    assert held(sec_tag) == {}


@pytest.mark.backend(needs={"teams"})
@pytest.mark.proves("claim", "201 for another team after an unclaim")
def test_another_team_claims_after_unclaim(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, is_claimed_by: Any, would_claim: Any
) -> None:
    """Once unclaimed, a device may be claimed by anyone."""
    other = nrfcloud.another_team()
    claimed.unclaim()
    assert would_claim(other).status_code == 202

    theirs = other.claim(board.driver.attestation_token())

    assert theirs.owner_id != claimed.owner_id
    assert is_claimed_by(other)
    assert not is_claimed_by(nrfcloud)
    theirs.unclaim()


@pytest.mark.backend(needs={"teams"})
@pytest.mark.proves("unclaim", "404 for another team's device")
def test_unclaim_of_another_teams_device(nrfcloud: Any, claimed: Any, is_claimed_by: Any) -> None:
    """Another team cannot end our claim."""
    answer = nrfcloud.another_team().raw.request("DELETE", f"/v1/claimed-devices/{claimed.id}")

    assert answer.status_code == 404
    assert is_claimed_by(nrfcloud)


@pytest.mark.proves("unclaim", "404 for a device that is not claimed")
def test_unclaim_twice(nrfcloud: Any, claimed: Any) -> None:
    """A second unclaim finds nothing."""
    claimed.unclaim()

    answer = nrfcloud.raw.request("DELETE", f"/v1/claimed-devices/{claimed.id}")

    assert answer.status_code == 404


@pytest.mark.proves("unclaim", "204, the board keeps its credentials")
def test_unclaim_leaves_the_board_alone(
    board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str, held: Any
) -> None:
    """What was provisioned stays on the board."""
    claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    board.driver.provision()

    claimed.unclaim()

    assert held(sec_tag) == {CredentialType.ROOT_CA: pem_digest(root_ca)}


@pytest.mark.proves("unclaim", "204 for a blocked device, a new claim is READY")
def test_unclaim_of_a_blocked_device(board: LeasedBoard, nrfcloud: Any, claimed: Any) -> None:
    """A block ends with the claim."""
    claimed.block()
    claimed.unclaim()

    assert nrfcloud.claim(board.driver.attestation_token()).status is DeviceStatus.READY
    assert board.driver.provision().refused_with is None


@pytest.mark.proves("unclaim", "401 without the key of a team")
def test_unclaim_without_a_key(nrfcloud: Any, claimed: Any, is_claimed_by: Any) -> None:
    """Nobody unclaims without a team's key."""
    answer = nrfcloud.raw.request(
        "DELETE", f"/v1/claimed-devices/{claimed.id}", headers={"Authorization": "Bearer wrong"}
    )

    assert answer.status_code == 401
    assert is_claimed_by(nrfcloud)
