"""Claims are in the ledger before the service hears of them, and nothing secret is."""

from __future__ import annotations

import base64
import hashlib
import signal
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from harness.backends.contract import Backend
from harness.backends.ledger import Ledger
from harness.errors import RequestRefused, RigFault
from harness_nordic import client_claims
from tests.nordic.claims.answers import claimed_answer
from tests.nordic.claims.conftest import KEY
from tests.nordic.paper_device import PaperDevice

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness_nordic.client import NrfCloudClient
    from tests.nordic.conftest import Service

CLAIM_AND_WAIT = """
import sys
from harness.backends.contract import Backend, BackendSession
from harness.backends.ledger import Ledger
from harness_nordic.client import connect
url, token = sys.argv[1:]
accounts = Ledger().accounts(session="run", worker="gw0", backend="nrfcloud", mode="url", url=url)
session = BackendSession(run_id="run", worker="gw0", accounts=accounts)
connect(Backend(name="nrfcloud", mode="url", url=url), session).claim(token)
"""
NOTED_AFTER_THE_CALL = """
from harness_nordic import client_claims

def post(self, operation, body, **content):
    response = self._http.send("POST", client_claims.DEVICES, operation=operation, json=body, **content)
    self._finish(self._begin(client_claims.device_uuid_of(body["claimToken"])), response)
    return response

client_claims.Claims.post = post
"""


def states_at_the_service(service: Service, program: str, token: str) -> list[str]:
    """Have a process claim, and kill it while its request is at the service.

    :return: the states of claims in the ledger, as they were at that moment and still are.
    """
    service.hold.clear()
    claiming = subprocess.Popen([sys.executable, "-c", program, service.url, token])
    try:
        service.wait_requests(1)
        with Ledger() as ledger:
            seen = [entry.details["state"] for entry in ledger.entries()]
        claiming.send_signal(signal.SIGKILL)
        claiming.wait(10)
        with Ledger() as ledger:
            assert [entry.details["state"] for entry in ledger.entries()] == seen, "death changes nothing"
    finally:
        claiming.kill()
        claiming.wait(10)
        service.hold.set()
    assert service.requests[0][0].startswith(b"POST /v1/claimed-devices HTTP/1.1")
    return seen


def test_noted_before_the_service_hears_of_it(literal_service: Service) -> None:
    """When the request is at the service, the claim is in the ledger; it stays when the client is killed."""
    token = PaperDevice().token()

    assert states_at_the_service(literal_service, CLAIM_AND_WAIT, token) == ["intended"]


def test_noting_after_the_call_is_noticed(literal_service: Service) -> None:
    """The test above would notice a ledger that is written after the call."""
    program = NOTED_AFTER_THE_CALL + CLAIM_AND_WAIT

    assert states_at_the_service(literal_service, program, PaperDevice().token()) == []


def test_nothing_is_sent_that_cannot_be_noted(
    make: Callable[..., NrfCloudClient], literal_service: Service, ledger: Ledger
) -> None:
    """Without a ledger there is no claim."""
    client = make(Backend(name="nrfcloud", mode="url", url=literal_service.url))
    ledger.close()

    with pytest.raises(RigFault, match="ledger"):
        client.claim(PaperDevice().token())
    with pytest.raises(RigFault, match="ledger"):
        client.raw.request("POST", "/v1/claimed-devices", json={"claimToken": PaperDevice().token()})

    assert literal_service.requests == []


def test_claim_from_intended_to_settled(
    make: Callable[..., NrfCloudClient], fake: Backend, device: PaperDevice, ledger: Ledger
) -> None:
    """A claim is in the ledger with the time that the service gave it, until it is unclaimed."""
    client = make(fake)

    claimed = client.claim(device.token())

    (entry,) = ledger.entries()
    assert (entry.kind, entry.subject, entry.session, entry.url) == ("claim", device.id, "run", fake.url)
    assert entry.details["state"] == "made"
    assert entry.details["claimedAt"] == claimed.claimed_at
    claimed.unclaim()
    assert ledger.entries() == []


def test_undone_and_refused_claims_are_settled(
    make: Callable[..., NrfCloudClient], fake: Backend, device: PaperDevice, ledger: Ledger
) -> None:
    """What the service refuses is struck out at once, the claim that it would have doubled is not."""
    client = make(fake)
    client.claim(device.token())
    for token in (device.token(), "no token", PaperDevice(99_999).token()):
        with pytest.raises(RequestRefused):
            client.claim(token)

    assert [entry.details["state"] for entry in ledger.entries()] == ["made"]

    client.undo()

    assert ledger.entries() == []
    assert client.devices() == []


def test_claims_by_hand_are_noted_too(
    make: Callable[..., NrfCloudClient], fake: Backend, device: PaperDevice, ledger: Ledger
) -> None:
    """A claim by a hand-made request is undone like any other; a dry run or somebody else's is not noted."""
    client = make(fake)
    body = {"claimToken": device.token()}
    path = "/v1/claimed-devices"
    client.raw.request("POST", path, params={"dryrun": "true"}, json=body)
    client.raw.request("POST", path, headers={"authorization": "Bearer nobody's"}, json=body)
    client.raw.request("POST", path, content=b"no JSON")
    client.raw.request("POST", path, json=["no object"])
    client.raw.request("POST", path, json={"claimToken": 1})
    assert ledger.entries() == []

    assert client.raw.request("POST", path, json=body).status_code == 201

    assert [entry.subject for entry in ledger.entries()] == [device.id]
    client.undo()
    assert ledger.entries() == []
    assert client.devices() == []


def test_other_device_than_the_token_says(
    make: Callable[..., NrfCloudClient], literal_service: Service, ledger: Ledger
) -> None:
    """When the service claims another device than was asked for, that one is in the ledger."""
    other = PaperDevice(7)
    literal_service.status(201, claimed_answer(other, "2024-06-01T10:00:00.000Z"))

    make(Backend(name="nrfcloud", mode="url", url=literal_service.url)).claim(PaperDevice().token())

    (entry,) = ledger.entries()
    assert (entry.subject, entry.details["claimedAt"]) == (other.id, "2024-06-01T10:00:00.000Z")


def test_no_secret_in_the_ledger(
    make: Callable[..., NrfCloudClient], fake: Backend, device: PaperDevice, state: Path
) -> None:
    """Neither the API key nor a token is in any file of the ledger, in no encoding and as no plain digest."""
    token = device.token()
    make(fake).claim(token)
    data = b"".join(file.read_bytes() for file in state.rglob("*") if file.is_file())

    assert device.id.encode() in data, "the files that were read are those of the ledger"
    for secret in (KEY, token, token.partition(".")[0]):
        raw = secret.encode()
        shifted = [base64.b64encode(raw[offset:])[4:-4] for offset in range(3)]
        digests = [hashlib.new(name, raw).hexdigest().encode()[:16] for name in ("md5", "sha1", "sha256")]
        forms = [raw, raw[::-1], raw.hex().encode(), quote(secret).encode(), *shifted, *digests]
        assert [form for form in forms if form in data] == []
    assert bytes.fromhex(KEY) not in data
    assert client_claims.fingerprint(KEY) != client_claims.fingerprint(KEY[:-1] + "8")
