"""Nearly right provisioning requests over HTTP: never a 500, never half a row, never a place that is taken.

Each round takes a good request of a device on paper and changes it in a few places: bytes, payload, what it
is said to be, who brings it. Whatever comes of it, a row is whole and comes to an end, and a good request
afterwards is provisioned.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import cbor2
import pytest

from tests.guardian.fake.rest_site import FINAL, REQUESTS, a_site
from tests.guardian.making import COSE_TYPE, JWS_TYPE, as_cbor, sign_cose, sign_jws

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from tests.guardian.fake.rest_site import Site, SiteSystem
    from tests.guardian.making import PaperDevice
    from tests.soak.support.rounds import Rounds

ROUNDS = 8_000
NO_REQUESTS = 20_000
FRESH_SYSTEM_EVERY = 50
STRANGE: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2**63,
    1.5,
    "",
    " ",
    "x" * 5000,
    "\x00",
    "é",
    "=1+1",
    "../..",
    [],
    [None],
    {},
    {"id": 1},
    {"id": "", "name": ""},
    "2026-11-21",
    "9999-12-31T23:59:59Z",
    "AAAA",
    "00000000-0000-0000-0000-000000000000",
    b"",
    b"\xff" * 16,
    [{"slot": "identity", "csr": "AAAA"}],
)
KINDS = (JWS_TYPE, COSE_TYPE, "application/octet-stream", "application/json", "text/plain", "")
WHO = ("anna", "liam", "rita", None, None, None, None)


@pytest.fixture
def site() -> Iterator[Site]:
    """A service in this process."""
    with a_site() as site:
        yield site


def sign(random: Random, device: PaperDevice, payload: dict[str, Any]) -> tuple[bytes, str]:
    """Sign a payload, whatever it is, in one of both forms."""
    chain = device.chain
    if random.random() < 0.5:
        try:
            content = cbor2.dumps(as_cbor(payload))
        except (TypeError, ValueError, KeyError, AttributeError):
            content = cbor2.dumps(payload)
        return sign_cose(content, device.signer, x5chain=chain), COSE_TYPE
    try:
        text = json.dumps(payload).encode()
    except TypeError:  # bytes are for CBOR
        text = json.dumps({name: repr(value) for name, value in payload.items()}).encode()
    return sign_jws(text, device.signer, x5c=chain), JWS_TYPE


def spoil_bytes(random: Random, content: bytes) -> bytes:
    """Change, drop or double some bytes."""
    data = bytearray(content)
    for _change in range(random.randint(1, 4)):
        at = random.randrange(len(data)) if data else 0
        how = random.randrange(4)
        if how == 0 and data:
            data[at] = random.randrange(256)
        elif how == 1:
            del data[at : at + random.randint(1, 40)]
        elif how == 2:
            data[at:at] = data[at : at + random.randint(1, 40)]
        else:
            del data[random.randrange(len(data) + 1) :]
    return bytes(data)


def nearly_right(random: Random, device: PaperDevice) -> tuple[bytes, str]:
    """Make a request that is not quite right, and say what it is said to be."""
    made = device.request(random.choice(("jws", "cose")))
    content, kind, payload = made.content, made.media_type, dict(made.payload)
    for _change in range(random.choice((0, 1, 1, 2, 3))):
        name = random.choice([*payload, "ver", "evidence", "previous"])
        if random.random() < 0.3:
            payload.pop(name, None)
        else:
            payload[name] = random.choice(STRANGE)
    if payload != made.payload:
        content, kind = sign(random, device, payload)
    if random.random() < 0.25:
        content = spoil_bytes(random, content)
    return content, kind if random.random() < 0.8 else random.choice(KINDS)


def submitted(site: Site, system: SiteSystem, random: Random, door: str) -> str:
    """Submit one, judge the answer and its row, and say what came of it."""
    content, kind = nearly_right(random, system.device())
    headers = {"Content-Type": kind} if kind else {}
    answer = site.ask("POST", REQUESTS, random.choice(WHO), content=content, headers=headers, door=door)
    assert answer.status_code in {200, 202, 400, 403, 404, 413, 415}, answer.text
    if answer.status_code >= 300:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"]
        return str(answer.status_code)
    row = site.until(answer.json()["request_id"], *FINAL, door=door)
    assert row["system_name"]
    assert (row["status"] == "error") == (row["error_code"] is not None)
    assert (row["status"] == "provisioned") == bool(row["response_id"])
    return str(row["error_code"] or row["status"])


def test_requests_that_are_nearly_right(rounds: Rounds, site: Site) -> None:
    """Every request is refused or comes to an end; lists stay whole, and a good one still succeeds."""
    now = site.system("Automatic")
    for number, random in enumerate(rounds.run(ROUNDS), 1):
        rounds.count(submitted(site, now, random, random.choice(("cloud", "cloud", "appliance"))))
        if number % FRESH_SYSTEM_EVERY == 0:
            identifier = now.submit().json()["request_id"]
            assert site.until(identifier, "provisioned")["status"] == "provisioned"
            assert len(now.rows(limit=500)) >= 1
            report = site.ask("GET", "/api/v1/reports/device-provisioning", params={"system": now.name})
            assert report.status_code == 200
            now = site.system("Automatic")


def test_bodies_that_are_no_requests(rounds: Rounds, site: Site) -> None:
    """Any bytes of any kind are refused with a problem, and make no row of ours."""
    system = site.system("Automatic")
    for random in rounds.run(NO_REQUESTS):
        content = random.randbytes(random.choice((0, 1, 2, 17, 300)))
        if random.random() < 0.3:
            content = b"\xd2\x84" + content
        elif random.random() < 0.3:
            part = base64.urlsafe_b64encode(content).decode()
            content = json.dumps({"payload": part, "protected": part, "signature": part}).encode()
        headers = {"Content-Type": random.choice(KINDS[:3])}
        answer = site.ask("POST", REQUESTS, random.choice(WHO), content=content, headers=headers)
        assert answer.status_code in {400, 403}, answer.text
        rounds.count(answer.json()["type"].rpartition(":")[2])
    assert system.rows() == []
