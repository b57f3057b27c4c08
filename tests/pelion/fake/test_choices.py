"""What nobody knows: each choice has another side, and the contrarian fake decides so."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import harness_pelion.fake
from harness_pelion.fake.choices import CONTRARIAN, FAKE
from tests.pelion.fake.pelion_site import Site, SiteAccount, a_site

if TYPE_CHECKING:
    from collections.abc import Iterator

TRUSTED = "/v3/trusted-certificates"
CREATE = "/v3/developer-certificates"
NAMES = [field.name for field in fields(FAKE)]


@pytest.fixture(scope="module")
def contrarian() -> Iterator[Site]:
    """A fake that decides everything the other way."""
    with a_site(choices=CONTRARIAN) as site:
        yield site


@pytest.fixture
def account(contrarian: Site) -> SiteAccount:
    """An empty account there."""
    return contrarian.account()


@pytest.mark.parametrize("name", NAMES)
def test_every_choice_has_another_side(name: str) -> None:
    """Nothing is decided alike by both fakes: else a suite could lean on it unnoticed."""
    assert getattr(FAKE, name) != getattr(CONTRARIAN, name)


@pytest.mark.parametrize("name", NAMES)
def test_every_choice_is_described_and_used(name: str) -> None:
    """Each is explained where it is listed, and something in the fake asks for it."""
    assert f":ivar {name}:" in (type(FAKE).__doc__ or "")
    rooms = Path(next(iter(harness_pelion.fake.__path__))).glob("*.py")
    assert any(re.search(rf"choices\.{name}\b", room.read_text()) for room in rooms)


def test_what_is_known_stays(account: SiteAccount) -> None:
    """201, Conflict's 409, 404, 204 and the C file's variables are no choices."""
    made = account.certificate("board")
    assert made["security_file_content"].count("const ") == 15
    assert account.ask("POST", CREATE, json={"name": "board"}).status_code == 409
    assert account.ask("GET", f"{TRUSTED}/{'0' * 32}").status_code == 404
    row = account.get(f"{TRUSTED}/{made['id']}")
    required = {"id", "name", "service", "certificate", "issuer", "subject", "validity", "account_id"}
    assert required | {"etag", "object", "device_execution_mode"} <= set(row)
    assert account.ask("DELETE", f"{TRUSTED}/{made['id']}").status_code == 204


def test_refusals(contrarian: Site, account: SiteAccount) -> None:
    """Types and texts of errors that nobody knows are others; only the statuses of section 4 stay."""
    nobody = contrarian.ask("GET", "/v3/accounts/me")
    stranger = contrarian.ask("GET", "/v3/accounts/me", headers={"Authorization": "Bearer ak_1x"})
    for answer in (nobody, stranger):
        assert (answer.status_code, answer.json()["type"]) == (401, "invalid_auth")
        assert answer.json()["message"] == "Unauthorized"
    account.fault(kind="status", status=499)
    unlisted = account.ask("GET", "/v3/accounts/me")
    assert (unlisted.status_code, unlisted.json()["message"]) == (499, "")
    nameless = account.ask("POST", CREATE, json={})
    assert (nameless.status_code, nameless.json()["type"]) == (400, "bad_request")
    assert "fields" not in nameless.json()
    account.control("POST", "/limits", json={"certificates": 0})
    full = account.ask("POST", CREATE, json={"name": "board"})
    assert (full.status_code, full.json()["type"]) == (400, "account_limit_exceeded")


def test_spellings(account: SiteAccount) -> None:
    """Only documented spellings are there: devices with the slash, certificates without."""
    statuses = {
        path: account.ask("GET", path).status_code
        for path in ("/v3/devices/", "/v3/devices", TRUSTED, f"{TRUSTED}/")
    }
    assert statuses == {"/v3/devices/": 200, "/v3/devices": 404, TRUSTED: 200, f"{TRUSTED}/": 404}


def test_lists(account: SiteAccount) -> None:
    """Sizes are clamped, unknown filters and places passed over, and all are counted unasked."""
    account.device(account.certificate()["id"])
    page = account.get("/v3/devices/", params={"limit": 5000, "filter": "coffee=1"})
    assert (page["limit"], page["total_count"], len(page["data"])) == (1000, 1, 1)
    assert account.get("/v3/devices/", params={"limit": 0})["limit"] == 2
    assert account.get("/v3/devices/", params={"after": "x"})["data"] == []


def test_answers(account: SiteAccount) -> None:
    """Fields without a value are left out, keys are told again, limits not; URIs are without the account."""
    made = account.certificate()
    assert "description" not in made
    assert made["developer_private_key"].startswith("-----BEGIN EC PRIVATE KEY-----\n")
    assert f"?aid={account.id}" in made["security_file_content"]
    assert account.get("/v3/api-keys/me")["key"] == account.key
    assert "limits" not in account.get("/v3/accounts/me", params={"include": "limits"})
    uri = account.get("/v3/server-credentials/bootstrap")["server_uri"]
    assert uri == "coaps://127.0.0.1:5684"


def test_certificates(account: SiteAccount) -> None:
    """Longer names, own authorities that count, no private extension, and everybody manages keys."""
    made = account.certificate("x" * 128)
    assert account.ask("POST", CREATE, json={"name": "x" * 129}).status_code == 400
    assert b"\x2b\x06\x01\x04\x01\xa0\x20\x81\x49" not in account.developer(made["id"]).der
    account.control("POST", "/limits", json={"certificates": 1})
    issuing = account.site.fake.pelion.issuing
    body = {"name": "own", "certificate": issuing.lwm2m.pem, "service": "lwm2m"}
    assert account.ask("POST", TRUSTED, json=body).json()["type"] == "account_limit_exceeded"
    developer = account.user("dev", "developers")
    assert developer.ask("POST", "/v3/api-keys", json={"name": "x"}).status_code == 201


def test_devices(account: SiteAccount) -> None:
    """A device is called by its own id, moves with its certificate, and counts when it is deleted."""
    directory = account.site.fake.pelion.directory
    one, two = (account.certificate(name)["id"] for name in ("one", "two"))
    device = account.device(one)
    entry = account.get(f"/v3/devices/{device.id}/")
    assert entry["endpoint_name"] == device.id
    assert "vendor_id" not in entry
    directory.registered(device.id, lifetime=60)
    directory.updated(device.id)
    account.device(one, device.id)
    assert device.state == "registered"
    assert directory.own_device(account.record, account.developer(two), device.id) is device
    account.device(two, device.id)
    assert account.get(f"/v3/devices/{device.id}/")["ca_id"] == two
    types = [event["event_type"] for event in account.get("/v3/device-events/")["data"]]
    assert all(kind.isdigit() for kind in types)
    assert len(types) == 6
    account.control("POST", "/limits", json={"devices_per_certificate": 2})
    account.ask("DELETE", f"/v3/devices/{device.id}/")
    account.device(two)
    with pytest.raises(Exception, match="used by 2 devices"):
        account.device(two)
