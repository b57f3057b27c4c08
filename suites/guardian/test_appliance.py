"""Cloud and appliance: which Guardian a request came in at decides, not what it says of itself.

Guardian fact sheet, sections 2.4, 3 and 9: the same request is refused by the one and accepted by the other.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness_guardian.enums import ApprovalType, ErrorCode, ProvisionSource, Status
from harness_guardian.peers import SENSOR, initialise

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard

pytestmark = [
    pytest.mark.board(driver="guardian-component"),
    pytest.mark.backend(needs={"appliance"}),
]

STATUSES = pytest.mark.backend(needs={"exact-status"})
APPLIANCE_ONLY = replace(SENSOR, appliance_only=True)


@pytest.fixture
def system(guardian: Any) -> Any:
    """A system whose sensors an appliance provisions first."""
    return guardian.create_system(components=[APPLIANCE_ONLY])


def use_appliance(board: LeasedBoard, guardian: Any) -> None:
    """Lead the board's agent to the appliance until the test ends."""
    board.driver.use_service(guardian.backend.address("appliance"))


def use_cloud(board: LeasedBoard, guardian: Any) -> None:
    """Lead it back to the cloud."""
    board.driver.use_service(guardian.backend.url)


@pytest.mark.proves("APPLIANCE_ONLY", "refused by the cloud, the same request accepted by the appliance")
def test_the_same_request_at_both(board: LeasedBoard, guardian: Any, system: Any) -> None:
    """The very bytes that the cloud refuses are taken by the appliance, whose profile the board installs."""
    initialise(board, system, component=SENSOR.name)
    made = board.driver.make_request()
    refused = guardian.submit(made.content)
    taken = guardian.appliance.submit(made.content)
    at_cloud = guardian.wait_until_final(refused.request_id)
    at_appliance = guardian.appliance.wait_until_final(taken.request_id)

    assert (at_cloud.error_code, at_cloud.provision_source) == (
        ErrorCode.APPLIANCE_ONLY,
        ProvisionSource.CLOUD,
    )
    assert at_cloud.provisioning_status == "Must be provisioned by appliance"
    assert (at_appliance.status, at_appliance.provision_source) == (
        Status.PROVISIONED,
        ProvisionSource.APPLIANCE,
    )
    board.driver.install(guardian.appliance.certified_profile(taken.request_id).encode())
    assert board.driver.status().response_id == at_appliance.response_id


@pytest.mark.proves("APPLIANCE_ONLY", "a board that provisions by itself: refused, then accepted")
def test_a_board_goes_to_the_appliance(board: LeasedBoard, guardian: Any, system: Any) -> None:
    """A board is refused by the cloud and stays blank; led to the appliance it is provisioned."""
    initialise(board, system, component=SENSOR.name)
    before = board.driver.snapshot()

    outcome = board.driver.provision()
    assert (outcome.ok, "APPLIANCE_ONLY" in outcome.text) == (False, True)
    assert board.driver.snapshot() == before
    use_appliance(board, guardian)

    assert board.driver.provision().ok
    assert board.driver.snapshot().provisioned


@pytest.mark.proves("reprovision", "at the cloud, of a device that the appliance provisioned")
def test_reprovisioned_by_the_cloud(board: LeasedBoard, guardian: Any, system: Any) -> None:
    """A device of the appliance comes to the cloud later: one component instance, and new certificates."""
    initialise(board, system, component=SENSOR.name)
    use_appliance(board, guardian)
    assert board.driver.provision().ok
    before = board.driver.certificates()
    use_cloud(board, guardian)

    assert board.driver.provision(reprovision=True).ok

    rows = system.rows(status=Status.PROVISIONED.value)
    assert {row.provision_source for row in rows} == set(ProvisionSource)
    assert len({row.component_instance_id for row in rows}) == 1
    assert board.driver.certificates()["identity"] != before["identity"]


@pytest.mark.proves("APPLIANCE_ONLY", "every component of a system whose source is Appliance")
def test_system_of_the_appliance(board: LeasedBoard, guardian: Any) -> None:
    """In a system that is the appliance's the cloud provisions no component first."""
    system = guardian.create_system(source=ProvisionSource.APPLIANCE, components=[SENSOR])
    initialise(board, system, component=SENSOR.name)

    outcome = board.driver.provision()

    (row,) = system.rows()
    assert (row.error_code, outcome.ok) == (ErrorCode.APPLIANCE_ONLY, False)
    assert not board.driver.snapshot().provisioned


@pytest.mark.parametrize("source", list(ProvisionSource))
@pytest.mark.proves("source", "Rejected by system where it is another one than the service's")
def test_source_that_is_not_the_services(board: LeasedBoard, guardian: Any, source: ProvisionSource) -> None:
    """A request that says which Guardian it is for is rejected by the other one; the board stays blank."""
    system = guardian.create_system(components=[SENSOR])
    initialise(board, system, component=SENSOR.name)
    if source is ProvisionSource.CLOUD:
        use_appliance(board, guardian)

    outcome = board.driver.provision(source=source.value)

    (row,) = system.rows()
    assert (row.status, row.rejected_by) == (Status.REJECTED_BY_SYSTEM, "System")
    assert row.provision_source is not source
    assert not outcome.ok
    assert not board.driver.snapshot().provisioned


@pytest.mark.parametrize("source", list(ProvisionSource))
@pytest.mark.proves("source", "accepted where it is the service's")
def test_source_that_is_the_services(board: LeasedBoard, guardian: Any, source: ProvisionSource) -> None:
    """A request for the Guardian that it came in at is provisioned like one that says nothing."""
    system = guardian.create_system(components=[SENSOR])
    initialise(board, system, component=SENSOR.name)
    if source is ProvisionSource.APPLIANCE:
        use_appliance(board, guardian)

    assert board.driver.provision(source=source.value).ok

    (row,) = system.rows()
    assert row.provision_source is source
    assert board.driver.status().response_id == row.response_id


@STATUSES
@pytest.mark.proves("approve", "409 at the other door; offered at its own only")
def test_actions_at_its_own_door(board: LeasedBoard, guardian: Any) -> None:
    """Both doors show a request of the appliance; only the appliance approves it."""
    system = guardian.create_system(approval=ApprovalType.MANUAL, components=[SENSOR])
    initialise(board, system, component=SENSOR.name)
    use_appliance(board, guardian)
    made = board.driver.make_request()
    board.driver.submit()
    here = guardian.appliance.wait_for(made.request_id, Status.NEEDS_APPROVAL)
    there = guardian.request(made.request_id)

    answer = guardian.raw.request("POST", f"/provisioning-requests/{made.request_id}/approve")

    assert (answer.status_code, answer.json()["type"]) == (409, "urn:guardian:problem:wrong-door")
    assert ([action.value for action in here.actions], there.actions) == (["approve", "reject"], ())
    assert guardian.appliance.request(made.request_id).status is Status.NEEDS_APPROVAL
    guardian.appliance.approve(made.request_id)
    guardian.appliance.wait_for(made.request_id, Status.COMPLETE_PROVISIONING)
    assert board.driver.status().state == "requested"


@pytest.mark.proves("REPROVISIONING_PROVISIONING_COMPONENT", "in progress at the other door")
def test_in_progress_at_the_other_door(board: LeasedBoard, guardian: Any) -> None:
    """While the appliance reprovisions a device, the cloud does not; the certificates stay."""
    system = guardian.create_system(components=[SENSOR])
    initialise(board, system, component=SENSOR.name)
    assert board.driver.provision().ok
    before = board.driver.snapshot()
    first = board.driver.make_request(reprovision=True)
    with guardian.hold(system.name, Status.PROVISIONING):
        guardian.appliance.submit(first.content)
        guardian.appliance.wait_for(first.request_id, Status.PROVISIONING)
        board.driver.drop_file("request")
        second = board.driver.make_request(reprovision=True)
        guardian.submit(second.content)
        failed = guardian.wait_until_final(second.request_id)

    assert second.request_id != first.request_id
    assert failed.error_code is ErrorCode.REPROVISIONING_PROVISIONING_COMPONENT
    assert guardian.appliance.wait_until_final(first.request_id).status is Status.PROVISIONED
    assert board.driver.snapshot() == before


@pytest.mark.proves("DUPLICATE_HW_ID_FAILURE", "the device is the appliance's")
def test_duplicate_of_a_device_of_the_appliance(board: LeasedBoard, guardian: Any) -> None:
    """Devices are shared: a hardware id that the appliance has provisioned is taken at the cloud, too."""
    system = guardian.create_system(components=[SENSOR])
    initialise(board, system, component=SENSOR.name, hw_id="SN-1")
    made = board.driver.make_request()
    taken = guardian.appliance.submit(made.content)
    board.driver.install(guardian.appliance.certified_profile(taken.request_id).encode())
    before = board.driver.snapshot()

    again = board.driver.make_request()
    guardian.submit(again.content)

    assert guardian.wait_until_final(again.request_id).error_code is ErrorCode.DUPLICATE_HW_ID_FAILURE
    assert board.driver.snapshot() == before
