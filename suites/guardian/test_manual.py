"""Manual approval: users approve, reject and provision, and every state of the seed is passed.

Seed 'Manage device provisioning': approve, reject and provision individual requests; guardian fact sheet,
section 2.2. Every other event in a state is refused and changes nothing.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import RequestRefused
from harness_guardian.attempting import whole_way
from harness_guardian.client_requests import assert_passed
from harness_guardian.enums import STATUS_TEXTS, Action, ApprovalType, Status

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard
    from harness_guardian.attempting import Device

pytestmark = pytest.mark.board(driver="guardian-component")

MANUAL = ApprovalType.MANUAL
WAY = whole_way(MANUAL)
REJECTED = (Status.VERIFYING, Status.NEEDS_APPROVAL, Status.REJECTING, Status.REJECTED_BY_USER)
EVERYTHING = {*Action}


@pytest.fixture
def approval() -> ApprovalType:
    """Users approve."""
    return MANUAL


@pytest.fixture
def waiting(device: Device) -> str:
    """Id of the board's request, which needs approval."""
    made = device.submit()
    assert device.guardian.wait_until_settled(made.request_id).status is Status.NEEDS_APPROVAL
    return made.request_id


@pytest.mark.parametrize("form", ["jws", "cose"])
@pytest.mark.proves("initial, Manual", "Provisioned")
def test_initial(guardian: Any, device: Device, form: str) -> None:
    """Users approve and provision, and the board installs what it gets."""
    attempt = device.attempt(format=form)

    assert attempt.ended_well
    assert_passed(attempt.history, WAY)
    assert attempt.row.provisioning_status == "Provisioned"


@pytest.mark.parametrize("form", ["jws", "cose"])
@pytest.mark.proves("reprovision, Manual", "Provisioned")
def test_reprovision(provisioned: Device, form: str) -> None:
    """The same device gets another response and other certificates."""
    first = provisioned.system.rows()[0]

    attempt = provisioned.attempt(reprovision=True, format=form)

    assert attempt.ended_well
    assert_passed(attempt.history, WAY)
    assert attempt.row.component_instance_id == first.component_instance_id
    assert not set(attempt.after.certificates) & set(attempt.before.certificates)


@pytest.mark.backend(needs={"roles"})
@pytest.mark.proves("columns", "Manual: approved and provisioned by the users who did it")
def test_who_did_what(guardian: Any, device: Device, waiting: str) -> None:
    """One administrator approves, another provisions; the component instance begins with the approval."""
    before = guardian.request(waiting)
    guardian.approve(waiting)
    approved = guardian.wait_until_settled(waiting)
    guardian.other_admin.provision(waiting)
    row = guardian.wait_until_final(waiting)
    device.install(waiting)

    assert (before.component_instance_id, before.component_instance_created_on) == ("", None)
    assert approved.component_instance_id == row.component_instance_id != ""
    assert (before.approved_by, approved.approved_by, approved.provisioned_by) == ("", guardian.user_name, "")
    assert (row.approved_by, row.provisioned_by) == (guardian.user_name, guardian.other_admin.user_name)
    assert device.board.driver.status().response_id == row.response_id


@pytest.mark.backend(needs={"faults"})
@pytest.mark.parametrize("status", [Status.VERIFYING, Status.APPROVING, Status.PROVISIONING])
@pytest.mark.proves("states, Manual", "each passing one is seen, and the board waits")
def test_passing_states(board: LeasedBoard, guardian: Any, device: Device, status: Status) -> None:
    """A request that is held in a state is in it for everybody, offers nothing, and takes nothing."""
    before = board.driver.snapshot()
    with guardian.hold(device.system.name, status):
        made = device.submit()
        if status is not Status.VERIFYING:
            guardian.wait_for(made.request_id, Status.NEEDS_APPROVAL)
            guardian.approve(made.request_id)
        if status is Status.PROVISIONING:
            guardian.wait_for(made.request_id, Status.COMPLETE_PROVISIONING)
            guardian.provision(made.request_id)
        row = guardian.wait_for(made.request_id, status)
        assert (row.provisioning_status, row.actions) == (STATUS_TEXTS[status], ())
        assert board.driver.snapshot() == before

    device.carry(made.request_id)
    device.install(made.request_id)
    attempt = device.seen(made.request_id, before)
    assert attempt.ended_well
    assert_passed(attempt.history, WAY)


@pytest.mark.proves(
    "states, Manual", "the board gives up: its request waits on, and the board comes back to it"
)
def test_board_gives_up(board: LeasedBoard, guardian: Any, device: Device, waiting: str) -> None:
    """A board that is told not to wait for the users any longer changes nothing, there and here."""
    before, status = board.driver.snapshot(), board.driver.status()
    running = board.driver.start_provisioning()
    board.driver.cancel()

    assert not running.wait(30).ok
    assert (board.driver.snapshot(), board.driver.status()) == (before, status)
    assert guardian.request(waiting).status is Status.NEEDS_APPROVAL
    device.carry(waiting)
    assert board.driver.provision().ok
    attempt = device.seen(waiting, before)
    assert attempt.ended_well
    assert_passed(attempt.history, WAY)
    assert [row.id for row in device.system.rows()] == [waiting]


@pytest.mark.backend(needs={"faults"})
@pytest.mark.proves("states, Manual", "rejecting is seen before the rejection")
def test_rejecting(board: LeasedBoard, guardian: Any, device: Device, waiting: str) -> None:
    """An individual rejection passes Rejecting..., as one in bulk does."""
    with guardian.hold(device.system.name, Status.REJECTING):
        guardian.reject(waiting)
        row = guardian.wait_for(waiting, Status.REJECTING)
        assert (row.provisioning_status, row.rejected_by, row.actions) == ("Rejecting...", "", ())

    row = guardian.wait_until_final(waiting)
    assert (row.status, row.rejected_by) == (Status.REJECTED_BY_USER, guardian.user_name)
    assert board.driver.status().state != "provisioned"


@pytest.mark.proves("reject", "Rejected by user, and the board learns of it")
def test_rejected(board: LeasedBoard, guardian: Any, device: Device, waiting: str, refused: Any) -> None:
    """A rejected request brings no profile; the board can ask anew and be provisioned."""
    before = board.driver.snapshot()
    guardian.reject(waiting)

    attempt = device.seen(waiting, before)
    assert attempt.row.status is Status.REJECTED_BY_USER
    assert attempt.row.provisioning_status == "Rejected by user"
    assert_passed(attempt.history, REJECTED)
    with refused(409, "failed"):
        guardian.certified_profile(waiting)
    assert attempt.changed_nothing
    again = device.attempt()
    assert again.row.id != waiting
    assert again.ended_well


@pytest.mark.proves("reject", "of a reprovisioning: the board keeps what it has")
def test_rejected_reprovisioning(board: LeasedBoard, guardian: Any, provisioned: Device) -> None:
    """A provisioned board whose reprovisioning is rejected stays as it is, and may ask again."""
    before = board.driver.snapshot()
    made = provisioned.submit(reprovision=True)
    guardian.wait_until_settled(made.request_id)
    guardian.reject(made.request_id)

    attempt = provisioned.seen(made.request_id, before)
    assert attempt.row.status is Status.REJECTED_BY_USER
    assert attempt.changed_nothing
    assert provisioned.attempt(reprovision=True).ended_well


@pytest.mark.proves("actions, Manual", "what each state offers")
def test_offered(guardian: Any, device: Device, waiting: str) -> None:
    """Approve and Reject in Needs approval, Provision in Complete provisioning, nothing at the end."""
    offered = [set(guardian.request(waiting).actions)]
    guardian.approve(waiting)
    offered.append(set(guardian.wait_until_settled(waiting).actions))
    guardian.provision(waiting)
    offered.append(set(guardian.wait_until_final(waiting).actions))

    assert offered == [{Action.APPROVE, Action.REJECT}, {Action.PROVISION}, set()]
    device.install(waiting)
    assert device.board.driver.status().state == "provisioned"


@pytest.mark.proves("actions, Manual", "what a state does not offer is refused with 409 and changes nothing")
@pytest.mark.parametrize("state", [Status.NEEDS_APPROVAL, Status.COMPLETE_PROVISIONING, Status.PROVISIONED])
def test_not_offered(
    board: LeasedBoard, guardian: Any, device: Device, waiting: str, refused: Any, state: Status
) -> None:
    """The machine has no other edges: approve twice, provision before approval, anything at the end."""
    if state is not Status.NEEDS_APPROVAL:
        guardian.approve(waiting)
        guardian.wait_until_settled(waiting)
    if state is Status.PROVISIONED:
        guardian.provision(waiting)
        guardian.wait_until_final(waiting)
    before = guardian.request(waiting)

    for action in sorted(EVERYTHING - set(before.actions)):
        with refused(409, "wrong-state"):
            getattr(guardian, action.value)(waiting)

    assert guardian.request(waiting) == before
    assert before.status is state
    device.carry(waiting)
    device.install(waiting)
    assert_passed(guardian.history(waiting), WAY)
    assert board.driver.status().state == "provisioned"


@pytest.mark.backend(needs={"faults"})
@pytest.mark.proves("actions, Manual", "refused with 409 while the state passes")
@pytest.mark.parametrize("state", [Status.VERIFYING, Status.APPROVING, Status.REJECTING, Status.PROVISIONING])
def test_not_offered_while_passing(
    board: LeasedBoard, guardian: Any, device: Device, refused: Any, state: Status
) -> None:
    """In a passing state nothing is taken, and the request goes on as if nothing had been tried."""
    with guardian.hold(device.system.name, state):
        made = device.submit()
        if state is not Status.VERIFYING:
            guardian.wait_for(made.request_id, Status.NEEDS_APPROVAL)
            (guardian.reject if state is Status.REJECTING else guardian.approve)(made.request_id)
        if state is Status.PROVISIONING:
            guardian.wait_for(made.request_id, Status.COMPLETE_PROVISIONING)
            guardian.provision(made.request_id)
        before = guardian.wait_for(made.request_id, state)
        for action in Action:
            with refused(409, "wrong-state"):
                getattr(guardian, action.value)(made.request_id)
        assert guardian.request(made.request_id) == before

    row = device.carry(made.request_id)
    wanted = Status.REJECTED_BY_USER if state is Status.REJECTING else Status.PROVISIONED
    assert row.status is wanted
    if wanted is Status.PROVISIONED:
        device.install(made.request_id)
    assert board.driver.snapshot().provisioned is (wanted is Status.PROVISIONED)


@pytest.mark.proves("actions, Manual", "a rejected request takes nothing any more")
def test_nothing_behind_a_rejection(
    board: LeasedBoard, guardian: Any, device: Device, waiting: str, refused: Any
) -> None:
    """Rejected is final."""
    guardian.reject(waiting)
    before = guardian.wait_until_final(waiting)

    for action in Action:
        with refused(409, "wrong-state"):
            getattr(guardian, action.value)(waiting)

    assert guardian.request(waiting) == before
    assert not board.driver.snapshot().provisioned


@pytest.mark.backend(needs={"roles", "exact-status"})
@pytest.mark.parametrize("action", [Action.APPROVE, Action.REJECT, Action.PROVISION])
@pytest.mark.proves("two administrators", "one succeeds, one gets a conflict")
def test_two_administrators(
    board: LeasedBoard, guardian: Any, device: Device, waiting: str, action: Action
) -> None:
    """Of two who do the same at the same time one does it, and the row says who."""
    if action is Action.PROVISION:
        guardian.approve(waiting)
        guardian.wait_until_settled(waiting)
    clients = (guardian, guardian.other_admin)

    def act(client: Any) -> int:
        try:
            getattr(client, action.value)(waiting)
        except RequestRefused as refusal:
            return refusal.status
        return 202

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(act, clients))

    assert sorted(answers) == [202, 409]
    row = guardian.wait_until_settled(waiting)
    winner = clients[answers.index(202)].user_name
    done_by = {Action.APPROVE: row.approved_by, Action.REJECT: row.rejected_by}
    assert done_by.get(action, row.provisioned_by) == winner
    passed = [entry.status for entry in guardian.history(waiting)]
    assert len(passed) == len(set(passed))
    if device.carry(waiting).status is Status.PROVISIONED:
        device.install(waiting)
    assert board.driver.snapshot().provisioned is (action is not Action.REJECT)
