"""The control socket: organisations, users, time, holds, faults of the door and of Vault, events."""

from __future__ import annotations

import calendar
from typing import TYPE_CHECKING, Any

import pytest

from harness_guardian.fakes import OwnVault
from harness_guardian.vault.call_log import VaultCall
from harness_guardian.vault.service import VaultService
from tests.guardian.fake.rest_site import REQUESTS, Site, a_site, fixed_clock

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = float(calendar.timegm((2026, 11, 21, 12, 0, 0)))


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A fake whose own clock stands still at noon."""
    with a_site(clock=fixed_clock(NOON)[0]) as site:
        yield site


def test_organisation(site: Site) -> None:
    """An organisation begins with five users; asked for again it is the same one with the same tokens."""
    made = site.control("POST", "/organisations", json={"name": "new"})
    assert made.status_code == 201
    users = made.json()["users"]
    assert [(user["name"], user["role"]) for user in users] == [
        ("anna", "Admin"),
        ("bert", "Admin"),
        ("rita", "Reporter"),
        ("liam", "Limited"),
        ("lena", "Limited"),
    ]
    assert len({user["token"] for user in users}) == 5
    assert all(user["token"].startswith("gdn_") for user in users)
    again = site.control("POST", "/organisations", json={"name": "new"})
    assert (again.status_code, again.json()) == (200, made.json())


def test_further_user(site: Site) -> None:
    """A further user works at once; the same again is the same, with another role a conflict."""
    path = "/organisations/acme/users"
    made = site.control("POST", path, json={"name": "otto", "role": "Reporter"})
    assert made.status_code == 201
    who = {"Authorization": f"Bearer {made.json()['token']}"}
    assert site.ask("GET", REQUESTS, who).status_code == 200
    again = site.control("POST", path, json={"name": "otto", "role": "Reporter"})
    assert (again.status_code, again.json()) == (200, made.json())
    assert site.control("POST", path, json={"name": "otto", "role": "Admin"}).status_code == 409


def test_clock(site: Site) -> None:
    """An organisation's clock is shifted, and no other's."""
    system = site.system()
    answer = site.control("PUT", "/organisations/acme/clock", json={"offset_seconds": 3600})
    assert answer.json() == {"offset_seconds": 3600, "now": "2026-11-21T13:00:00.000Z"}
    identifier = system.submit().json()["request_id"]
    assert site.row(identifier)["request_created_on"] == "2026-11-21T13:00:00.000Z"
    site.control("PUT", "/organisations/acme/clock", json={"offset_seconds": 0})
    assert site.control("DELETE", "/organisations/acme/orders").status_code == 204


def test_hold(site: Site) -> None:
    """A request that is held stays where it is until it is let go, and then goes on."""
    system = site.system()
    wanted = {"organisation": "acme", "system": system.name, "status": "verifying"}
    made = site.control("POST", "/holds", json=wanted)
    assert made.status_code == 201
    identifier = system.submit().json()["request_id"]
    tag = site.ask("GET", f"{REQUESTS}/{identifier}").headers["etag"]
    headers = {"Prefer": "wait=1", "If-None-Match": tag}
    assert site.ask("GET", f"{REQUESTS}/{identifier}", headers=headers).status_code == 304
    path = f"/holds/{made.json()['id']}"
    assert site.control("DELETE", path).status_code == 204
    site.until(identifier, "needs_approval")
    assert site.control("DELETE", path).status_code == 404


def test_dwell_and_the_end_of_a_test(site: Site) -> None:
    """All that was ordered ends with one call: dwell, holds, clock and faults."""
    system = site.system()
    site.control("PUT", "/organisations/acme/dwell", json={"seconds": 3000})
    wanted = {"organisation": "acme", "system": system.name, "status": "approving"}
    site.control("POST", "/holds", json=wanted)
    site.control("PUT", "/organisations/acme/clock", json={"offset_seconds": 60})
    fault = {"organisation": "acme", "status": 503, "times": 9}
    assert site.control("POST", "/service/faults", json=fault).status_code == 201
    assert site.control("DELETE", "/organisations/acme/orders").status_code == 204
    site.control("PUT", "/organisations/acme/dwell", json={"seconds": 0})
    identifier = system.waiting()
    site.ask("POST", f"{REQUESTS}/{identifier}/approve")
    assert site.until(identifier, "complete_provisioning")["approved_on"] == "2026-11-21T12:00:00.000Z"


def test_events(site: Site) -> None:
    """What happened is told, oldest first, with its time."""
    system = site.system()
    identifier = system.waiting("liam")
    items = site.control("GET", "/organisations/acme/events").json()["items"]
    assert all({"at", "kind"} <= set(item) for item in items)
    (submitted,) = (
        item for item in items if item["kind"] == "submitted" and item["request_id"] == identifier
    )
    assert (submitted["by"], submitted["door"]) == ("liam", "Cloud")


def test_rows_to_measure_with(site: Site) -> None:
    """Rows without requests are made for measurements of lists."""
    system = site.system()
    made = site.control("POST", "/organisations/acme/rows", json={"system": system.name, "count": 25})
    assert made.status_code == 201
    assert len(system.rows()) == 25


@pytest.mark.parametrize(
    ("status", "retry_after", "title"),
    [(429, 7, "Too many requests"), (503, None, "Not available now"), (500, 0, "Ordered by a test")],
)
def test_door_fault(site: Site, status: int, retry_after: int | None, title: str) -> None:
    """An ordered answer comes as often as ordered, to users and devices of the organisation alone."""
    stranger = site.organisation("other")["anna"]
    system = site.system()
    made = system.device().request()
    system.submit(made)
    fault = {"organisation": "acme", "status": status, "retry_after": retry_after, "times": 2}
    assert site.control("POST", "/service/faults", json=fault).status_code == 201
    assert site.ask("GET", REQUESTS, stranger).status_code == 200
    assert site.ask("GET", REQUESTS, None).status_code == 401
    for answer in (
        site.ask("GET", REQUESTS),
        site.ask("GET", f"{REQUESTS}/{made.request_id}", made.authorization),
    ):
        assert (answer.status_code, answer.json()["title"]) == (status, title)
        expected = None if retry_after is None else str(retry_after)
        assert answer.headers.get("retry-after") == expected
    assert site.ask("GET", REQUESTS).status_code == 200


def test_door_fault_is_taken_back(site: Site) -> None:
    """A fault that is taken back strikes nobody any more."""
    made = site.control("POST", "/service/faults", json={"organisation": "acme", "status": 503}).json()
    path = f"/service/faults/{made['id']}"
    assert site.control("DELETE", path).status_code == 204
    assert site.ask("GET", REQUESTS).status_code == 200
    assert site.control("DELETE", path).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/organisations", {}, 400),
        ("POST", "/organisations", {"name": ""}, 400),
        ("POST", "/organisations", {"name": "x", "more": 1}, 400),
        ("POST", "/organisations/acme/users", {"name": "x", "role": "King"}, 400),
        ("POST", "/organisations/nothing/users", {"name": "x", "role": "Admin"}, 404),
        ("PUT", "/organisations/acme/dwell", {"seconds": -1}, 400),
        ("PUT", "/organisations/nothing/dwell", {"seconds": 1}, 404),
        ("PUT", "/organisations/acme/clock", {"offset_seconds": 1e12}, 422),
        ("PUT", "/organisations/nothing/clock", {"offset_seconds": 1}, 404),
        ("GET", "/organisations/nothing/events", None, 404),
        ("DELETE", "/organisations/nothing/orders", None, 404),
        ("POST", "/organisations/acme/rows", {"system": "nothing", "count": 1}, 404),
        ("POST", "/holds", {"organisation": "acme", "system": "x", "status": "provisioned"}, 422),
        ("POST", "/holds", {"organisation": "acme", "system": "x", "status": "nothing"}, 400),
        ("POST", "/holds", {"organisation": "nothing", "system": "x", "status": "verifying"}, 404),
        ("POST", "/holds", {"organisation": "acme", "system": "x", "status": "verifying"}, 404),
        ("POST", "/service/faults", {"organisation": "acme", "status": 200}, 400),
        ("POST", "/service/faults", {"organisation": "nothing", "status": 503}, 404),
        ("GET", "/vault/log", None, 404),
        ("GET", "/nothing", None, 404),
    ],
)
def test_refused(site: Site, method: str, path: str, body: Any, status: int) -> None:
    """What cannot be ordered is refused; of a Vault that is not ours nothing can be."""
    answer = site.control(method, path, json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


# A Vault of ours ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def vault() -> VaultService:
    """The Vault that goes with the fake."""
    return VaultService("hvs.of-a-test")


@pytest.fixture(scope="module")
def own(vault: VaultService) -> Iterator[Site]:
    """A fake whose control socket controls that Vault; its systems live in another one, so it is idle."""
    with a_site(own_vault=OwnVault(vault)) as site:
        yield site


FAULT: dict[str, Any] = {"organisation": "acme", "call": "sign", "kind": "status", "status": 503, "times": 2}


def test_vault_fault(own: Site, vault: VaultService) -> None:
    """A fault is ordered, meant for one system or for all of an organisation's, and taken back."""
    system = own.system()
    vault_id = system.definition["id"].replace("-", "")
    for wanted in ({"system": system.name}, {}):
        made = own.control("POST", "/vault/faults", json={**FAULT, **wanted})
        assert made.status_code == 201, made.text
        assert vault.faults.strike(VaultCall.SIGN, vault_id, None) is not None
        assert vault.faults.strike(VaultCall.SIGN, "0" * 32, None) is None
        path = f"/vault/faults/{made.json()['id']}"
        assert own.control("DELETE", path).status_code == 204
        assert own.control("DELETE", path).status_code == 404
        assert vault.faults.strike(VaultCall.SIGN, vault_id, None) is None


def test_vault_faults_end_with_the_test(own: Site, vault: VaultService) -> None:
    """The end of a test ends its faults of Vault."""
    assert own.control("POST", "/vault/faults", json=FAULT).status_code == 201
    assert vault.faults.ordered()
    assert own.control("DELETE", "/organisations/acme/orders").status_code == 204
    assert vault.faults.ordered() == []


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"call": "nothing"}, 400),
        ({"kind": "nothing"}, 400),
        ({"call": "read-certificate", "kind": "wrong-key"}, 400),
        ({"status": 200}, 400),
        ({"seconds": -1}, 400),
        ({"times": 0}, 400),
        ({"system": "nothing"}, 404),
        ({"organisation": "nothing"}, 404),
    ],
)
def test_no_vault_fault(own: Site, wanted: dict[str, Any], status: int) -> None:
    """A fault that makes no sense is refused."""
    assert own.control("POST", "/vault/faults", json={**FAULT, **wanted}).status_code == status


def test_vault_log_and_certificates(own: Site) -> None:
    """The log is that of a system; a certificate that Vault does not have is not found."""
    system = own.system()
    answer = own.control("GET", "/vault/log", params={"system": system.name})
    assert (answer.status_code, answer.json()) == (200, {"items": []})
    about = {"system": system.name}
    for method, path in (
        ("DELETE", "/vault/certificates/00:11"),
        ("POST", "/vault/certificates/00%3A11/revoke"),
    ):
        assert own.control(method, path, params=about).status_code == 404
        assert own.control(method, path).status_code == 400
        assert own.control(method, path, params={"system": "nothing"}).status_code == 404
