"""The calls about systems, their instances and signer keys (guardian fact sheet, sections 10.1 and 10.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509

from tests.guardian.fake.rest_site import BASE, COMPONENT, Site, a_site
from tests.guardian.making import make_key, public_jwk_of, thumbprint_of

if TYPE_CHECKING:
    from collections.abc import Iterator

SYSTEMS = f"{BASE}/systems"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A fake with one organisation."""
    with a_site() as site:
        yield site


def definition(name: str, **changed: Any) -> dict[str, Any]:
    """Return the definition of a small system."""
    return {
        "name": name,
        "approval_type": "Manual",
        "components": [COMPONENT],
        "instances": [{"name": "Ward A"}],
        **changed,
    }


def test_made(site: Site) -> None:
    """A new system is answered whole: what was defined, and what was made for it; and so it is read again."""
    answer = site.ask("POST", SYSTEMS, json=definition("Made here", vault_timeout=0.3))
    assert (answer.status_code, answer.headers["location"]) == (201, f"{SYSTEMS}/Made%20here")
    made = answer.json()
    assert site.ask("GET", f"{SYSTEMS}/Made%20here").json() == made
    root, intermediate = (x509.load_pem_x509_certificate(pem.encode()) for pem in made.pop("trust"))
    intermediate.verify_directly_issued_by(root)
    signer = made.pop("profile_signer")
    assert (signer["jwk"]["kty"], "d" in signer["jwk"]) == ("EC", False)
    (instance,) = made.pop("instances")
    assert (instance["name"], len(instance["id"])) == ("Ward A", 36)
    assert len(made.pop("id")) == 36
    assert made == {
        "name": "Made here",
        "approval_type": "Manual",
        "provision_source": "Cloud",
        "complete_on_install": False,
        "vault_timeout": 0.3,
        "signer_keys": [],
        "components": [
            {
                **COMPONENT,
                "max_instances": None,
                "appliance_only": False,
                "duplicate_hw_id": "deny",
                "hw_id_pattern": None,
                "enabled": True,
            }
        ],
    }


def test_listed_by_name(site: Site) -> None:
    """The list has each system of the organisation, by name."""
    for name in ("Zeta", "Alpha"):
        assert site.ask("POST", SYSTEMS, json=definition(name)).status_code == 201
    listed = site.ask("GET", SYSTEMS).json()
    names = [item["name"] for item in listed["items"]]
    assert names == sorted(names)
    assert {"Zeta", "Alpha"} <= set(names)
    assert listed["total"] == len(names)


def test_name_is_taken(site: Site) -> None:
    """A name belongs to one system of the whole fake, for devices know their system by it."""
    site.users["stranger"] = site.organisation("other")["anna"]
    assert site.ask("POST", SYSTEMS, json=definition("Once")).status_code == 201
    for who in ("anna", "stranger"):
        answer = site.ask("POST", SYSTEMS, who, json=definition("Once"))
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:guardian:problem:name-taken")


def test_changed(site: Site) -> None:
    """A definition is changed key by key."""
    system = site.system()
    answer = site.ask("PATCH", f"{SYSTEMS}/{system.name}", json={"approval_type": "Automatic"})
    assert answer.status_code == 200
    changed = answer.json()
    assert changed["approval_type"] == "Automatic"
    assert changed["instances"] == system.definition["instances"]
    assert site.ask("GET", f"{SYSTEMS}/{system.name}").json() == changed


def test_deleted(site: Site) -> None:
    """A deleted system is gone with its rows, and its name is free; one in progress is not deleted."""
    system = site.system()
    hold = site.control(
        "POST", "/holds", json={"organisation": "acme", "system": system.name, "status": "verifying"}
    ).json()["id"]
    identifier = system.submit().json()["request_id"]
    path = f"{SYSTEMS}/{system.name}"
    assert site.ask("DELETE", path).status_code == 409
    site.control("DELETE", f"/holds/{hold}")
    site.until(identifier, "needs_approval")
    assert site.ask("DELETE", path).status_code == 204
    assert site.ask("GET", path).status_code == 404
    assert site.ask("DELETE", path).status_code == 404
    assert system.rows() == []
    assert site.ask("POST", SYSTEMS, json=definition(system.name)).status_code == 201


def test_instances(site: Site) -> None:
    """An instance is made with an id of its own, listed, and refused when its name is taken."""
    system = site.system()
    path = f"{SYSTEMS}/{system.name}/instances"
    made = site.ask("POST", path, json={"name": "Ward C"})
    assert made.status_code == 201
    listed = site.ask("GET", path).json()
    assert listed["items"] == [*system.definition["instances"], made.json()]
    assert listed["total"] == 3
    assert site.ask("POST", path, json={"name": "Ward C"}).status_code == 409


def test_signer_keys(site: Site) -> None:
    """A key is registered once, its state changes by POST and by PATCH, and only its public half is known."""
    system = site.system()
    path = f"{SYSTEMS}/{system.name}/signer-keys"
    key = make_key()
    kid = thumbprint_of(key)
    body = {"kid": kid, "jwk": public_jwk_of(key), "state": "pending"}
    made = site.ask("POST", path, json=body)
    assert (made.status_code, made.json()) == (201, body)
    again = site.ask("POST", path, json={**body, "state": "active"})
    assert (again.status_code, again.json()["state"]) == (200, "active")
    patched = site.ask("PATCH", f"{path}/{kid}", json={"state": "retired"})
    assert (patched.status_code, patched.json()) == (200, {**body, "state": "retired"})
    assert [item["state"] for item in site.ask("GET", path).json()["items"]] == ["active", "retired"]
    assert site.ask("PATCH", f"{path}/nothing", json={"state": "active"}).status_code == 404
    assert site.ask("PATCH", f"{path}/{kid}", json={"kid": "x", "state": "active"}).status_code == 422


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b'"x"', 400),
        (b"{", 400),
        (b'{"vault_timeout": NaN}', 400),
        (b"\xff", 400),
        (b"[" * 60_000, 400),
        (b"{}", 422),
        (b'{"name": 1}', 422),
        (b" " * (64 * 1024 + 1), 413),
    ],
)
def test_no_definition(site: Site, body: bytes, status: int) -> None:
    """What is no definition is refused with a problem, whatever it is instead."""
    answer = site.ask("POST", SYSTEMS, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


@pytest.mark.parametrize("kind", ["text/json", "application/x-www-form-urlencoded", ""])
def test_no_json(site: Site, kind: str) -> None:
    """Only JSON is taken, and it must be called so."""
    headers = {"Content-Type": kind} if kind else {}
    assert site.ask("POST", SYSTEMS, content=b"{}", headers=headers).status_code == 415


def test_unknown_system(site: Site) -> None:
    """What there is not is not found, by whatever call."""
    for method, tail in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("GET", "/instances"),
        ("POST", "/instances"),
        ("GET", "/signer-keys"),
        ("POST", "/signer-keys"),
        ("PATCH", "/signer-keys/x"),
    ):
        assert site.ask(method, f"{SYSTEMS}/nothing{tail}", json={}).status_code == 404
