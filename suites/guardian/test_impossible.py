"""What cannot happen in a combination, proven: the fault is there, and the code does not come.

Some errors can only occur when reprovisioning (seed, 'Reprovisioning errors'), some only at first; users
reject in Manual systems only.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness_guardian.client_definitions import INFUSION_PUMP
from harness_guardian.enums import ApprovalType, DuplicatePolicy, SignerKeyState, Status
from harness_guardian.peers import SENSOR

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.inventory.leased_board import LeasedBoard
    from harness_guardian.attempting import Device

pytestmark = pytest.mark.board(driver="guardian-component")

MONITOR = "patient-monitor"


@pytest.fixture
def many(guardian: Any, approval: ApprovalType) -> Any:
    """A system with two components and two instances, where many may share a hardware id."""
    pump = replace(INFUSION_PUMP, duplicate_hw_id=DuplicatePolicy.ALLOW)
    return guardian.create_system(
        approval=approval, components=[pump, replace(pump, name=MONITOR)], instances=("Ward A", "Ward B")
    )


@pytest.fixture
def used(many: Any, device_of: Callable[..., Device]) -> Device:
    """The board, provisioned in that system."""
    device = device_of(many)
    assert device.attempt().ended_well
    return device


# A first request is compared with nobody -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("component", "REPROVISIONING_MISMATCH_COMPONENT"),
        ("hw_id", "REPROVISIONING_MISMATCH_HARDWARE_IDENTIFIER"),
        ("instance_id", "REPROVISIONING_MISMATCH_INSTANCE"),
    ],
)
@pytest.mark.proves("initial", "never a mismatch: it is another device that was never there")
def test_no_mismatch_at_first(used: Device, what: str, code: str) -> None:
    """A provisioned board that asks by its package, and says something else of itself, is a new device."""
    other = {
        "component": MONITOR,
        "hw_id": f"{used.hw_id}-R",
        "instance_id": used.system.instance(1).id,
    }
    used.says(**{what: other[what]})

    attempt = used.attempt()

    assert attempt.row.error_code != code
    assert attempt.ended_well
    assert len({row.component_instance_id for row in used.system.rows()}) == 2


@pytest.mark.backend(needs={"faults"})
@pytest.mark.proves("initial", "never REPROVISIONING_PROVISIONING_COMPONENT")
def test_not_busy_at_first(guardian: Any, many: Any, device_of: Any, approval: ApprovalType) -> None:
    """Two first requests of one hardware id are two devices, where the policy allows it."""
    device = device_of(many)
    with guardian.hold(many.name, Status.PROVISIONING):
        first = device.submit()
        waits_in = {
            ApprovalType.AUTOMATIC: Status.PROVISIONING,
            ApprovalType.MANUAL: Status.NEEDS_APPROVAL,
        }[approval]
        guardian.wait_for(first.request_id, waits_in)
        second = device.submit(format="cose")
        guardian.wait_for(second.request_id, waits_in)

    assert [device.carry(made.request_id).status for made in (first, second)] == [Status.PROVISIONED] * 2
    device.install(second.request_id)
    assert len({row.component_instance_id for row in many.rows()}) == 2


@pytest.mark.backend(needs={"faults"})
@pytest.mark.parametrize("kind", ["not-found", "status", "delay"])
@pytest.mark.proves("initial", "never UNABLE_LOOKUP_...: Vault is asked for no certificate of a device")
def test_nothing_is_looked_up_at_first(guardian: Any, device: Device, kind: str) -> None:
    """A first request's signer is the package, and its device has no certificates yet."""
    system = device.system.name
    with guardian.vault.fault(system, call="read-certificate", kind=kind, seconds=30):
        assert device.attempt().ended_well

    assert [call for call in guardian.vault.log(system) if call.call == "read-certificate"] == []


# A reprovisioning is no first request ----------------------------------------------------------------------


@pytest.mark.proves("reprovision", "never MISSING_PR_SIGNER_KEY")
def test_package_key_plays_no_part(provisioned: Device) -> None:
    """Whether the package's key is registered matters to first requests only."""
    system = provisioned.system
    for state in (SignerKeyState.RETIRED, SignerKeyState.PENDING):
        system.register(system.key, state)
        assert provisioned.attempt(reprovision=True).ended_well


@pytest.mark.proves("reprovision", "never DUPLICATE_HW_ID_FAILURE or MAX_INSTANCE_FAILURE")
def test_no_place_is_taken(guardian: Any, approval: ApprovalType, device_of: Any) -> None:
    """The device is counted already, also when the definition became stricter than what is there."""
    system = guardian.create_system(approval=approval, components=[SENSOR])
    first = device_of(system, component=SENSOR.name)
    assert first.attempt().ended_well
    system.change(components=[replace(SENSOR, max_instances=0).fields()])

    attempt = first.attempt(reprovision=True)

    assert attempt.row.error_code is None
    assert attempt.ended_well


@pytest.mark.proves("reprovision", "never APPLIANCE_ONLY")
def test_appliance_is_for_the_first_time(provisioned: Device) -> None:
    """A component that has become appliance-only may be reprovisioned against the cloud."""
    pump = replace(INFUSION_PUMP, appliance_only=True)
    provisioned.system.change(components=[pump.fields()])

    attempt = provisioned.attempt(reprovision=True)

    assert attempt.row.error_code is None
    assert attempt.ended_well


# Nobody decides in an Automatic system ---------------------------------------------------------------------


@pytest.mark.parametrize("approval", [ApprovalType.AUTOMATIC], indirect=True)
@pytest.mark.parametrize("reprovision", [False, True], ids=["initial", "reprovision"])
@pytest.mark.proves("reject", "never Rejected by user in an Automatic system")
def test_no_user_rejects(
    board: LeasedBoard, guardian: Any, device: Device, refused: Any, reprovision: Any
) -> None:
    """Neither one by one nor in bulk."""
    if reprovision:
        assert device.attempt().ended_well
    made = device.submit(reprovision=reprovision)
    with refused(422, "automatic-approval"):
        guardian.reject(made.request_id)
    results = guardian.bulk("reject", ids=[made.request_id])

    assert [result.ok for result in results] == [False]
    assert device.carry(made.request_id).status is Status.PROVISIONED
    device.install(made.request_id)
    passed = {entry.status for entry in guardian.history(made.request_id)}
    assert not passed & {
        Status.NEEDS_APPROVAL,
        Status.APPROVING,
        Status.REJECTING,
        Status.COMPLETE_PROVISIONING,
        Status.REJECTED_BY_USER,
    }
    assert board.driver.snapshot().provisioned


@pytest.mark.parametrize("approval", [ApprovalType.MANUAL], indirect=True)
@pytest.mark.proves("states, Manual", "never Auto-approved")
def test_never_auto_approved(guardian: Any, device: Device) -> None:
    """What users approve nobody else does."""
    attempt = device.attempt()

    assert Status.AUTO_APPROVED not in attempt.statuses
    assert attempt.ended_well


# What Vault is not asked ----------------------------------------------------------------------------------


@pytest.mark.backend(needs={"faults"})
@pytest.mark.parametrize("approval", [ApprovalType.MANUAL], indirect=True)
@pytest.mark.proves("Vault", "is asked for no signature before the approval, whatever it would do")
def test_vault_is_not_asked_early(guardian: Any, device: Device) -> None:
    """A Vault that refuses everything is no obstacle to a verification."""
    system = device.system.name
    with guardian.vault.fault(system, call="any", kind="status", status=500):
        made = device.submit()
        assert guardian.wait_until_settled(made.request_id).status is Status.NEEDS_APPROVAL
        guardian.approve(made.request_id)
        assert guardian.wait_until_settled(made.request_id).status is Status.COMPLETE_PROVISIONING
        calls = {call.call for call in guardian.vault.log(system) if call.request_id == made.request_id}
    assert calls == set()

    assert device.carry(made.request_id).status is Status.PROVISIONED
    device.install(made.request_id)
    assert device.board.driver.snapshot().provisioned
