"""Trusted certificates: lists, filters, uploads, changes, deletion, limits (pelion fact sheet, section 4)."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.pelion.fake.pelion_site import Site, SiteAccount, a_site, fixed_clock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TRUSTED = "/v3/trusted-certificates"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A fake."""
    with a_site() as site:
        yield site


@pytest.fixture
def account(site: Site) -> SiteAccount:
    """An empty account."""
    return site.account()


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Two certificates of authorities, made by openssl: one for 30 days, one for 3000."""
    directory = tmp_path_factory.mktemp("authorities")
    return [authority(directory, name, days) for name, days in (("Short", 30), ("Long", 3000))]


def authority(directory: Path, name: str, days: int) -> str:
    """Return a certificate that openssl makes."""
    out = directory / f"{name}.pem"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subject = ["-subj", f"/O=Factory/CN={name} CA", "-days", str(days)]
    files = ["-keyout", str(directory / f"{name}.key"), "-out", str(out)]
    subprocess.run(
        ["openssl", "req", "-x509", *curve, *subject, *files], check=True, capture_output=True, timeout=30
    )
    return out.read_text()


def upload(account: SiteAccount, name: str, pem: str, **more: Any) -> dict[str, Any]:
    """Upload a certificate."""
    body = {"name": name, "certificate": pem, "service": "bootstrap", **more}
    answer = account.ask("POST", TRUSTED, json=body)
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


def names(account: SiteAccount, **query: Any) -> list[str]:
    """Return the names of the certificates that a query finds."""
    return [row["name"] for row in account.get(TRUSTED, params=query)["data"]]


def test_developer_certificate_is_a_trusted_one(account: SiteAccount) -> None:
    """It is listed with every field that a model requires, execution mode 1, service bootstrap, active."""
    made = account.certificate("board")
    row = account.get(f"{TRUSTED}/{made['id']}")
    assert account.get(TRUSTED)["data"] == [row]
    owner = account.record.users["owner"].id
    subject = f"CN={made['id']},OU={account.id},O=ARM Ltd,L=Cambridge,ST=Cambridgeshire,C=GB"
    expected = {
        "object": "trusted-cert",
        "id": made["id"],
        "account_id": account.id,
        "owner_id": owner,
        "name": "board",
        "description": "",
        "service": "bootstrap",
        "status": "ACTIVE",
        "certificate": made["developer_certificate"],
        "subject": subject,
        "issuer": subject,
        "enrollment_mode": False,
        "device_execution_mode": 1,
        "etag": made["etag"],
        "created_at": made["created_at"],
        "updated_at": made["created_at"],
    }
    assert {name: row.pop(name) for name in expected} == expected
    assert set(row) == {"validity"}
    years = int(row["validity"][:4]) - int(made["created_at"][:4])
    assert years == 10


def test_upload(account: SiteAccount, authorities: list[str]) -> None:
    """An own authority is listed with execution mode 0 and its subject; it is no developer certificate."""
    made = upload(account, "factory", authorities[0], service="lwm2m", description="ours", status="INACTIVE")
    assert made["device_execution_mode"] == 0
    assert made["subject"] == made["issuer"] == "CN=Short CA,O=Factory"
    assert (made["service"], made["status"], made["description"]) == ("lwm2m", "INACTIVE", "ours")
    assert made["certificate"].strip() == authorities[0].strip()
    assert account.get(f"{TRUSTED}/{made['id']}") == made
    assert account.ask("GET", f"/v3/developer-certificates/{made['id']}").status_code == 404


def test_filters(site: Site, authorities: list[str]) -> None:
    """Every filter of the list finds what it says, alone and together."""
    account = site.account()
    other = account.user("second")
    account.certificate("board")
    upload(other, "short", authorities[0], service="lwm2m", enrollment_mode=True)
    upload(account, "long", authorities[1])
    second = account.record.users["second"].id
    assert names(account) == ["board", "short", "long"]
    assert names(account, order="DESC") == ["long", "short", "board"]
    assert names(account, name__eq="short") == ["short"]
    assert names(account, name__eq="shor") == []
    assert names(account, service__eq="lwm2m") == ["short"]
    assert names(account, service__eq="bootstrap") == ["board", "long"]
    assert names(account, device_execution_mode__eq=1) == ["board"]
    assert names(account, device_execution_mode__neq=1) == ["short", "long"]
    assert names(account, owner__eq=second) == ["short"]
    assert names(account, enrollment_mode__eq="true") == ["short"]
    assert names(account, enrollment_mode__eq="False") == ["board", "long"]
    assert names(account, issuer__like="o=fact") == ["short", "long"]
    assert names(account, subject__like="long ca") == ["long"]
    assert names(account, expire__eq=31) == ["short"]
    assert names(account, expire__eq=3001) == ["short", "long"]
    assert names(account, service__eq="bootstrap", issuer__like="factory") == ["long"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("service__eq", "coffee"),
        ("device_execution_mode__eq", "one"),
        ("device_execution_mode__neq", "-"),
        ("enrollment_mode__eq", "maybe"),
        ("expire__eq", "soon"),
        ("expire__eq", "99999999999999"),
        ("limit", "1"),
        ("limit", "1001"),
        ("limit", "ten"),
        ("order", "UP"),
        ("after", "nothing"),
    ],
)
def test_filters_that_cannot_be(account: SiteAccount, name: str, value: str) -> None:
    """A value that cannot be is refused, and the error says which field."""
    answer = account.ask("GET", TRUSTED, params={name: value})
    assert answer.status_code == 400
    assert answer.json()["type"] == "validation_error"
    assert [field["name"] for field in answer.json()["fields"]] == [name]


def test_change(account: SiteAccount) -> None:
    """Name, description and status change, and nothing else; the developer's answer follows."""
    made = account.certificate("board")
    path = f"{TRUSTED}/{made['id']}"
    before = account.get(path)
    changed = account.ask("PUT", path, json={"name": "table", "description": "x", "status": "INACTIVE"})
    assert changed.status_code == 200
    after = changed.json()
    assert (after["name"], after["description"], after["status"]) == ("table", "x", "INACTIVE")
    moving = {"name", "description", "status", "updated_at", "etag"}
    assert {k: v for k, v in after.items() if k not in moving} == {
        k: v for k, v in before.items() if k not in moving
    }
    assert account.get(f"/v3/developer-certificates/{made['id']}")["name"] == "table"


def test_change_is_seen_by_its_tag() -> None:
    """Who changes a certificate changes its ``updated_at`` and ``etag``, and not when it was made."""
    clock, set_to = fixed_clock(1_800_000_000.0)
    with a_site(clock=clock) as site:
        account = site.account()
        path = f"{TRUSTED}/{account.certificate('board')['id']}"
        before = account.get(path)
        set_to(1_800_000_060.0)
        after = account.ask("PUT", path, json={"description": "x"}).json()

    assert (before["updated_at"], after["updated_at"]) == (
        "2027-01-15T08:00:00.000Z",
        "2027-01-15T08:01:00.000Z",
    )
    assert after["etag"] != before["etag"]
    assert after["created_at"] == before["created_at"] == before["updated_at"]


def test_inactive_is_trusted_no_more(account: SiteAccount) -> None:
    """Devices of a certificate that is inactive or deleted are strangers; of an active one they are known."""
    directory = account.site.fake.pelion.directory
    made = account.certificate("board")
    der = account.developer(made["id"]).der
    path = f"{TRUSTED}/{made['id']}"
    assert der in directory.trust_anchors()
    found = directory.developer_certificate(der)
    assert found is not None
    assert (found[0].id, found[1].id) == (account.id, made["id"])
    account.ask("PUT", path, json={"status": "INACTIVE"})
    assert der not in directory.trust_anchors()
    assert directory.developer_certificate(der) is None
    account.ask("PUT", path, json={"status": "ACTIVE"})
    assert der in directory.trust_anchors()
    assert account.ask("DELETE", path).status_code == 204
    assert der not in directory.trust_anchors()


def test_uploaded_authorities_are_no_anchors_of_developers(
    account: SiteAccount, authorities: list[str]
) -> None:
    """Only developer certificates let a device in whose certificate nobody else signed."""
    before = account.site.fake.pelion.directory.trust_anchors()
    upload(account, "factory", authorities[0])
    assert account.site.fake.pelion.directory.trust_anchors() == before


def test_change_that_cannot_be(account: SiteAccount) -> None:
    """A taken name is a duplicate; a developer certificate stays with its server; nothing changes."""
    account.certificate("first")
    made = account.certificate("second")
    path = f"{TRUSTED}/{made['id']}"
    before = account.get(path)
    taken = account.ask("PUT", path, json={"name": "first"})
    assert (taken.status_code, taken.json()["type"]) == (409, "duplicate")
    moved = account.ask("PUT", path, json={"service": "lwm2m", "description": "never"})
    assert (moved.status_code, moved.json()["fields"][0]["name"]) == (400, "service")
    assert account.ask("PUT", path, json={"status": "ASLEEP"}).status_code == 400
    assert account.get(path) == before
    assert account.ask("PUT", path, json={"name": "second", "service": "bootstrap"}).status_code == 200


def test_delete(account: SiteAccount) -> None:
    """204 also for a developer certificate; then it is nowhere, and its name is free again."""
    made = account.certificate("board")
    deleted = account.ask("DELETE", f"{TRUSTED}/{made['id']}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    for path in (TRUSTED, "/v3/developer-certificates"):
        assert account.ask("GET", f"{path}/{made['id']}").status_code == 404
    again = account.ask("DELETE", f"{TRUSTED}/{made['id']}")
    assert (again.status_code, again.json()["type"]) == (404, "not_found")
    assert account.certificate("board")["id"] != made["id"]


def test_name_is_unique_in_the_account(account: SiteAccount, authorities: list[str]) -> None:
    """A second one of a name is 409 duplicate, whichever kind it is; another account may have it."""
    account.certificate("board")
    body = {"name": "board", "certificate": authorities[0], "service": "lwm2m"}
    for path, again in (("/v3/developer-certificates", {"name": "board"}), (TRUSTED, body)):
        answer = account.ask("POST", path, json=again)
        assert (answer.status_code, answer.json()["type"]) == (409, "duplicate")
    assert names(account) == ["board"]
    account.site.account().certificate("board")


def test_same_certificate_twice(account: SiteAccount, authorities: list[str]) -> None:
    """The same certificate under another name is a duplicate, too."""
    upload(account, "factory", authorities[0])
    body = {"name": "other", "certificate": authorities[0], "service": "bootstrap"}
    assert account.ask("POST", TRUSTED, json=body).status_code == 409


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"name": 7}, "name"),
        ({"name": None}, "name"),
        ({"name": "a", "description": "x" * 501}, "description"),
        ({"name": "a", "description": []}, "description"),
    ],
)
def test_developer_certificates_that_cannot_be(
    account: SiteAccount, body: dict[str, Any], field: str
) -> None:
    """A name that is missing or too long is 400 with the field; nothing is made."""
    answer = account.ask("POST", "/v3/developer-certificates", json=body)
    assert answer.status_code == 400
    assert answer.json()["type"] == "validation_error"
    assert [each["name"] for each in answer.json()["fields"]] == [field]
    assert names(account) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"certificate": "no PEM"}, "certificate"),
        ({"certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}, "certificate"),
        ({"certificate": "\ud800"}, "certificate"),
        ({"description": "half of one: \ud83d"}, "description"),
        ({"service": "coffee"}, "service"),
        ({"status": "asleep"}, "status"),
        ({"enrollment_mode": "yes"}, "enrollment_mode"),
        ({"name": ""}, "name"),
    ],
)
def test_uploads_that_cannot_be(
    account: SiteAccount, authorities: list[str], change: dict[str, Any], field: str
) -> None:
    """What is no certificate is refused with the field; nothing is made."""
    body = {"name": "a", "certificate": authorities[0], "service": "bootstrap", **change}
    headers = {"Content-Type": "application/json"}
    answer = account.ask("POST", TRUSTED, content=json.dumps(body).encode(), headers=headers)
    assert answer.status_code == 400, answer.text
    assert [each["name"] for each in answer.json()["fields"]] == [field]
    assert names(account) == []


def test_longest_name_is_taken(account: SiteAccount) -> None:
    """A hundred characters are a name."""
    assert account.certificate("x" * 100)["name"] == "x" * 100


def test_ten_certificates_an_account(account: SiteAccount, authorities: list[str]) -> None:
    """The eleventh developer certificate is 403 account_limit_exceeded; a deleted one makes room."""
    upload(account, "factory", authorities[0])
    made = [account.certificate(f"board {number}") for number in range(10)]
    refused = account.ask("POST", "/v3/developer-certificates", json={"name": "one more"})
    assert (refused.status_code, refused.json()["type"]) == (403, "account_limit_exceeded")
    account.ask("DELETE", f"{TRUSTED}/{made[3]['id']}")
    account.certificate("one more")


def test_server_credentials(account: SiteAccount) -> None:
    """Both servers' addresses and authorities, one by one and together."""
    bootstrap = account.get("/v3/server-credentials/bootstrap")
    lwm2m = account.get("/v3/server-credentials/lwm2m")
    for document, port in ((bootstrap, 5684), (lwm2m, 5685)):
        assert document["object"] == "server-credentials"
        assert document["id"] == "0"
        assert document["server_uri"] == f"coaps://127.0.0.1:{port}?aid={account.id}"
        assert document["server_certificate"].startswith("-----BEGIN CERTIFICATE-----\n")
        assert set(document) == {"object", "id", "etag", "created_at", "server_uri", "server_certificate"}
    assert bootstrap["server_certificate"] != lwm2m["server_certificate"]
    assert account.get("/v3/server-credentials") == {
        "bootstrap": {"url": bootstrap["server_uri"], "certificate": bootstrap["server_certificate"]},
        "lwm2m": {"url": lwm2m["server_uri"], "certificate": lwm2m["server_certificate"]},
    }
