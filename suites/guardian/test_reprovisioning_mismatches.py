"""A device says something else of itself than its identity does: the seed's four reprovisioning errors.

Each comes from a board that really was told to be something else, as after a repair or a wrong re-flash. Its
identity and its certificates stay, and when it is put right again, its reprovisioning succeeds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness_guardian.client_definitions import INFUSION_PUMP
from harness_guardian.enums import ApprovalType, Status

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard
    from harness_guardian.attempting import Device

pytestmark = pytest.mark.board(driver="guardian-component")

COMPONENT = "REPROVISIONING_MISMATCH_COMPONENT"
HW_ID = "REPROVISIONING_MISMATCH_HARDWARE_IDENTIFIER"
INSTANCE = "REPROVISIONING_MISMATCH_INSTANCE"
BUSY = "REPROVISIONING_PROVISIONING_COMPONENT"
MONITOR = "patient-monitor"


@pytest.fixture
def system(guardian: Any, approval: ApprovalType) -> Any:
    """A system with two components and two instances."""
    return guardian.create_system(
        approval=approval,
        components=[INFUSION_PUMP, replace(INFUSION_PUMP, name=MONITOR)],
        instances=("Ward A", "Ward B"),
    )


@pytest.fixture
def proof(board: LeasedBoard, provisioned: Device) -> Any:
    """Tell whether the board has the keys and certificates that it had, whatever it says of itself."""
    before = board.driver.certificates(), board.driver.get_file("profile")

    def check() -> bool:
        return (board.driver.certificates(), board.driver.get_file("profile")) == before

    return check


def _works_again(device: Device) -> bool:
    device.says()
    return device.attempt(reprovision=True).ended_well


@pytest.mark.proves("reprovision", COMPONENT)
def test_component(provisioned: Device, judge: Any, proof: Any) -> None:
    """A pump was flashed to be a monitor, and signs by the pump's identity."""
    provisioned.says(component=MONITOR)

    judge.failed(provisioned.attempt(reprovision=True), COMPONENT)

    assert proof()
    assert _works_again(provisioned)


@pytest.mark.proves("reprovision", HW_ID)
def test_hardware_id(provisioned: Device, judge: Any, proof: Any) -> None:
    """A board got another housing, with another serial number on it."""
    provisioned.says(hw_id=f"{provisioned.hw_id}-R")

    judge.failed(provisioned.attempt(reprovision=True), HW_ID)

    assert proof()
    assert _works_again(provisioned)


@pytest.mark.proves("reprovision", INSTANCE)
def test_instance(provisioned: Device, judge: Any, proof: Any) -> None:
    """A device was carried to another ward."""
    provisioned.says(instance_id=provisioned.system.instance(1).id)

    judge.failed(provisioned.attempt(reprovision=True), INSTANCE)

    assert proof()
    assert _works_again(provisioned)


@pytest.mark.proves("reprovision", f"{INSTANCE}: an instance that the system does not have")
def test_unknown_instance(provisioned: Device, judge: Any, proof: Any) -> None:
    """Of a reprovisioning, an instance that is not there is a wrong one, too."""
    provisioned.says(instance_id="00000000-0000-4000-8000-000000000000")

    judge.failed(provisioned.attempt(reprovision=True), INSTANCE)

    assert proof()
    assert _works_again(provisioned)


@pytest.mark.backend(needs={"faults"})
@pytest.mark.proves("reprovision", BUSY)
def test_already_provisioning(
    board: LeasedBoard, guardian: Any, provisioned: Device, judge: Any, proof: Any, approval: ApprovalType
) -> None:
    """A board asks a second time while its first request is in progress; the first is not disturbed."""
    before = board.driver.snapshot()
    waits_in = {
        ApprovalType.AUTOMATIC: Status.PROVISIONING,
        ApprovalType.MANUAL: Status.NEEDS_APPROVAL,
    }[approval]
    with guardian.hold(provisioned.system.name, Status.PROVISIONING):
        first = provisioned.submit(reprovision=True)
        guardian.wait_for(first.request_id, waits_in)
        second = provisioned.submit(reprovision=True, format="cose")

        judge.failed(provisioned.seen(second.request_id, before), BUSY)
        assert guardian.request(first.request_id).status is waits_in

    assert provisioned.carry(first.request_id).status is Status.PROVISIONED
    assert proof()  # the keys of the first request are gone, so its profile is nobody's
    assert _works_again(provisioned)


@pytest.mark.backend(needs={"faults"})
@pytest.mark.parametrize("approval", [ApprovalType.MANUAL], indirect=True)
@pytest.mark.parametrize("state", [Status.NEEDS_APPROVAL, Status.COMPLETE_PROVISIONING])
@pytest.mark.proves("reprovision", f"{BUSY}, whichever state the other request is in")
def test_already_provisioning_in_any_state(
    board: LeasedBoard, guardian: Any, provisioned: Device, judge: Any, state: Status
) -> None:
    """Waiting for a user is in progress, too; a rejected or failed request is not."""
    before = board.driver.snapshot()
    first = provisioned.submit(reprovision=True)
    guardian.wait_for(first.request_id, Status.NEEDS_APPROVAL)
    if state is Status.COMPLETE_PROVISIONING:
        guardian.approve(first.request_id)
        guardian.wait_for(first.request_id, state)
    second = provisioned.submit(reprovision=True, format="cose")
    judge.failed(provisioned.seen(second.request_id, before), BUSY)

    if state is Status.NEEDS_APPROVAL:
        guardian.reject(first.request_id)
        assert guardian.wait_until_final(first.request_id).status is Status.REJECTED_BY_USER
    else:
        assert provisioned.carry(first.request_id).status is Status.PROVISIONED
    assert _works_again(provisioned)


@pytest.mark.backend(needs={"approval-details"})
@pytest.mark.proves("order of checks", "component, instance, hardware id, another request in progress")
def test_order(provisioned: Device, judge: Any, proof: Any) -> None:
    """With every fault at once each comes to light when the one in front of it is mended."""
    elsewhere, other = provisioned.system.instance(1).id, f"{provisioned.hw_id}-R"

    provisioned.says(component=MONITOR, instance_id=elsewhere, hw_id=other)
    judge.failed(provisioned.attempt(reprovision=True), COMPONENT)
    provisioned.says(instance_id=elsewhere, hw_id=other)
    judge.failed(provisioned.attempt(reprovision=True), INSTANCE)
    provisioned.says(hw_id=other)
    judge.failed(provisioned.attempt(reprovision=True), HW_ID)

    assert proof()
    assert _works_again(provisioned)
