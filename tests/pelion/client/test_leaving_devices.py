"""Elsewhere than on a fake: devices that used a certificate which a test made go with it, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.backends.ledger import Entry
from harness.errors import BackendFault, UsageError
from tests.pelion.client.conftest import Desk, Paper, paper_client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.backends.contract import Change
    from harness_pelion.client import PelionClient

DEVICES, CERTIFICATES = "/v3/devices/", "/v3/trusted-certificates"
OURS, THEIRS = "c" * 32, "d" * 32


@pytest.fixture
def client(paper: Paper, desk: Desk) -> Iterator[PelionClient]:
    """A client that leaves alone what was not made here; it made a certificate, which has two devices."""
    made = {"id": OURS, "name": "run-dev", "certificate": "", "service": "bootstrap", "status": "ACTIVE"}
    paper.says("POST", CERTIFICATES, made, status=201)
    paper.says("DELETE", f"{CERTIFICATES}/{OURS}", status=204)
    paper.says("GET", DEVICES, {"data": [device("1", OURS), device("2", THEIRS), device("3", OURS)]})
    client = guarded(paper, desk)
    client.upload_certificate("run-dev", "PEM")
    yield client
    client.close()


def guarded(paper: Paper, desk: Desk) -> PelionClient:
    """Connect as to a service that is not ours."""

    def refuse(change: Change) -> None:
        connected.refuse_foreign(change)

    connected = paper_client(paper, desk, guarded=True, before=refuse)
    return connected


def device(device_id: str, certificate_id: str) -> dict[str, Any]:
    """What the directory says of a device."""
    return {"id": device_id, "state": "registered", "ca_id": certificate_id}


def deleted(paper: Paper) -> list[str]:
    """What the service was asked to delete, in order."""
    return [request.url.path for request in paper.asked if request.method == "DELETE"]


def says_deleted(paper: Paper, *numbers: str, status: int = 204) -> None:
    """Let devices be deleted."""
    for number in numbers:
        paper.says("DELETE", f"{DEVICES}{number}/", status=status)


def test_devices_go_with_their_certificate(client: PelionClient, paper: Paper, desk: Desk) -> None:
    """Behind the certificate, so that none comes meanwhile; by its id, even if the filter was ignored."""
    says_deleted(paper, "1", "3")

    client.undo()

    assert deleted(paper) == [f"{CERTIFICATES}/{OURS}", f"{DEVICES}1/", f"{DEVICES}3/"]
    listed = next(request for request in paper.asked if request.url.path == DEVICES)
    assert listed.url.params["filter"] == f"ca_id={OURS}"
    assert desk.book.settled == [1]


def test_devices_of_a_certificate_that_a_test_deleted(client: PelionClient, paper: Paper, desk: Desk) -> None:
    """A test that deletes a certificate leaves devices, which go at its end; till then the ledger has it."""
    says_deleted(paper, "1", "3")
    client.delete_certificate(OURS)
    assert desk.book.settled == []
    assert client.certificates_made == ()

    client.undo()

    assert deleted(paper) == [f"{CERTIFICATES}/{OURS}", f"{DEVICES}1/", f"{DEVICES}3/"]
    assert desk.book.settled == [1]


def test_device_that_is_gone_is_well_gone(client: PelionClient, paper: Paper, desk: Desk) -> None:
    """A test may have deleted one itself."""
    says_deleted(paper, "1", status=404)
    says_deleted(paper, "3")

    client.undo()

    assert desk.book.settled == [1]


def test_device_that_stays_is_told(client: PelionClient, paper: Paper, desk: Desk) -> None:
    """What cannot be deleted stays in the ledger, with its certificate."""
    says_deleted(paper, "1", status=500)

    with pytest.raises(BackendFault, match="DeleteDevice"):
        client.undo()

    assert desk.book.settled == []


def test_devices_of_a_dead_session(client: PelionClient, paper: Paper) -> None:
    """What a session left that died is found by the ledger's id of the certificate."""
    says_deleted(paper, "1", "3")
    client.forget()
    entry = Entry(
        number=7,
        session="run",
        worker="gw0",
        backend="pelion",
        mode="url",
        url="http://pelion.example",
        kind="certificate",
        subject="run-dev",
        noted=0.0,
        details={"id": OURS, "key": "k"},
    )

    assert client.undo_entry(entry) == "deleted"

    assert deleted(paper) == [f"{CERTIFICATES}/{OURS}", f"{DEVICES}1/", f"{DEVICES}3/"]


def test_only_own_devices_may_be_deleted(client: PelionClient, paper: Paper) -> None:
    """A device is ours when its certificate was made here; nobody else's is touched."""
    says_deleted(paper, "1")
    paper.says("GET", f"{DEVICES}1/", device("1", OURS))
    paper.says("GET", f"{DEVICES}2/", device("2", THEIRS))

    client.delete_device("1")
    with pytest.raises(UsageError, match=r"devices: .*never touched"):
        client.delete_device("2")

    assert deleted(paper) == [f"{DEVICES}1/"]
