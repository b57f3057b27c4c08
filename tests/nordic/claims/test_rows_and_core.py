"""Rows of a bulk claim and onboarded devices are in the ledger before the service hears of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.backends.contract import Backend
from harness.errors import BackendFault, RequestRefused, RigFault, UsageError
from harness_nordic.client import NrfCloudClient, enrol
from harness_nordic.client_core_models import OnboardingRow
from tests.nordic.claims.answers import now
from tests.nordic.claims.test_noted import states_at_the_service
from tests.nordic.paper_device import PaperDevice

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.backends.ledger import Ledger
    from tests.nordic.conftest import Service

PEM = Path("suites/nrfcloud/material/client.pem").read_text().strip()
CLOSE = "Connection: close\r\n"
CLAIM_ROWS_AND_WAIT = """
import sys
from harness.backends.contract import Backend, BackendSession
from harness.backends.ledger import Ledger
from harness_nordic.client import connect
url, token = sys.argv[1:]
accounts = Ledger().accounts(session="run", worker="gw0", backend="nrfcloud", mode="url", url=url)
session = BackendSession(run_id="run", worker="gw0", accounts=accounts)
connect(Backend(name="nrfcloud", mode="url", url=url), session).claim_many([token, "no token", token])
"""


def row(device_id: str = "device-1") -> OnboardingRow:
    """Make a row of the core."""
    return OnboardingRow(id=device_id, certificate=PEM)


def onboarded(device_id: str, created_at: str) -> bytes:
    """Return an onboarded device as the core tells of it."""
    return json.dumps({"id": device_id, "$meta": {"createdAt": created_at}}).encode()


@pytest.fixture
def literal(make: Callable[..., NrfCloudClient], literal_service: Service) -> NrfCloudClient:
    """Connect to a service of literal answers."""
    return make(Backend(name="nrfcloud", mode="url", url=literal_service.url))


def test_rows_are_noted_before_the_service_hears_of_them(literal_service: Service) -> None:
    """When the body is at the service, each device in it is in the ledger once, and stays when we die."""
    assert states_at_the_service(literal_service, CLAIM_ROWS_AND_WAIT, PaperDevice().token()) == ["intended"]


def test_rows_from_intended_to_settled(
    make: Callable[..., NrfCloudClient], fake: Backend, device: PaperDevice, ledger: Ledger
) -> None:
    """Claimed rows are in the ledger with the service's time, failed ones are not."""
    client = make(fake)

    outcome = client.claim_many([PaperDevice(99_998).token(), device.token(), "no token"])

    (entry,) = ledger.entries()
    assert (entry.kind, entry.subject) == ("claim", device.id)
    assert (entry.details["state"], entry.details["claimedAt"]) == ("made", outcome.claimed[0].claimed_at)
    client.unclaim_all(outcome.claimed)
    assert ledger.entries() == []


def test_refused_rows_are_settled(
    make: Callable[..., NrfCloudClient], fake: Backend, device: PaperDevice, ledger: Ledger
) -> None:
    """A body that is refused claims nothing, so nothing is left of it."""
    with pytest.raises(RequestRefused):
        make(fake).claim_many([device.token()] * 1001)

    assert ledger.entries() == []


def test_rows_of_a_dead_session_are_undone(
    make: Callable[..., NrfCloudClient], fake: Backend, device: PaperDevice, ledger: Ledger
) -> None:
    """Another session with the same key undoes them, one entry for each."""
    second = PaperDevice(31_337)
    enrol(fake, second.record())
    make(fake).claim_many([device.token(), second.token()])
    heir = make(fake, session="heir")

    assert [heir.undo_entry(entry) for entry in ledger.entries()] == ["unclaimed", "unclaimed"]
    assert heir.devices() == []


def test_nothing_is_sent_that_cannot_be_noted(
    literal: NrfCloudClient, literal_service: Service, ledger: Ledger
) -> None:
    """Without a ledger nothing is claimed by rows, and nothing is onboarded."""
    ledger.close()

    for call in (
        lambda: literal.claim_many([PaperDevice().token()]),
        lambda: literal.raw.request("POST", "/v1/claimed-devices", content=PaperDevice().token()),
        lambda: literal.core.onboard([row()]),
    ):
        with pytest.raises(RigFault, match="ledger"):
            call()

    assert literal_service.requests == []


def test_answer_that_tells_nothing_of_the_rows(
    literal: NrfCloudClient, literal_service: Service, ledger: Ledger
) -> None:
    """Where the service does not say what it claimed, the entries stay until somebody has looked."""
    literal_service.status(200, b'{"failed": []}', CLOSE)

    outcome = literal.claim_many([PaperDevice().token()])

    assert outcome.claimed == ()
    assert [entry.details["state"] for entry in ledger.entries()] == ["intended"]
    literal_service.status(404, b"{}", CLOSE)
    literal.undo()
    assert ledger.entries() == []


def test_device_that_no_row_named(literal: NrfCloudClient, literal_service: Service, ledger: Ledger) -> None:
    """When the service claims another device than a row asks for, that one is in the ledger."""
    other = PaperDevice(7)
    record = {"id": other.id, "status": "READY", "claimedAt": now()}
    literal_service.status(200, json.dumps({"claimedIds": [record], "failed": []}).encode(), CLOSE)

    literal.claim_many([PaperDevice().token()])

    assert [(entry.subject, entry.details["state"]) for entry in ledger.entries()] == [(other.id, "made")]


def test_core_device_from_intended_to_settled(
    make: Callable[..., NrfCloudClient], fake: Backend, ledger: Ledger
) -> None:
    """What is onboarded is in the ledger until it is deleted; rows that were refused are not."""
    client = make(fake)

    client.core.onboard([row(), row("bad id")])

    # Whether the others of a body count when one is refused is not known: it is to be found out.
    (entry,) = ledger.entries()
    assert (entry.kind, entry.subject, entry.details["state"]) == ("core-device", "device-1", "intended")
    client.core.device("device-1").delete()
    assert ledger.entries() == []
    client.core.onboard([row()])
    assert [entry.details["state"] for entry in ledger.entries()] == ["made"]
    client.undo()
    assert (ledger.entries(), client.core.devices()) == ([], [])


def test_core_device_of_a_dead_session_is_undone(
    make: Callable[..., NrfCloudClient], fake: Backend, ledger: Ledger
) -> None:
    """Another session with the same key deletes it; a second time it is gone already."""
    make(fake).core.onboard([row("left-behind")])
    (entry,) = ledger.entries()
    heir = make(fake, session="heir")

    assert heir.undo_entry(entry) == "deleted"
    assert heir.undo_entry(entry) == "never made, or gone already"
    assert heir.core.devices() == []


def test_update_job_of_a_dead_session_is_undone(
    make: Callable[..., NrfCloudClient], fake: Backend, ledger: Ledger
) -> None:
    """An update is taken back by the id that the service gave it."""
    dead = make(fake)
    dead.core.order_update(dead.core.firmwares()[0].id, tags=["red"])
    (entry,) = ledger.entries()
    heir = make(fake, session="heir")

    assert (entry.kind, heir.undo_entry(entry)) == ("update-job", "cancelled")
    assert heir.undo_entry(entry) == "gone already"


@pytest.mark.parametrize(
    ("noted", "shift", "deleted"),
    [
        ("intended", 0.5, True),
        ("intended", -3600, False),
        ("intended", 3600, False),
        ("intended", None, False),
        ("expected", 3600, True),
        ("expected", -3600, False),
    ],
)
def test_core_device_is_deleted_only_when_it_is_ours(
    literal: NrfCloudClient,
    literal_service: Service,
    ledger: Ledger,
    noted: str,
    shift: float | None,
    deleted: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """By its time: that of the call, or any since the device was expected; what was there before stays."""
    accounts = ledger.accounts(session="dead", worker="", backend="nrfcloud", mode="url", url="x")
    accounts.note("core-device", "d", state=noted, key=literal._claims.whose)
    (entry,) = ledger.entries()
    literal_service.status(200, onboarded("d", "" if shift is None else now(shift)), CLOSE)

    said = literal.undo_entry(entry)

    methods = [head.split(b" ")[0] for head, _body in literal_service.requests]
    assert methods == ([b"GET", b"DELETE"] if deleted else [b"GET"])
    assert said == "deleted" if deleted else "not by this call: left alone" in said


def test_entries_that_are_not_ours_to_undo(
    make: Callable[..., NrfCloudClient], fake: Backend, ledger: Ledger
) -> None:
    """Another key's device, and a job of which only the bundle is known, are refused with the reason."""
    client = make(fake)
    accounts = ledger.accounts(session="dead", worker="", backend="nrfcloud", mode="url", url=fake.url)
    accounts.note("core-device", "d", state="made", key="another")
    accounts.note("update-job", "bundle", state="intended", key=client._claims.whose)
    device, job = ledger.entries()

    with pytest.raises(UsageError, match="d was onboarded with another API key"):
        client.undo_entry(device)
    with pytest.raises(BackendFault, match="not known which update was ordered"):
        client.undo_entry(job)


def test_no_secret_of_rows_in_the_ledger(
    make: Callable[..., NrfCloudClient], fake: Backend, device: PaperDevice, state: Path
) -> None:
    """Neither tokens nor certificates are written."""
    token = device.token()
    client = make(fake)
    client.claim_many([token])
    client.core.onboard([row()])

    written = b"".join(file.read_bytes() for file in state.rglob("*") if file.is_file())

    assert device.id.encode() in written
    for secret in (*token.split("."), "BEGIN CERTIFICATE"):
        assert secret.encode() not in written
