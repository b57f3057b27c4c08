"""Several requests approved, rejected or provisioned by one call: a result for each, and the others go on.

Seed 'Manage device provisioning': bulk approve, reject and provision; guardian fact sheet, section 6.
"""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness_guardian.client_requests import assert_passed
from harness_guardian.enums import ApprovalType, Status
from harness_guardian.peers import SENSOR, initialise, make_peers

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard
    from harness_guardian.peers import Peer

pytestmark = pytest.mark.board(driver="guardian-component")

STATUSES = pytest.mark.backend(needs={"exact-status"})
NAMES = pytest.mark.backend(needs={"roles"})  # what users are called is known of a fake only
WAITING = {"status": Status.NEEDS_APPROVAL.value}
APPROVED = {"status": Status.COMPLETE_PROVISIONING.value}


@pytest.fixture
def system(guardian: Any) -> Any:
    """A system with manual approval and components that cost little."""
    other = replace(SENSOR, name="valve")
    return guardian.create_system(approval=ApprovalType.MANUAL, components=[SENSOR, other])


@pytest.fixture
def crowd(board: LeasedBoard, guardian: Any, system: Any) -> list[Peer]:
    """Three requests that need approval; the last one is the board's."""
    return submit_all(guardian, make_peers(board, system, 3, component=SENSOR.name))


def submit_all(guardian: Any, peers: list[Peer]) -> list[Peer]:
    """Submit requests as their devices do, and wait until they need approval."""
    for peer in peers:
        guardian.anonymous.submit(peer.request.content)
    for peer in peers:
        guardian.wait_for(peer.id, Status.NEEDS_APPROVAL)
    return peers


def is_provisioned(board: LeasedBoard, guardian: Any, request_id: str) -> bool:
    """Have the board install what its request was answered with; tell whether it holds exactly that."""
    board.driver.install(guardian.certified_profile(request_id).encode())
    status = board.driver.status()
    answered: str = guardian.request(request_id).response_id
    return bool(status.state == "provisioned" and status.response_id == answered)


@NAMES
@pytest.mark.proves("bulk approve", "200, all by ids")
@pytest.mark.proves("bulk provision", "200, all by ids")
def test_approved_and_provisioned_by_ids(board: LeasedBoard, guardian: Any, crowd: list[Peer]) -> None:
    """All of them are approved and then provisioned, and the board installs its profile."""
    ids = [peer.id for peer in crowd]

    approved = guardian.bulk("approve", ids=ids)
    waiting = [guardian.wait_for(each, Status.COMPLETE_PROVISIONING) for each in ids]
    provisioned = guardian.bulk("provision", ids=ids)
    done = [guardian.wait_until_final(each) for each in ids]

    assert [(result.id, result.ok) for result in approved + provisioned] == [(each, True) for each in ids * 2]
    assert [row.approved_by for row in waiting] == [guardian.user_name] * 3
    assert [row.status for row in done] == [Status.PROVISIONED] * 3
    assert is_provisioned(board, guardian, ids[-1])


@NAMES
@pytest.mark.proves("bulk approve", "by one user, in one second")
def test_one_user_and_one_second(board: LeasedBoard, guardian: Any, crowd: list[Peer]) -> None:
    """What one call approved has one user and one moment, and each request its own component instance."""
    guardian.bulk("approve", ids=[peer.id for peer in crowd])
    rows = [guardian.wait_for(peer.id, Status.COMPLETE_PROVISIONING) for peer in crowd]

    assert len({row.approved_on.replace(microsecond=0) for row in rows}) == 1
    assert {row.approved_by for row in rows} == {guardian.user_name}
    assert len({row.component_instance_id for row in rows}) == len(rows)
    assert board.driver.status().state == "requested"


@pytest.mark.proves("bulk approve", "200, all that a filter lets through")
@pytest.mark.proves("bulk provision", "200, all that a filter lets through")
def test_approved_and_provisioned_by_filter(
    board: LeasedBoard, guardian: Any, system: Any, crowd: Any
) -> None:
    """Approve X PRs and Provision X devices: X is what the filter lets through, the board among them."""
    ids = {peer.id for peer in crowd}

    approved = guardian.bulk("approve", filter={"system": system.name, **WAITING})
    for each in ids:
        guardian.wait_for(each, Status.COMPLETE_PROVISIONING)
    provisioned = guardian.bulk("provision", filter={"system": system.name, **APPROVED})

    assert {result.id for result in approved if result.ok} == ids
    assert {result.id for result in provisioned if result.ok} == ids
    assert guardian.wait_until_final(crowd[-1].id).status is Status.PROVISIONED
    assert is_provisioned(board, guardian, crowd[-1].id)


@pytest.mark.proves("bulk approve", "what the filter hides is left alone")
def test_filter_leaves_others_alone(board: LeasedBoard, guardian: Any, system: Any) -> None:
    """With a filter on the component only its requests are approved; the board's, of another one, waits."""
    valve = make_peers(board, system, 1, component="valve")
    sensor = make_peers(board, system, 1, component=SENSOR.name)
    submit_all(guardian, valve + sensor)

    results = guardian.bulk("approve", filter={"system": system.name, "component": "valve", **WAITING})

    assert [(result.id, result.ok) for result in results] == [(valve[0].id, True)]
    guardian.wait_for(valve[0].id, Status.COMPLETE_PROVISIONING)
    assert guardian.request(sensor[0].id).status is Status.NEEDS_APPROVAL
    assert not board.driver.snapshot().provisioned


@pytest.mark.proves("bulk approve", "200 and nothing, when no request fits")
def test_filter_that_nothing_fits(board: LeasedBoard, guardian: Any, system: Any, crowd: list[Peer]) -> None:
    """No result and no change, for the board's request neither."""
    results = guardian.bulk("approve", filter={"system": system.name, "hw_id": "nobody", **WAITING})

    assert results == []
    assert {row.status for row in system.rows()} == {Status.NEEDS_APPROVAL}
    assert len(system.rows()) == len(crowd)
    assert board.driver.status().state == "requested"


@NAMES
@pytest.mark.proves("bulk reject", "200, all by ids")
def test_rejected(board: LeasedBoard, guardian: Any, crowd: list[Peer]) -> None:
    """Every one passes Rejecting... and ends as Rejected by user; the board stays as it was."""
    before = board.driver.snapshot()

    results = guardian.bulk("reject", ids=[peer.id for peer in crowd])
    rows = [guardian.wait_until_final(peer.id) for peer in crowd]

    assert [result.ok for result in results] == [True] * 3
    for row in rows:
        assert (row.provisioning_status, row.rejected_by) == ("Rejected by user", guardian.user_name)
        assert_passed(guardian.history(row.id), [Status.NEEDS_APPROVAL, Status.REJECTING])
    assert board.driver.snapshot() == before


@pytest.mark.proves("bulk reject", "200, all that a filter lets through")
def test_rejected_by_filter(board: LeasedBoard, guardian: Any, system: Any, crowd: list[Peer]) -> None:
    """Reject X PRs: X is what the filter lets through; the board gets no profile."""
    results = guardian.bulk("reject", filter={"system": system.name, **WAITING})
    rows = [guardian.wait_until_final(peer.id) for peer in crowd]

    assert {result.id for result in results if result.ok} == {peer.id for peer in crowd}
    assert {row.status for row in rows} == {Status.REJECTED_BY_USER}
    assert guardian.raw.request(
        "GET", f"/provisioning-requests/{crowd[-1].id}/certified-profile"
    ).status_code in range(400, 500)
    assert not board.driver.snapshot().provisioned


@STATUSES
@pytest.mark.proves("bulk approve", "409 for one, the others go on")
def test_conflict_of_one_stops_no_other(board: LeasedBoard, guardian: Any, crowd: list[Peer]) -> None:
    """One that somebody rejected meanwhile is a conflict; the board is provisioned."""
    gone, peer, own = (each.id for each in crowd)
    guardian.other_admin.reject(gone)
    guardian.wait_until_final(gone)

    results = guardian.bulk("approve", ids=[gone, peer, own])

    assert [(result.id, result.ok) for result in results] == [(gone, False), (peer, True), (own, True)]
    assert results[0].problem.status == 409
    assert guardian.request(gone).status is Status.REJECTED_BY_USER
    guardian.wait_for(own, Status.COMPLETE_PROVISIONING)
    guardian.provision(own)
    assert is_provisioned(board, guardian, own)


@STATUSES
@pytest.mark.proves("bulk provision", "409 before the approval")
def test_provisioning_before_approval(board: LeasedBoard, guardian: Any, crowd: list[Peer]) -> None:
    """What needs approval cannot be provisioned yet: a conflict for that one, the board's own goes on."""
    waiting, _other, own = (each.id for each in crowd)
    guardian.approve(own)
    guardian.wait_for(own, Status.COMPLETE_PROVISIONING)

    results = guardian.bulk("provision", ids=[waiting, own])

    assert [(result.ok, result.problem and result.problem.status) for result in results] == [
        (False, 409),
        (True, None),
    ]
    assert guardian.request(waiting).status is Status.NEEDS_APPROVAL
    assert is_provisioned(board, guardian, own)


@STATUSES
@pytest.mark.proves("bulk reject", "409 after the approval")
def test_rejection_after_approval(board: LeasedBoard, guardian: Any, crowd: list[Peer]) -> None:
    """What was approved cannot be rejected any more: it goes on, and the other one is rejected."""
    other, _third, own = (each.id for each in crowd)
    guardian.approve(own)
    guardian.wait_for(own, Status.COMPLETE_PROVISIONING)

    results = guardian.bulk("reject", ids=[own, other])

    assert [(result.ok, result.problem and result.problem.status) for result in results] == [
        (False, 409),
        (True, None),
    ]
    guardian.provision(own)
    assert is_provisioned(board, guardian, own)


@STATUSES
@pytest.mark.proves("bulk approve", "404 for one that is not there, the others go on; 500 ids")
def test_500_ids(board: LeasedBoard, guardian: Any, crowd: list[Peer]) -> None:
    """A call takes 500 ids; those of nobody are told one by one, and the board's is approved."""
    own = crowd[-1].id
    unknown = [str(uuid.uuid4()) for _number in range(499)]

    results = guardian.bulk("approve", ids=[*unknown, own])

    assert [result.id for result in results] == [*unknown, own]
    assert {result.problem.status for result in results[:-1]} == {404}
    assert results[-1].ok
    guardian.wait_for(own, Status.COMPLETE_PROVISIONING)
    guardian.provision(own)
    assert is_provisioned(board, guardian, own)


@STATUSES
@pytest.mark.proves("bulk approve", "422 for 501 ids")
def test_501_ids(board: LeasedBoard, guardian: Any, crowd: list[Peer], refused: Any) -> None:
    """One id too many and nothing is done, for the board's request neither."""
    with refused(422):
        guardian.bulk("approve", ids=[*[str(uuid.uuid4()) for _number in range(500)], crowd[-1].id])

    assert guardian.request(crowd[-1].id).status is Status.NEEDS_APPROVAL
    assert board.driver.status().state == "requested"


@NAMES
@pytest.mark.proves("bulk approve", "two administrators at once: one approval and one conflict for each")
def test_two_administrators_at_once(board: LeasedBoard, guardian: Any, crowd: list[Peer]) -> None:
    """Each request is approved by exactly one of two who do so at the same time, and its row says by whom."""
    ids = [peer.id for peer in crowd]
    admins = (guardian, guardian.other_admin)
    with ThreadPoolExecutor(len(admins)) as pool:
        both = list(pool.map(lambda admin: admin.bulk("approve", ids=ids), admins))
    rows = [guardian.wait_for(each, Status.COMPLETE_PROVISIONING) for each in ids]

    for row, *results in zip(rows, *both, strict=True):
        assert sorted(result.ok for result in results) == [False, True]
        (winner,) = [admin.user_name for admin, result in zip(admins, results, strict=True) if result.ok]
        assert row.approved_by == winner
        assert [entry.status for entry in guardian.history(row.id)].count(Status.APPROVING) == 1
    guardian.provision(ids[-1])
    assert is_provisioned(board, guardian, ids[-1])


@pytest.mark.proves("bulk approve", "the same id twice: one approval and one conflict")
def test_the_same_id_twice(board: LeasedBoard, guardian: Any, crowd: list[Peer]) -> None:
    """An id that is given twice is approved once."""
    own = crowd[-1].id

    results = guardian.bulk("approve", ids=[own, own])

    assert [result.ok for result in results] == [True, False]
    guardian.wait_for(own, Status.COMPLETE_PROVISIONING)
    assert [entry.status for entry in guardian.history(own)].count(Status.APPROVING) == 1
    assert board.driver.status().state == "requested"


@STATUSES
@pytest.mark.parametrize("action", ["approve", "reject", "provision"])
@pytest.mark.proves("bulk approve", "422 in an Automatic system")
def test_nobody_acts_in_an_automatic_system(board: LeasedBoard, guardian: Any, action: str) -> None:
    """In an Automatic system no user acts: each is refused, and the board is provisioned all the same."""
    system = guardian.create_system(components=[SENSOR])
    initialise(board, system, component=SENSOR.name)
    own = board.driver.make_request().request_id
    with guardian.hold(system.name, Status.AUTO_APPROVED):
        board.driver.submit()
        guardian.wait_for(own, Status.AUTO_APPROVED)

        results = guardian.bulk(action, ids=[own])

    assert [(result.ok, result.problem.status) for result in results] == [(False, 422)]
    assert is_provisioned(board, guardian, own)
    assert guardian.request(own).approved_by == "System"


@STATUSES
@pytest.mark.proves("bulk approve", "400 or 422 for what is no bulk action")
def test_no_bulk_action(board: LeasedBoard, guardian: Any, crowd: list[Peer]) -> None:
    """What cannot be read as a bulk action is refused whole, and changes nothing."""
    bodies: list[Any] = [
        {},
        {"action": "approve"},
        {"action": "delete", "ids": []},
        {"action": "approve", "ids": "all"},
        {"action": "approve", "ids": [], "filter": {}},
        {"action": "approve", "filter": {"status": "lost"}},
        [],
    ]
    for body in bodies:
        answer = guardian.raw.request("POST", "/provisioning-requests/bulk", json=body)

        assert answer.status_code in {400, 422}, body
        assert answer.json()["type"].startswith("urn:guardian:problem:"), body
        assert guardian.request(crowd[-1].id).status is Status.NEEDS_APPROVAL, body
    assert board.driver.status().state == "requested"
