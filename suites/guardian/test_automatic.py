"""Automatic approval: requests are verified, approved and provisioned without anybody.

Seed 'Manage device provisioning': Verifying, Auto-approved, Provisioning, Provisioned; guardian fact sheet,
section 2.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness_guardian.attempting import whole_way
from harness_guardian.client_requests import assert_passed
from harness_guardian.enums import STATUS_TEXTS, SYSTEM_ACTOR, Action, ApprovalType, Status

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard
    from harness_guardian.attempting import Device

pytestmark = pytest.mark.board(driver="guardian-component")

AUTOMATIC = ApprovalType.AUTOMATIC
PASSING = [Status.VERIFYING, Status.AUTO_APPROVED, Status.PROVISIONING]


@pytest.fixture
def approval() -> ApprovalType:
    """Nobody approves."""
    return AUTOMATIC


@pytest.mark.parametrize("form", ["jws", "cose"])
@pytest.mark.proves("initial, Automatic", "Provisioned")
def test_initial(guardian: Any, device: Device, form: str) -> None:
    """The board is provisioned by itself alone, and every state of the seed was passed in its order."""
    attempt = device.attempt(format=form)

    assert attempt.ended_well
    assert_passed(attempt.history, whole_way(AUTOMATIC))
    assert attempt.row.provisioning_status == "Provisioned"
    assert [name for name, _certificate in attempt.after.certificates] == ["identity", "signing", "tls"]


@pytest.mark.parametrize("form", ["jws", "cose"])
@pytest.mark.proves("reprovision, Automatic", "Provisioned")
def test_reprovision(guardian: Any, provisioned: Device, form: str) -> None:
    """The same device gets another response and other certificates."""
    first = provisioned.system.rows()[0]

    attempt = provisioned.attempt(reprovision=True, format=form)

    assert attempt.ended_well
    assert_passed(attempt.history, whole_way(AUTOMATIC))
    row = attempt.row
    assert row.component_instance_id == first.component_instance_id
    assert row.component_instance_created_on == first.component_instance_created_on
    assert (row.request_id, row.response_id) != (first.request_id, first.response_id)
    assert not set(attempt.after.certificates) & set(attempt.before.certificates)


@pytest.mark.proves("columns", "Automatic: approved and provisioned by System")
def test_columns(board: LeasedBoard, device: Device) -> None:
    """What the row says of the board is what the board says of itself."""
    row = device.attempt().row

    told = board.driver.identity()
    assert (row.component_name, row.device_hw_id) == (told.component, told.hw_id)
    assert (row.system_name, row.system_instance_name) == (device.system.name, "Ward A")
    assert row.system_instance_id == told.instance == device.system.instance().id
    assert (row.approved_by, row.provisioned_by, row.rejected_by) == (SYSTEM_ACTOR, SYSTEM_ACTOR, "")
    assert (row.approval_type, row.provision_source) == (AUTOMATIC, "Cloud")
    assert row.request_created_on <= row.approved_on <= row.provisioned_on  # type: ignore[operator]
    assert row.response_id == board.driver.status().response_id


@pytest.mark.backend(needs={"faults"})
@pytest.mark.parametrize("status", PASSING)
@pytest.mark.proves("states, Automatic", "each passing one is seen, and the board waits")
def test_passing_states(board: LeasedBoard, guardian: Any, device: Device, status: Status) -> None:
    """A request that is held in a state is in it for everybody, and the board has nothing yet."""
    before = board.driver.snapshot()
    with guardian.hold(device.system.name, status):
        made = device.submit()
        row = guardian.wait_for(made.request_id, status)
        assert (row.status, row.provisioning_status) == (status, STATUS_TEXTS[status])
        assert [entry.status for entry in guardian.history(row.id)] == PASSING[: PASSING.index(status) + 1]
        assert board.driver.snapshot() == before

    device.carry(made.request_id)
    device.install(made.request_id)
    attempt = device.seen(made.request_id, before)
    assert attempt.ended_well
    assert_passed(attempt.history, whole_way(AUTOMATIC))


@pytest.mark.backend(needs={"faults"})
@pytest.mark.parametrize("status", [*PASSING, Status.PROVISIONED])
@pytest.mark.proves("actions, Automatic", "none is offered, and each is refused with 422")
def test_nobody_acts(board: LeasedBoard, guardian: Any, device: Device, refused: Any, status: Status) -> None:
    """No user may approve, reject or provision, whatever the state; the request goes its way."""
    held = status if status in PASSING else Status.VERIFYING
    with guardian.hold(device.system.name, held):
        made = device.submit()
        if status in PASSING:
            assert guardian.wait_for(made.request_id, status).actions == ()
            _try_everything(guardian, made.request_id, refused)
    assert device.carry(made.request_id).actions == ()
    _try_everything(guardian, made.request_id, refused)

    device.install(made.request_id)
    history = guardian.history(made.request_id)
    assert [entry.status for entry in history] == list(whole_way(AUTOMATIC))
    assert {entry.by for entry in history[1:]} == {SYSTEM_ACTOR}
    assert board.driver.status().state == "provisioned"


def _try_everything(guardian: Any, request_id: str, refused: Any) -> None:
    before = guardian.request(request_id).status
    for action in Action:
        with refused(422, "automatic-approval"):
            getattr(guardian, action.value)(request_id)
    assert guardian.request(request_id).status in {before, *whole_way(AUTOMATIC)}
