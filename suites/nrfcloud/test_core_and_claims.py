"""What provisioning and the rest of nRF Cloud share: the team, and nothing else.

Blocks, unclaims and tags of the one are not seen by the other (nrfcloud fact sheet, section 2.6).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness_nordic.client_requests import Finished, ServerCertificate
from harness_nordic.digests import pem_digest
from harness_nordic.enums import CredentialType, DeviceStatus

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard

pytestmark = pytest.mark.board(driver="nrf91", needs={"attestation"})


@pytest.mark.proves("delete onboarded device", "the claim and the board stay as they are")
def test_delete_leaves_the_claim_alone(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, onboarded: Any, sec_tag: int, root_ca: str, held: Any
) -> None:
    """The board is provisioned after its deletion as before: the two halves share nothing."""
    onboarded.delete()
    claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    claimed.add_command(Finished())

    board.driver.provision()

    assert claimed.refresh().status is DeviceStatus.PROVISIONED
    assert held(sec_tag) == {CredentialType.ROOT_CA: pem_digest(root_ca)}
    assert not nrfcloud.core.has(claimed.id)


@pytest.mark.proves("block", "an onboarded device stays onboarded and usable")
def test_blocked_device_stays_usable_in_the_core(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, onboarded: Any
) -> None:
    """A block shuts a board out of provisioning, and changes nothing for the rest of nRF Cloud."""
    command = claimed.add_command(Finished())
    claimed.block()

    assert board.driver.provision().refused_with is not None
    assert nrfcloud.core.has(claimed.id)
    onboarded.rename("usable")
    onboarded.update_state({"desired": {"led": "on"}})
    assert nrfcloud.core.device(claimed.id).name == "usable"
    assert claimed.id in {device.id for device in nrfcloud.core.devices()}
    assert nrfcloud.device(claimed.id).command(command.id).response == {}


@pytest.mark.backend(needs={"core-details"})
@pytest.mark.proves("unclaim", "an onboarded device stays in Devices until it is deleted")
def test_unclaimed_device_stays_until_it_is_deleted(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, onboarded: Any, is_claimed_by: Any
) -> None:
    """Unclaiming forfeits the claim and nothing else; whoever wants the device gone deletes it, too."""
    onboarded.rename("mine")

    claimed.unclaim()

    assert not is_claimed_by(nrfcloud)
    assert board.driver.provision().refused_with == 401
    assert nrfcloud.core.has(claimed.id)
    assert nrfcloud.core.device(claimed.id).name == "mine"
    onboarded.delete()
    assert not nrfcloud.core.has(claimed.id)


@pytest.mark.proves("separation of tags", "a core tag is no provisioning tag")
def test_core_tag_is_no_provisioning_tag(nrfcloud: Any, claimed: Any, row: Any) -> None:
    """What a device is tagged with in the core is not seen by provisioning."""
    name = nrfcloud.own_name("core")

    nrfcloud.core.onboard([row(tags=(name,))])

    assert nrfcloud.core.device(claimed.id).tags == (name,)
    assert name not in {tag.name for tag in nrfcloud.tags()}
    assert claimed.refresh().tags == ()


@pytest.mark.proves("separation of tags", "a provisioning tag is no core tag")
def test_provisioning_tag_is_no_core_tag(board: LeasedBoard, nrfcloud: Any, row: Any) -> None:
    """What a device is tagged with for provisioning is not seen by the core."""
    tag = nrfcloud.create_tag(nrfcloud.own_name("provisioning"))
    nrfcloud.core.onboard([row(tags=("red",))])

    device = nrfcloud.claim(board.driver.attestation_token(), tags=[tag.name])

    assert nrfcloud.core.device(device.id).tags == ("red",)
    tag.delete()
    assert nrfcloud.core.device(device.id).tags == ("red",)
