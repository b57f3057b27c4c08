"""Old certificates of a reprovisioned device: valid until the new profile is fetched and a grace is over."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.guardian.fake.domain import AT_ONCE, Domain, adopt, outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness_guardian.fake.records import ProvisioningRequest

DAY = 24 * 3600.0


@pytest.fixture
def domain() -> Iterator[Domain]:
    """A service."""
    made = Domain()
    yield made
    made.close()


def revoked(domain: Domain, row: ProvisioningRequest) -> list[bool]:
    """Return whether Vault has the certificates of a request as revoked, when nothing is under way."""

    async def settle() -> None:
        for _turn in range(5):
            for task in list(domain.service.revocations._tasks):
                await task

    domain.run(settle())
    return [domain.vault.known[each.serial].revoked for each in row.certificates]


def ahead(domain: Domain, seconds: float) -> None:
    """Let the organisation's clock be ahead."""

    async def order() -> None:
        domain.service.order_clock("acme", seconds)

    domain.run(order())


def fetch(domain: Domain, row: ProvisioningRequest) -> None:
    """Fetch a certified profile."""

    async def ask() -> None:
        assert domain.service.certified_profile(row)

    domain.run(ask())


@pytest.mark.parametrize("complete_on_install", [False, True])
def test_the_grace_begins_when_the_profile_is_fetched(domain: Domain, *, complete_on_install: bool) -> None:
    """A day after it was fetched, by the organisation's clock; before, and unfetched, nothing happens."""
    system = domain.system("Automatic", complete_on_install=complete_on_install)
    device = domain.device(system)
    made = device.request()
    first = domain.submit(made)
    if complete_on_install:
        domain.installed(first)
    adopt(device, made, first)
    second = domain.submit(device.request())
    ahead(domain, 100 * DAY)
    assert revoked(domain, first) == [False]
    fetch(domain, second)
    fetch(domain, second)
    if complete_on_install:
        assert revoked(domain, first) == [False]
        domain.installed(second)
    ahead(domain, 101 * DAY - 60)
    assert revoked(domain, first) == [False]
    ahead(domain, 101 * DAY + 1)
    assert revoked(domain, first) == [True]
    assert revoked(domain, second) == [False]
    ahead(domain, 0.0)
    assert outcome(domain.submit(device.request())) == "UNABLE_LOOKUP_PROVISION_REQUEST_SIGNER"


def test_a_timer_revokes_when_nobody_moves_the_clock() -> None:
    """With a short grace the old certificate is revoked by itself."""
    domain = Domain(replace(AT_ONCE, grace=0.05))
    try:
        device = domain.device(domain.system("Automatic"))
        first = domain.finished(device)
        second = domain.finished(device)
        fetch(domain, second)
        assert revoked(domain, first) == [False]
        timer = domain.service.revocations._timers["acme"]
        assert timer.when() > 0

        async def wait() -> None:
            done = asyncio.Event()
            asyncio.get_running_loop().call_at(timer.when() + 0.01, done.set)
            await done.wait()

        domain.run(wait())
        assert revoked(domain, first) == [True]
    finally:
        domain.close()


def test_what_an_earlier_profile_left_is_revoked_with_a_later_one(domain: Domain) -> None:
    """A profile that was never fetched does not keep older certificates alive for ever."""
    device = domain.device(domain.system("Automatic"))
    rows = [domain.finished(device) for _three in range(3)]
    fetch(domain, rows[2])
    ahead(domain, DAY + 1)
    assert [revoked(domain, row) for row in rows] == [[True], [True], [False]]


def test_a_first_provisioning_revokes_nothing(domain: Domain) -> None:
    """There is nothing old."""
    row = domain.finished(domain.device(domain.system("Automatic")))
    fetch(domain, row)
    ahead(domain, 10 * DAY)
    assert revoked(domain, row) == [False]


def test_a_revocation_that_fails_is_noted(domain: Domain) -> None:
    """Vault does not answer: an event says which certificate is still valid."""
    device = domain.device(domain.system("Automatic"))
    first, second = domain.finished(device), domain.finished(device)
    fetch(domain, second)
    domain.vault.late = True
    ahead(domain, DAY + 1)
    assert revoked(domain, first) == [False]
    last = domain.service.events("acme")[-1]
    assert (last.kind, last.facts["serial"]) == ("revocation-failed", first.certificates[0].serial)


def test_nothing_of_a_deleted_system_is_revoked(domain: Domain) -> None:
    """Its authority is gone; nobody asks Vault for it any more."""
    system = domain.system("Automatic")
    device = domain.device(system)
    first, second = domain.finished(device), domain.finished(device)
    fetch(domain, second)
    domain.run(domain.service.delete_system(domain.user(), system.name))
    ahead(domain, DAY + 1)
    assert revoked(domain, first) == [False]
    assert not [call for call in domain.vault.asked if call[0] == "revoke"]
