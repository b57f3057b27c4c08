"""Several users, and orders for several requests: one counts, the other one is told (section 6)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from harness_guardian.enums import Action
from harness_guardian.fake.refusals import Refused
from tests.guardian.fake.domain import APPLIANCE, CLOUD, Domain, outcome, passed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness_guardian.fake.bulk import BulkResult
    from harness_guardian.fake.records import ProvisioningRequest, System


@pytest.fixture(scope="module")
def domain() -> Iterator[Domain]:
    """A service."""
    made = Domain()
    yield made
    made.close()


def test_two_admins_approve_one_request_once(domain: Domain) -> None:
    """Both order it in one moment: one approval counts, the other one is a conflict."""
    row = domain.waiting(domain.system())
    refusals: list[Refused] = []

    async def approve(who: str) -> None:
        try:
            domain.service.act(domain.user(who), CLOUD, row, Action.APPROVE)
        except Refused as refused:
            refusals.append(refused)

    async def both() -> None:
        await asyncio.gather(approve("anna"), approve("bert"))

    domain.run(both())
    domain.settled(row)
    assert passed(row) == ["verifying", "needs_approval", "approving", "complete_provisioning"]
    assert [(refused.status, refused.slug) for refused in refusals] == [(409, "wrong-state")]
    assert row.approved_by == row.history[2].by == "anna"
    assert len(domain.organisation.devices_with_hw_id(_system(row), "pump", row.hw_id)) == 1


def _system(row: ProvisioningRequest) -> System:
    assert row.system is not None
    return row.system


def test_a_bulk_passes_by_what_has_moved_on(domain: Domain) -> None:
    """One of three was rejected meanwhile: it is a conflict alone, the others are approved in one second."""
    system = domain.system()
    rows = [domain.waiting(system) for _three in range(3)]
    domain.act(rows[1], Action.REJECT, "bert")
    results = domain.bulk(Action.APPROVE, rows)
    assert [result.id for result in results] == [row.id for row in rows]
    assert [result.ok for result in results] == [True, False, True]
    assert [result.status for result in results] == ["approving", "rejected_by_user", "approving"]
    problem = results[1].problem
    assert problem is not None
    assert (problem.status, problem.slug) == (409, "wrong-state")
    assert [outcome(row) for row in rows] == [
        "complete_provisioning",
        "rejected_by_user",
        "complete_provisioning",
    ]
    assert rows[0].approved_at == rows[2].approved_at
    assert rows[0].history[2].at == rows[2].history[2].at
    assert {rows[0].approved_by, rows[2].approved_by} == {"anna"}


def test_a_bulk_of_every_kind_ends_as_one_of_its_own(domain: Domain) -> None:
    """Approved, rejected or provisioned together: same actor, same moment, and each is on its own way."""
    systems = [domain.system(), domain.system()]
    rows = [domain.waiting(system) for system in systems for _twice in range(2)]
    domain.bulk(Action.APPROVE, rows)
    assert {row.history[2].at for row in rows} == {rows[0].history[2].at}
    results = domain.bulk(Action.PROVISION, rows, "bert")
    assert all(result.ok for result in results)
    assert [outcome(row) for row in rows] == ["provisioned"] * 4
    assert {row.history[4].at for row in rows} == {rows[0].history[4].at}
    rejected = [domain.waiting(system) for system in systems]
    domain.bulk(Action.REJECT, rejected)
    assert [(outcome(row), row.rejected_by) for row in rejected] == [("rejected_by_user", "anna")] * 2


def test_a_bulk_by_ids_says_of_each_what_is_wrong(domain: Domain) -> None:
    """Unknown, named twice, of an Automatic system, of the other door: each has its own problem."""
    good = domain.waiting(domain.system())
    automatic = domain.submit(domain.device(domain.system("Automatic")).request())
    other_door = domain.submit(domain.device(domain.system()).request(), door=APPLIANCE)
    stranger = domain.service.add_organisation("stranger")[0].users["anna"]
    ids = [good.id, "unknown", good.id, automatic.id, other_door.id]

    async def order(user: Any) -> list[BulkResult]:
        return domain.service.bulk_by_ids(user, CLOUD, Action.APPROVE, ids)

    theirs = domain.run(order(stranger))
    assert [(result.status, result.problem.status) for result in theirs] == [(None, 404)] * 5
    results = domain.run(order(domain.user()))
    problems = [
        None if each.problem is None else (each.problem.status, each.problem.slug) for each in results
    ]
    assert problems == [
        None,
        (404, "not-found"),
        (409, "wrong-state"),
        (422, "automatic-approval"),
        (409, "wrong-door"),
    ]
    assert outcome(domain.settled(good)) == "complete_provisioning"


def test_a_bulk_has_500_ids_at_most(domain: Domain) -> None:
    """One more is refused whole."""

    async def order(count: int) -> list[BulkResult]:
        return domain.service.bulk_by_ids(domain.user(), CLOUD, Action.APPROVE, ["unknown"] * count)

    assert len(domain.run(order(500))) == 500
    with pytest.raises(Refused) as refusal:
        domain.run(order(501))
    assert (refusal.value.status, refusal.value.slug) == (422, "not-valid")
