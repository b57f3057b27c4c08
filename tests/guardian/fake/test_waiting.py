"""Dwell, holds and orders of the session, and who waits for a change."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from harness_guardian.enums import Action, Status
from harness_guardian.fake.choices import FAKE
from harness_guardian.fake.refusals import Refused
from tests.guardian.fake.domain import CLOUD, DEADLINE, Domain, outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness_guardian.fake.records import ProvisioningRequest, System


@pytest.fixture(scope="module")
def domain() -> Iterator[Domain]:
    """A service."""
    made = Domain()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("approval", "status"),
    [
        ("Automatic", Status.VERIFYING),
        ("Automatic", Status.AUTO_APPROVED),
        ("Automatic", Status.PROVISIONING),
        ("Manual", Status.APPROVING),
        ("Manual", Status.REJECTING),
    ],
)
def test_a_held_request_stays_where_it_is(domain: Domain, approval: str, status: Status) -> None:
    """Every transient status can be looked at as long as a test wants; another system's is not held."""
    system, other = domain.system(approval), domain.system(approval)
    hold = domain.service.hold("acme", system.name, status)
    issued = [each for each in domain.vault.asked if each[0] == "issue"]
    row = domain.received(domain.device(system).request())
    free = domain.submit(domain.device(other).request())
    if approval == "Manual":
        for each in (domain.settled(row), free):
            action = Action.APPROVE if status is Status.APPROVING else Action.REJECT

            async def order(one: ProvisioningRequest = each, what: Action = action) -> None:
                domain.service.act(domain.user(), CLOUD, one, what)

            domain.run(order())
        domain.settled(free)
    assert not domain.run(domain.service.wait_until_final(row, 0.05))
    assert row.status is status
    assert free.status not in {Status.VERIFYING, status}
    if status is Status.PROVISIONING:
        assert [each for each in domain.vault.asked if each == ("issue", row.id)] == []
        assert len([each for each in domain.vault.asked if each[0] == "issue"]) == len(issued) + 1

    async def release() -> None:
        domain.service.release_hold(hold.id)

    domain.run(release())
    assert domain.settled(row).status is free.status
    with pytest.raises(Refused) as refusal:
        domain.service.release_hold(hold.id)
    assert refusal.value.status == 404


def test_what_is_queued_is_held_too(domain: Domain) -> None:
    """A hold counts for a request that waits for others to be provisioned; those behind it are not held."""
    system, other = domain.system("Automatic"), domain.system("Automatic")
    first = domain.service.hold("acme", system.name, Status.PROVISIONING)
    rows = [domain.received(domain.device(system).request()) for _ten in range(10)]
    assert outcome(domain.submit(domain.device(other).request())) == "provisioned"

    async def change_holds() -> None:
        domain.service.hold("acme", system.name, Status.PROVISIONING)
        domain.service.release_hold(first.id)

    domain.run(change_holds())
    assert outcome(domain.submit(domain.device(other).request())) == "provisioned"
    assert {row.status for row in rows} == {Status.PROVISIONING}

    async def withdraw() -> None:
        domain.service.withdraw_orders("acme")

    domain.run(withdraw())
    domain.service.order_dwell("acme", 0.0)
    assert [outcome(domain.settled(row)) for row in rows] == ["provisioned"] * 10


@pytest.mark.parametrize(
    "status", [Status.NEEDS_APPROVAL, Status.COMPLETE_PROVISIONING, Status.PROVISIONED, Status.ERROR]
)
def test_what_waits_anyway_cannot_be_held(domain: Domain, status: Status) -> None:
    """A hold on a status that the service does not leave by itself is a mistake."""
    with pytest.raises(Refused) as refusal:
        domain.service.hold("acme", "any", status)
    assert (refusal.value.status, refusal.value.slug) == (422, "not-valid")


@pytest.mark.parametrize("seconds", [-1.0, float("inf"), float("nan")])
def test_a_dwell_and_a_clock_are_numbers_of_seconds(domain: Domain, seconds: float) -> None:
    """An order that cannot be is refused, and what was ordered before stays."""
    with pytest.raises(Refused):
        domain.service.order_dwell("acme", seconds)
    assert domain.organisation.dwell == 0.0
    if seconds != -1.0:
        with pytest.raises(Refused):
            domain.service.order_clock("acme", seconds)
    assert domain.organisation.clock.shift == 0.0


def test_orders_end_with_the_test() -> None:
    """Dwell, clock and holds are as they were at the beginning."""
    fresh = Domain(FAKE)
    try:
        fresh.run(orders_of(fresh, fresh.system()))
        assert (fresh.organisation.dwell, fresh.organisation.clock.shift) == (0.05, 0.0)
        assert fresh.organisation.holds == {}
    finally:
        fresh.close()


async def orders_of(domain: Domain, system: System) -> None:
    """Order something of everything, and withdraw it."""
    domain.service.order_dwell("acme", 7.0)
    domain.service.order_clock("acme", -60.0)
    domain.service.hold("acme", system.name, Status.VERIFYING)
    domain.service.withdraw_orders("acme")


def test_whoever_waits_is_woken_by_the_change(domain: Domain) -> None:
    """A wait ends with the next status; one for the end with the end; one in vain says so."""
    row = domain.waiting(domain.system())
    version = row.version

    async def wait() -> list[bool]:
        waits = [
            domain.service.wait_for_change(row, version, DEADLINE),
            domain.service.wait_for_change(row, version, DEADLINE),
            domain.service.wait_until_final(row, DEADLINE),
        ]
        tasks = [asyncio.ensure_future(each) for each in waits]
        await asyncio.sleep(0)
        domain.service.act(domain.user(), CLOUD, row, Action.REJECT)
        return [await task for task in tasks]

    assert domain.run(wait()) == [True, True, True]
    assert row.is_final
    assert row.version == len(row.history)
    assert domain.run(domain.service.wait_for_change(row, version, 0)) is True
    assert domain.run(domain.service.wait_for_change(row, row.version, 0)) is False
    assert domain.run(domain.service.wait_for_change(row, row.version, 0.001)) is False
