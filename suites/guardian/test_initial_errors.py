"""First requests that fail: every code that a device's first request can end with before Vault is asked.

Seed 'Manage device provisioning', Troubleshooting; triggers: guardian fact sheet, section 3. The faults of
Vault are in ``test_vault_errors``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness_guardian.attempting import make_blank
from harness_guardian.enums import ApprovalType, DuplicatePolicy, ProvisionSource, SignerKeyState, Status
from harness_guardian.peers import SENSOR, make_peers

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.inventory.leased_board import LeasedBoard
    from harness_guardian.attempting import Device

pytestmark = pytest.mark.board(driver="guardian-component")

FORGED = pytest.mark.board(driver="guardian-component", needs={"virtual"})


@pytest.fixture
def system_with(guardian: Any, approval: ApprovalType) -> Callable[..., Any]:
    """Make a system whose one component is special in some respect."""
    return lambda instances=("Ward A",), **special: guardian.create_system(
        approval=approval, components=[replace(SENSOR, **special)], instances=instances
    )


@pytest.fixture
def enrolled(board: LeasedBoard, guardian: Any, device_of: Callable[..., Device]) -> Callable[..., str]:
    """Have another device of a system provisioned, so that it is there; tell its hardware id."""

    def enrol(system: Any, instance: int = 0, hw_id: str | None = None) -> str:
        other = device_of(system, component=SENSOR.name, instance=instance, hw_id=hw_id)
        made = other.submit()
        assert other.carry(made.request_id).status is Status.PROVISIONED
        make_blank(board, guardian)
        return other.hw_id

    return enrol


# Appliance only --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("whose", ["component", "system"])
@pytest.mark.proves("initial", "APPLIANCE_ONLY")
def test_appliance_only(
    guardian: Any, approval: ApprovalType, device_of: Any, judge: Any, whose: str
) -> None:
    """A component, or a system, that an appliance must provision first, asks the cloud."""
    source = ProvisionSource.APPLIANCE if whose == "system" else ProvisionSource.CLOUD
    component = replace(SENSOR, appliance_only=whose == "component")
    system = guardian.create_system(approval=approval, source=source, components=[component])

    judge.failed(device_of(system, component=SENSOR.name).attempt(), "APPLIANCE_ONLY")


# Duplicate hardware ids ------------------------------------------------------------------------------------


@pytest.mark.parametrize("instance", [0, 1])
@pytest.mark.proves("initial", "DUPLICATE_HW_ID_FAILURE, whatever the system instance")
def test_duplicate(system_with: Any, enrolled: Any, device_of: Any, judge: Any, instance: int) -> None:
    """A device says that it has the hardware id of one that is there."""
    system = system_with(instances=("Ward A", "Ward B"))
    taken = enrolled(system, 0)

    device = device_of(system, component=SENSOR.name, hw_id=taken, instance=instance)

    judge.failed(device.attempt(), "DUPLICATE_HW_ID_FAILURE")


@pytest.mark.proves("initial", "a lost device's hardware id in its own instance: the lost one is retired")
def test_lost_device(guardian: Any, system_with: Any, enrolled: Any, device_of: Any) -> None:
    """With ``allow_same_instance`` a lost device may be enrolled again, as another component instance."""
    system = system_with(duplicate_hw_id=DuplicatePolicy.ALLOW_SAME_INSTANCE, max_instances=1)
    taken = enrolled(system)
    (lost,) = system.rows()

    attempt = device_of(system, component=SENSOR.name, hw_id=taken).attempt()

    assert attempt.ended_well
    assert attempt.row.component_instance_id != lost.component_instance_id


@pytest.mark.proves("initial", "DUPLICATE_HW_ID_FAILURE in another instance than the lost device's")
def test_lost_device_elsewhere(system_with: Any, enrolled: Any, device_of: Any, judge: Any) -> None:
    """``allow_same_instance`` lets nobody take a hardware id into another system instance."""
    system = system_with(duplicate_hw_id=DuplicatePolicy.ALLOW_SAME_INSTANCE, instances=("Ward A", "Ward B"))
    taken = enrolled(system, 0)

    device = device_of(system, component=SENSOR.name, hw_id=taken, instance=1)

    judge.failed(device.attempt(), "DUPLICATE_HW_ID_FAILURE")


@pytest.mark.parametrize("instance", [0, 1])
@pytest.mark.proves("initial", "a hardware id that is there, where the policy allows it")
def test_allowed_duplicate(system_with: Any, enrolled: Any, device_of: Any, instance: int) -> None:
    """With ``allow`` both devices are there."""
    system = system_with(duplicate_hw_id=DuplicatePolicy.ALLOW, instances=("Ward A", "Ward B"))
    taken = enrolled(system, 0)

    assert device_of(system, component=SENSOR.name, hw_id=taken, instance=instance).attempt().ended_well
    rows = system.rows(hw_id=taken)
    assert len({row.component_instance_id for row in rows}) == 2
    assert {row.status for row in rows} == {Status.PROVISIONED}


# Places ----------------------------------------------------------------------------------------------------


@pytest.mark.proves("initial", "MAX_INSTANCE_FAILURE")
def test_no_place(system_with: Any, enrolled: Any, device_of: Any, judge: Any) -> None:
    """A system instance has as many devices of the component as it may; the next instance has room."""
    system = system_with(max_instances=1, instances=("Ward A", "Ward B"))
    enrolled(system, 0)

    judge.failed(device_of(system, component=SENSOR.name).attempt(), "MAX_INSTANCE_FAILURE")

    assert device_of(system, component=SENSOR.name, instance=1).attempt().ended_well


@pytest.mark.proves("initial", "a failed request takes no place")
def test_place_of_a_failed_one(guardian: Any, system_with: Any, device_of: Any, judge: Any) -> None:
    """Places and hardware ids are counted by devices that are there, not by requests."""
    system = system_with(max_instances=1)
    device = device_of(system, component=SENSOR.name)
    device.system.register(device.system.key, SignerKeyState.PENDING)
    judge.failed(device.attempt(), "MISSING_PR_SIGNER_KEY")
    device.system.register(device.system.key)

    assert device.attempt().ended_well


@pytest.mark.parametrize("approval", [ApprovalType.MANUAL], indirect=True)
@pytest.mark.parametrize(
    ("special", "code"),
    [
        ({"max_instances": 1}, "MAX_INSTANCE_FAILURE"),
        ({"duplicate_hw_id": DuplicatePolicy.DENY}, "DUPLICATE_HW_ID_FAILURE"),
    ],
    ids=["place", "hardware id"],
)
@pytest.mark.proves("initial", "checked again when provisioning begins: the second of two fails there")
def test_checked_again(
    board: LeasedBoard,
    guardian: Any,
    device_of: Any,
    special: dict[str, Any],
    code: str,
    judge: Any,
    approval: ApprovalType,
) -> None:
    """Two requests need approval at the same time, and both are approved; there is room for one only."""
    system = guardian.create_system(approval=approval, components=[replace(SENSOR, **special)])
    (peer,) = make_peers(board, system, 1, component=SENSOR.name)
    guardian.anonymous.submit(peer.request.content)
    same = peer.hw_id if code == "DUPLICATE_HW_ID_FAILURE" else None
    make_blank(board, guardian)
    device = device_of(system, component=SENSOR.name, hw_id=same)
    before = board.driver.snapshot()
    made = device.submit()
    for request_id in (peer.id, made.request_id):
        assert guardian.wait_until_settled(request_id).status is Status.NEEDS_APPROVAL
    for request_id in (peer.id, made.request_id):
        guardian.approve(request_id)
        assert guardian.wait_until_settled(request_id).status is Status.COMPLETE_PROVISIONING

    assert device.carry(peer.id).status is Status.PROVISIONED
    device.carry(made.request_id)

    judge.failed(device.seen(made.request_id, before), code, "P")


# Who signed ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [None, SignerKeyState.PENDING, SignerKeyState.RETIRED])
@pytest.mark.proves("initial", "MISSING_PR_SIGNER_KEY: a key that is not registered, pending or retired")
def test_signer_key(
    guardian: Any, system: Any, device_of: Any, judge: Any, state: SignerKeyState | None
) -> None:
    """A package whose key the service does not know, not yet, or no more."""
    key = guardian.make_key() if state is None else system.signer_key(state)
    device = device_of(system, key=key)

    judge.failed(device.attempt(), "MISSING_PR_SIGNER_KEY")

    system.register(key)
    assert device.attempt().ended_well


# What was signed -------------------------------------------------------------------------------------------


@FORGED
@pytest.mark.proves("initial", "PR_SIGNATURE_MALFORMED")
def test_malformed(board: LeasedBoard, device: Device, judge: Any) -> None:
    """A signature that is damaged; the other ways to the same code are in test_envelopes."""
    board.virtual.call("forge", what="signature")

    judge.failed(device.attempt(), "PR_SIGNATURE_MALFORMED")

    assert device.attempt().ended_well


# Rejected by the system ------------------------------------------------------------------------------------


@pytest.mark.proves("initial", "Rejected by system: an unknown component")
def test_unknown_component(device_of: Any, system: Any, judge: Any) -> None:
    """A board says that it is what its system does not have."""
    judge.rejected(device_of(system, component="toaster").attempt())


@pytest.mark.proves("initial", "Rejected by system: meant for the appliance, brought to the cloud")
def test_meant_for_the_other(device: Device, judge: Any) -> None:
    """A request that names the other Guardian is not for this one."""
    judge.rejected(device.attempt(source="Appliance"))

    assert device.attempt(source="Cloud").ended_well
