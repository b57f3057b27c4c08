"""What others left is undone only when the ledger proves it to be theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from harness.backends.contract import Backend
from harness.errors import BackendFault, BackendUnreachable, RequestRefused, UsageError
from harness_nordic import client_claims
from harness_nordic.client import NrfCloudClient, enrol
from tests.nordic.claims.answers import claimed_answer, now
from tests.nordic.claims.conftest import KEY
from tests.nordic.paper_device import PaperDevice

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.backends.ledger import Ledger
    from tests.nordic.conftest import Service

CLOSE = "Connection: close\r\n"
"""The literal service hangs up after each answer; the client has to know, or it asks on a closed line."""


def test_claim_of_a_dead_session_is_undone(
    make: Callable[..., NrfCloudClient], fake: Backend, device: PaperDevice, ledger: Ledger
) -> None:
    """Another session with the same key undoes it; a second time it is gone already."""
    dead = make(fake)
    dead.claim(device.token())
    (entry,) = ledger.entries()
    heir = make(fake, session="heir")

    assert heir.undo_entry(entry) == "unclaimed"

    assert heir.devices() == []
    assert heir.undo_entry(entry) == "gone already"


def test_claim_anew_is_left_alone(
    make: Callable[..., NrfCloudClient], fake: Backend, device: PaperDevice, ledger: Ledger
) -> None:
    """A device that was unclaimed and claimed again since is somebody else's by now."""
    first = make(fake)
    first.claim(device.token())
    (entry,) = ledger.entries()
    gone = httpx.delete(
        f"{fake.url}/v1/claimed-devices/{device.id}", headers={"Authorization": f"Bearer {KEY}"}
    )
    assert gone.status_code == 204
    colleague = make(fake, session="colleague")
    again = colleague.claim(device.token())

    said = make(fake, session="heir").undo_entry(entry)

    assert said == f"claimed anew at {again.claimed_at}: left alone"
    assert [found.id for found in colleague.devices()] == [device.id]


@pytest.mark.parametrize(
    ("shift", "unclaimed"), [(0.5, True), (-20, True), (50, True), (-3600, False), (3600, False)], ids=str
)
def test_claim_without_an_answer(
    shift: float,
    unclaimed: bool,  # noqa: FBT001 - a parameter of the test
    make: Callable[..., NrfCloudClient],
    literal_service: Service,
    ledger: Ledger,
) -> None:
    """It is undone when the device was claimed at the time of the call, with clocks a little apart."""
    device = PaperDevice()
    client = make(Backend(name="nrfcloud", mode="url", url=literal_service.url))
    literal_service.raw(None)
    with pytest.raises(BackendUnreachable):
        client.claim(device.token())
    (entry,) = ledger.entries()
    assert entry.details["state"] == "intended"
    literal_service.status(200, claimed_answer(device, now(shift)), CLOSE)

    said = client.undo_entry(entry)

    asked = [head.split(b" HTTP")[0] for head, _body in literal_service.requests[1:]]
    path = f"/v1/claimed-devices/{device.id}".encode()
    assert asked == [b"GET " + path, b"DELETE " + path][: 2 if unclaimed else 1]
    assert said == "unclaimed" if unclaimed else "not by this call: left alone" in said


def test_time_that_is_none_proves_nothing(
    make: Callable[..., NrfCloudClient], literal_service: Service, ledger: Ledger
) -> None:
    """Where the service gives no time, a claim without an answer is left alone."""
    device = PaperDevice()
    client = make(Backend(name="nrfcloud", mode="url", url=literal_service.url))
    literal_service.status(500, b"{}")
    with pytest.raises(RequestRefused, match="answered 500"):
        client.claim(device.token())
    (entry,) = ledger.entries()
    literal_service.status(200, claimed_answer(device, "yesterday"), CLOSE)

    assert client.undo_entry(entry) == "claimed at yesterday, not by this call: left alone"


def test_lost_answer_is_found_out_after_the_test(
    make: Callable[..., NrfCloudClient], literal_service: Service, ledger: Ledger
) -> None:
    """Undoing asks for a claim without an answer; what was never made is struck out."""
    client = make(Backend(name="nrfcloud", mode="url", url=literal_service.url))
    literal_service.status(503, b"{}")
    with pytest.raises(RequestRefused):
        client.claim(PaperDevice().token())
    literal_service.status(404, b"{}")

    client.undo()

    assert [head.split(b" ")[0] for head, _body in literal_service.requests] == [b"POST", b"GET"]
    assert ledger.entries() == []


def test_what_cannot_be_undone_stays_in_the_ledger(
    make: Callable[..., NrfCloudClient], literal_service: Service, ledger: Ledger
) -> None:
    """A service that refuses to unclaim, or to tell, leaves the entry to somebody else."""
    device = PaperDevice()
    client = make(Backend(name="nrfcloud", mode="url", url=literal_service.url))
    literal_service.status(201, claimed_answer(device, now()))
    client.claim(device.token())
    literal_service.status(500, b"{}")

    with pytest.raises(BackendFault, match="UnclaimDevice was answered 500"):
        client.undo()

    (entry,) = ledger.entries()
    literal_service.status(403, b"{}")
    with pytest.raises(RequestRefused, match="GetClaimedDevice was answered 403"):
        client.undo_entry(entry)


def test_kept_claims_stay_in_the_ledger(
    make: Callable[..., NrfCloudClient], fake: Backend, device: PaperDevice, ledger: Ledger
) -> None:
    """What is forgotten on purpose stays claimed and in the ledger."""
    client = make(fake)
    client.claim(device.token())

    client.forget()
    client.undo()

    (entry,) = ledger.entries()
    assert [found.id for found in client.devices()] == [device.id]
    assert client.undo_entry(entry) == "unclaimed"


def test_entries_that_are_not_ours_to_undo(
    make: Callable[..., NrfCloudClient],
    fake: Backend,
    device: PaperDevice,
    ledger: Ledger,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another key's claim, what is no claim and a device that nobody knows are refused with the reason."""
    client = make(fake)
    client.claim(device.token())
    (entry,) = ledger.entries()
    monkeypatch.setenv("NRFCLOUD_API_KEY", "another-key-0123456789")
    other = make(fake, session="other")

    with pytest.raises(UsageError, match=r"NRFCLOUD_API_KEY: the claim of .* was made with another API key"):
        other.undo_entry(entry)
    accounts = ledger.accounts(session="run", worker="", backend="nrfcloud", mode="url", url=fake.url)
    accounts.note("certificate", "x")
    accounts.note("claim", "unknown device", key=client_claims.fingerprint(KEY))
    certificate, unknown = ledger.entries()[1:]
    with pytest.raises(UsageError, match="nobody here knows how to undo it"):
        client.undo_entry(certificate)
    with pytest.raises(BackendFault, match="it is not known which device was claimed"):
        client.undo_entry(unknown)
    assert [found.id for found in client.devices()] == [device.id]


def test_replacement_undoes_what_every_team_of_a_dead_worker_left(
    make: Callable[..., NrfCloudClient], fake: Backend, ledger: Ledger
) -> None:
    """On a fake the worker in the same place gets the dead one's team again, and those it had made too."""
    devices = [PaperDevice(number) for number in (201, 202)]
    for device in devices:
        enrol(fake, device.record())
    dead = make(fake, mode="fake")
    dead.claim(devices[0].token())
    dead.another_team().claim(devices[1].token())
    entries = ledger.entries()

    heir = make(fake, mode="fake")

    assert heir.owner_id == dead.owner_id
    assert [heir.undo_entry(entry) for entry in entries] == ["unclaimed", "unclaimed"]
    assert make(fake, session="other", mode="fake").owner_id != dead.owner_id
