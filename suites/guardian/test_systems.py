"""What a system's definition decides: instances, signer keys, components that are disabled, patterns of ids.

Guardian fact sheet, sections 3 and 10.1.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness_guardian.attempting import Device
from harness_guardian.enums import (
    ApprovalType,
    DuplicatePolicy,
    ErrorCode,
    ProvisionSource,
    SignerKeyState,
    Status,
)
from harness_guardian.judging import chain_problem, proof_problem, read_certificate
from harness_guardian.peers import SENSOR, initialise

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard

pytestmark = pytest.mark.board(driver="guardian-component")

STATUSES = pytest.mark.backend(needs={"exact-status"})


def sensor(board: LeasedBoard, guardian: Any, system: Any, **details: Any) -> Device:
    """Make the board a sensor of a system."""
    return Device(board, guardian, system, component=SENSOR.name, **details)


@pytest.mark.proves("create system", "201, with what the service made of it")
def test_definition(board: LeasedBoard, guardian: Any) -> None:
    """A system is answered whole: as it was defined, with ids, trust and the signer of its profiles."""
    system = guardian.create_system(
        approval=ApprovalType.MANUAL, components=[SENSOR], instances=("Ward A", "Ward B")
    )
    told = guardian.system(system.name)

    assert (told.approval_type, told.provision_source) == (ApprovalType.MANUAL, ProvisionSource.CLOUD)
    assert [instance.name for instance in told.instances] == ["Ward A", "Ward B"]
    assert len({told.id, *(instance.id for instance in told.instances)}) == 3
    assert [key.kid for key in told.signer_keys] == [system.key.kid]
    assert told.profile_signer.jwk["crv"] == "P-256"
    assert [pem.count("BEGIN CERTIFICATE") for pem in told.trust] == [1, 1]
    initialise(board, system, component=SENSOR.name, instance=1)
    assert board.driver.status().instance == told.instances[1].id


@STATUSES
@pytest.mark.proves("create system", "409 for a name that is taken")
def test_name_that_is_taken(board: LeasedBoard, guardian: Any, refused: Any) -> None:
    """A name is given once, over all organisations: by it a device without a user finds its own."""
    system = guardian.create_system(components=[SENSOR])
    initialise(board, system, component=SENSOR.name)
    stranger = guardian.another_organisation()
    try:
        for admin in (guardian, stranger):
            body = {"name": system.name, "components": [], "instances": []}
            assert admin.raw.request("POST", "/systems", json=body).status_code in {409, 422}
    finally:
        stranger.world.close()

    assert guardian.system(system.name).id == system.id
    assert board.driver.provision().ok


@STATUSES
@pytest.mark.parametrize(
    "changes",
    [
        {"approval_type": "Sometimes"},
        {"components": "none"},
        {"components": [{"name": "pump", "certificates": []}]},
        {"components": [{**SENSOR.fields(), "max_instances": -1}]},
        {"components": [{**SENSOR.fields(), "hw_id_pattern": "("}]},
        {"components": [SENSOR.fields(), SENSOR.fields()]},
        {"instances": [{"name": "Ward A"}, {"name": "Ward A"}]},
        {"vault_timeout": 0},
        {"color": "red"},
    ],
    ids=[
        "approval type",
        "no list",
        "no certificate",
        "fewer than none",
        "no pattern",
        "one component twice",
        "one instance twice",
        "no time",
        "another field",
    ],
)
@pytest.mark.proves("create system", "400, 409 or 422 for what is no definition")
def test_no_definition(board: LeasedBoard, guardian: Any, changes: dict[str, Any]) -> None:
    """What is no definition makes no system, and the problem says where it is wrong."""
    system = guardian.create_system(components=[SENSOR])
    initialise(board, system, component=SENSOR.name)
    name = guardian.own_name("never")
    body = {
        "name": name,
        "approval_type": "Manual",
        "components": [SENSOR.fields()],
        "instances": [{"name": "Ward A"}],
        **changes,
    }

    answer = guardian.raw.request("POST", "/systems", json=body)

    assert answer.status_code in {400, 409, 422}
    assert answer.json()["detail"]
    assert guardian.raw.request("GET", f"/systems/{name}").status_code == 404
    assert board.driver.status().system == system.name


@STATUSES
@pytest.mark.proves("delete system", "204; its requests are gone")
def test_deleted(board: LeasedBoard, guardian: Any) -> None:
    """A system goes with all that is in it; its board keeps what it has, and is provisioned no more."""
    system = guardian.create_system(components=[SENSOR])
    device = sensor(board, guardian, system)
    assert device.attempt().ended_well
    before = board.driver.certificates()
    guardian.delete_system(system)

    assert guardian.raw.request("GET", f"/systems/{system.name}").status_code == 404
    assert not board.driver.provision(reprovision=True).ok
    assert board.driver.certificates() == before


@STATUSES
@pytest.mark.backend(needs={"holds"})
@pytest.mark.proves("delete system", "409 while the service is at work on a request")
def test_delete_while_in_progress(board: LeasedBoard, guardian: Any) -> None:
    """A system stays as long as the service is at work in it; the request comes to its end."""
    system = guardian.create_system(components=[SENSOR])
    device = sensor(board, guardian, system)
    with guardian.hold(system.name, Status.PROVISIONING):
        made = device.submit()
        guardian.wait_for(made.request_id, Status.PROVISIONING)

        assert guardian.raw.request("DELETE", f"/systems/{system.name}").status_code == 409
    assert device.carry(made.request_id).status is Status.PROVISIONED
    device.install(made.request_id)
    assert board.driver.snapshot().provisioned


@STATUSES
@pytest.mark.proves("delete system", "204 with a request that waits for a user: it is gone")
def test_delete_with_a_request_that_waits(board: LeasedBoard, guardian: Any) -> None:
    """What waits for a user goes with its system; nothing is signed for it, and the board stays blank."""
    system = guardian.create_system(approval=ApprovalType.MANUAL, components=[SENSOR])
    made = sensor(board, guardian, system).submit()
    guardian.wait_for(made.request_id, Status.NEEDS_APPROVAL)
    guardian.delete_system(system)

    assert guardian.raw.request("GET", f"/provisioning-requests/{made.request_id}").status_code == 404
    assert not board.driver.snapshot().provisioned


@pytest.mark.parametrize("state", [SignerKeyState.PENDING, SignerKeyState.RETIRED])
@pytest.mark.proves("MISSING_PR_SIGNER_KEY", "a key that is registered and not active")
def test_key_that_is_not_active(board: LeasedBoard, guardian: Any, state: SignerKeyState) -> None:
    """A package's key that is pending or retired verifies nothing; made active, it does."""
    system = guardian.create_system(components=[SENSOR])
    key = system.signer_key(state)
    device = sensor(board, guardian, system, key=key)

    failed = device.attempt()
    assert failed.row.error_code is ErrorCode.MISSING_PR_SIGNER_KEY
    assert failed.changed_nothing
    system.register(key, SignerKeyState.ACTIVE)

    assert device.attempt().ended_well


@pytest.mark.proves("register signer key", "201: a second key beside the first")
def test_two_keys(board: LeasedBoard, guardian: Any) -> None:
    """Packages with either of two active keys are good."""
    system = guardian.create_system(components=[SENSOR])
    second = system.signer_key()

    assert sensor(board, guardian, system).attempt().ended_well
    board.driver.restore()
    assert sensor(board, guardian, system, key=second).attempt().ended_well

    assert {key.kid for key in system.refresh().signer_keys} == {system.key.kid, second.kid}


@pytest.mark.proves("register signer key", "200: the active one retired; provisioned devices go on")
def test_key_that_is_retired_later(board: LeasedBoard, guardian: Any) -> None:
    """Retiring a package's key stops new devices, and no device that has its own identity."""
    system = guardian.create_system(components=[SENSOR])
    device = sensor(board, guardian, system)
    assert device.attempt().ended_well
    system.register(system.key, SignerKeyState.RETIRED)

    assert device.attempt(reprovision=True).ended_well
    board.driver.restore()
    failed = sensor(board, guardian, system).attempt()

    assert failed.row.error_code is ErrorCode.MISSING_PR_SIGNER_KEY


@pytest.mark.proves("add instance", "201: devices of it are provisioned")
def test_further_instance(board: LeasedBoard, guardian: Any) -> None:
    """A board of an instance that was made later is provisioned into it."""
    system = guardian.create_system(components=[SENSOR])
    added = system.add_instance("Ward B")
    attempt = sensor(board, guardian, system, instance=1).attempt()

    assert attempt.ended_well
    assert (attempt.row.system_instance_name, attempt.row.system_instance_id) == ("Ward B", added.id)


@pytest.mark.proves("Rejected by system", "a system instance that nobody knows")
def test_unknown_instance(board: LeasedBoard, guardian: Any) -> None:
    """A board that says it is in an instance of nobody's is rejected, and stays blank."""
    system = guardian.create_system(components=[SENSOR])
    device = sensor(board, guardian, system)
    device.says(instance_id="7f3b0b52-6d53-4d0f-9a53-0b9ac3c1a001")

    failed = device.attempt()

    assert (failed.row.status, failed.row.rejected_by) == (Status.REJECTED_BY_SYSTEM, "System")
    assert failed.changed_nothing


@pytest.mark.proves("Rejected by system", "a component that is disabled; accepted when it is enabled")
def test_disabled_component(board: LeasedBoard, guardian: Any) -> None:
    """Devices of a disabled component are rejected until it is enabled."""
    system = guardian.create_system(components=[replace(SENSOR, enabled=False)])
    device = sensor(board, guardian, system)

    failed = device.attempt()
    assert failed.row.status is Status.REJECTED_BY_SYSTEM
    assert failed.changed_nothing
    system.change(components=[SENSOR.fields()])

    assert device.attempt().ended_well


@pytest.mark.proves("Rejected by system", "a component that was taken out of the definition")
def test_unknown_component(board: LeasedBoard, guardian: Any) -> None:
    """A board of a component that the system has no longer is rejected."""
    other = replace(SENSOR, name="valve")
    system = guardian.create_system(components=[SENSOR, other])
    device = sensor(board, guardian, system)
    system.change(components=[other.fields()])

    failed = device.attempt()

    assert (failed.row.status, failed.row.component_name) == (Status.REJECTED_BY_SYSTEM, SENSOR.name)
    assert failed.changed_nothing


@pytest.mark.parametrize(
    ("hw_id", "fits"),
    [
        pytest.param("SN-0042", True, marks=pytest.mark.proves("hardware id", "one that fits the pattern")),
        pytest.param("SN-42", False, marks=pytest.mark.proves("hardware id", "one that does not fit")),
        pytest.param("xSN-0042", False, marks=pytest.mark.proves("hardware id", "one that fits in part")),
    ],
)
def test_pattern_of_hardware_ids(
    board: LeasedBoard,
    guardian: Any,
    hw_id: str,
    fits: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    """A hardware id has to fit the pattern whole; one that does not is rejected by the system."""
    system = guardian.create_system(components=[replace(SENSOR, hw_id_pattern=r"SN-\d{4}")])

    attempt = sensor(board, guardian, system, hw_id=hw_id).attempt()

    assert attempt.row.status is (Status.PROVISIONED if fits else Status.REJECTED_BY_SYSTEM)
    assert attempt.ended_well is fits
    assert board.driver.identity().hw_id == hw_id


@pytest.mark.proves("hardware id", "36 characters, the longest")
def test_longest_hardware_id(board: LeasedBoard, guardian: Any) -> None:
    """A hardware id may have 36 characters; it is the common name of the certificates, whole."""
    system = guardian.create_system(components=[SENSOR])
    hw_id = "SN-" + "7" * 33
    attempt = sensor(board, guardian, system, hw_id=hw_id).attempt()

    assert attempt.ended_well
    assert attempt.row.device_hw_id == hw_id
    assert read_certificate(board.driver.chain("identity")[0]).common_name == hw_id


@pytest.mark.proves("duplicate policy", "allow_same_instance: the older device is retired")
def test_device_that_is_replaced(board: LeasedBoard, guardian: Any) -> None:
    """A lost device may be enrolled again in its instance: the new one has its place."""
    component = replace(SENSOR, duplicate_hw_id=DuplicatePolicy.ALLOW_SAME_INSTANCE, max_instances=1)
    system = guardian.create_system(components=[component], instances=("Ward A", "Ward B"))
    assert sensor(board, guardian, system, hw_id="SN-1").attempt().ended_well
    board.driver.restore()

    second = sensor(board, guardian, system, hw_id="SN-1").attempt()
    assert second.ended_well
    board.driver.restore()
    elsewhere = sensor(board, guardian, system, hw_id="SN-1", instance=1).attempt()

    ids = {row.component_instance_id for row in system.rows(status="provisioned")}
    assert len(ids) == 2
    assert elsewhere.row.error_code is ErrorCode.DUPLICATE_HW_ID_FAILURE


@pytest.mark.proves("duplicate policy", "allow: two devices with one hardware id")
def test_duplicates_that_are_allowed(board: LeasedBoard, guardian: Any) -> None:
    """With the policy allow, a hardware id may be any number of devices'."""
    system = guardian.create_system(components=[replace(SENSOR, duplicate_hw_id=DuplicatePolicy.ALLOW)])
    first = sensor(board, guardian, system, hw_id="SN-1").attempt()
    board.driver.restore()
    second = sensor(board, guardian, system, hw_id="SN-1").attempt()

    assert (first.ended_well, second.ended_well) == (True, True)
    assert first.row.component_instance_id != second.row.component_instance_id


@pytest.mark.proves("MAX_INSTANCE_FAILURE", "another instance has places of its own")
def test_places_of_each_instance(board: LeasedBoard, guardian: Any) -> None:
    """What one instance has too many of, another has room for; a failed device takes no place."""
    system = guardian.create_system(
        components=[replace(SENSOR, max_instances=1)], instances=("Ward A", "Ward B")
    )
    assert sensor(board, guardian, system).attempt().ended_well
    board.driver.restore()
    full = sensor(board, guardian, system).attempt()
    room = sensor(board, guardian, system, instance=1).attempt()

    assert full.row.error_code is ErrorCode.MAX_INSTANCE_FAILURE
    assert room.ended_well


@pytest.mark.proves("certificates", "every slot, with the key and the usages that were defined")
def test_slots(board: LeasedBoard, guardian: Any) -> None:
    """Each slot has the key that was asked for, the usages of the definition, and a chain to the root."""
    system = guardian.create_system()
    attempt = Device(board, guardian, system).attempt()

    assert attempt.ended_well
    for slot in system.definition.components[0]["certificates"]:
        chain = board.driver.chain(slot["slot"])
        facts = read_certificate(chain[0])
        assert chain_problem(chain, system.root_pem) == ""
        assert (facts.key, facts.usages) == (slot["key"], frozenset(slot["eku"]))
        assert proof_problem(chain[0], b"challenge", board.driver.prove(slot["slot"], b"challenge")) == ""
