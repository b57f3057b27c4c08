"""Systems: noted before they are made, deleted with the test, and nobody else's ever touched."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwcrypto import jwk  # type: ignore[import-untyped]  # it has no types

from harness.backends.ledger import Entry, Ledger
from harness.errors import BackendFault, BackendUnreachable, RequestRefused, UsageError
from harness_guardian.client import connect
from harness_guardian.client_definitions import CertificateSlot, ComponentDefinition
from harness_guardian.enums import ApprovalType, DuplicatePolicy, KeyType, ProvisionSource, SignerKeyState
from tests.guardian.client import answers
from tests.guardian.client.answers import ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.backends.contract import Change
    from harness_guardian.client import GuardianClient
    from tests.guardian.client.conftest import Stage

SYSTEMS = "/api/v1/systems"
SYSTEM = "/api/v1/systems/[^/]+"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger of its own."""
    with Ledger(tmp_path) as opened:
        yield opened


@pytest.fixture
def keeping(stage: Stage, ledger: Ledger) -> Iterator[GuardianClient]:
    """A client whose accounts are kept."""
    session = stage.session()
    session.accounts = ledger.accounts(
        session="run1", worker="gw0", backend="guardian", mode="fake", url=stage.backend.url
    )
    client = connect(stage.backend, session)
    yield client
    client.close()


def _entry(**changes: Any) -> Entry:
    values: dict[str, Any] = {
        "number": 1,
        "session": "run0",
        "worker": "gw0",
        "backend": "guardian",
        "mode": "fake",
        "url": "",
        "kind": "system",
        "subject": "run0-system-beef",
        "noted": 0.0,
        "details": {"organisation": "run1-gw0"},
    }
    return Entry(**{**values, **changes})


def test_definition_as_sent(guardian: GuardianClient, stage: Stage) -> None:
    """Every setting has the name that the API has for it (fact sheet, section 10.1)."""
    stage.system()
    component = ComponentDefinition(
        name="pump",
        certificates=(CertificateSlot(slot="identity", key=KeyType.P384, pki_role="id", ttl="24h"),),
        max_instances=2,
        appliance_only=True,
        duplicate_hw_id=DuplicatePolicy.ALLOW,
        hw_id_pattern="SN-.*",
        enabled=False,
    )

    guardian.create_system(
        approval=ApprovalType.MANUAL,
        source=ProvisionSource.APPLIANCE,
        components=[component],
        instances=("A", "B"),
        complete_on_install=True,
        vault_timeout=0.3,
    )

    sent = stage.cloud.requests("POST", SYSTEMS)[0].json
    assert sent.pop("name").startswith("run1-system-")
    slot = {"slot": "identity", "pki_role": "id", "ttl": "24h", "key": "P-384", "eku": ["clientAuth"]}
    assert sent == {
        "approval_type": "Manual",
        "provision_source": "Appliance",
        "complete_on_install": True,
        "vault_timeout": 0.3,
        "instances": [{"name": "A"}, {"name": "B"}],
        "components": [
            {
                "name": "pump",
                "max_instances": 2,
                "appliance_only": True,
                "duplicate_hw_id": "allow",
                "hw_id_pattern": "SN-.*",
                "enabled": False,
                "certificates": [slot],
            }
        ],
    }


def test_package(guardian: GuardianClient, stage: Stage) -> None:
    """Its key is the one that was registered, by another library's word; its secret half is kept secret."""
    stage.system()
    system = guardian.create_system()

    package = json.loads(system.package())

    registered = stage.cloud.requests("POST", f"{SYSTEM}/signer-keys")[0].json
    key = jwk.JWK.from_pem(package["signer"]["private_key_pem"].encode())
    assert registered == {
        "kid": key.thumbprint(),
        "jwk": {name: json.loads(key.export_public())[name] for name in ("crv", "kty", "x", "y")},
        "state": "active",
    }
    assert package["signer"]["kid"] == registered["kid"]
    assert stage.secrets[package["signer"]["private_key_pem"]] == "package key"
    assert load_pem_private_key(package["signer"]["private_key_pem"].encode(), None).key_size == 256  # type: ignore[union-attr]
    assert {name: package[name] for name in ("version", "system", "instance", "profile_signer")} == {
        "version": 1,
        "system": "run1-system-cafe",
        "instance": {"id": "11111111-2222-4333-8444-555555555555", "name": "Ward A"},
        "profile_signer": {"kid": "profile-kid", "jwk": answers.PROFILE_JWK},
    }
    assert package["root_pem"] == system.root_pem == "ROOT"
    assert system.intermediate_pem == "INTERMEDIATE"
    assert package["components"] == {"pump": [{"slot": "identity", "key": "P-256"}]}


def test_thumbprint_of_the_standard(guardian: GuardianClient) -> None:
    """RFC 7638, section 3: members in order, no blanks, SHA-256."""
    key = guardian.make_key()

    text = f'{{"crv":"P-256","kty":"EC","x":"{key.jwk["x"]}","y":"{key.jwk["y"]}"}}'
    digest = hashlib.sha256(text.encode()).digest()
    assert key.kid == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def test_key_is_not_shown(guardian: GuardianClient) -> None:
    """What is secret is in no text of a key."""
    key = guardian.make_key()

    assert "PRIVATE" in key.private_key_pem
    assert "PRIVATE" not in repr(key)


def test_handle(guardian: GuardianClient, stage: Stage) -> None:
    """What is changed through a handle is in it afterwards."""
    stage.system()
    system = guardian.create_system()
    instance = {"id": "22222222-2222-4333-8444-555555555555", "name": "Ward B"}
    stage.cloud.says("POST", f"{SYSTEM}/instances", 201, instance)
    stage.cloud.says("PATCH", SYSTEM, 200, answers.system(approval_type="Manual"))

    assert system.add_instance("Ward B").name == "Ward B"
    assert system.change(approval_type="Manual").approval_type is ApprovalType.MANUAL
    assert system.definition.approval_type is ApprovalType.MANUAL
    assert system.id == "0b6f0a3e5c6d4b7f9a1e2d3c4b5a6978"
    key = system.signer_key(SignerKeyState.PENDING)
    assert stage.cloud.requests("POST", f"{SYSTEM}/signer-keys")[-1].json["kid"] == key.kid
    assert guardian.systems_made == (system,)


def test_noted_before_it_is_made(keeping: GuardianClient, stage: Stage, ledger: Ledger) -> None:
    """A system whose answer nobody saw is in the ledger all the same."""
    stage.cloud.says("POST", SYSTEMS, None)

    with pytest.raises(BackendUnreachable):
        keeping.create_system()

    (entry,) = ledger.entries()
    assert (entry.kind, entry.details) == ("system", {"organisation": "run1-gw0"})
    assert entry.subject.startswith("run1-system-")


def test_refused_is_not_there(keeping: GuardianClient, stage: Stage, ledger: Ledger) -> None:
    """What was refused was not made."""
    stage.cloud.says("POST", SYSTEMS, 422, answers.problem("not-valid", 422, "no"))

    with pytest.raises(RequestRefused):
        keeping.create_system()

    assert ledger.entries() == []
    assert keeping.systems_made == ()


def test_failure_of_the_service_proves_nothing(keeping: GuardianClient, stage: Stage, ledger: Ledger) -> None:
    """A system may be there whose making was answered with a server's error: it is noted, and deleted."""
    stage.cloud.says("POST", SYSTEMS, 502, answers.problem("bad-gateway", 502, "no"))
    stage.cloud.says("DELETE", SYSTEM, 204)

    with pytest.raises(RequestRefused):
        keeping.create_system()
    (entry,) = ledger.entries()
    keeping.undo()

    (deleted,) = stage.cloud.requests("DELETE", SYSTEM)
    assert deleted.path.endswith(f"/{entry.subject}")
    assert ledger.entries() == []


def test_deleted_with_the_test(keeping: GuardianClient, stage: Stage, ledger: Ledger) -> None:
    """Orders first, then systems, newest first; the ledger is clean."""
    stage.system()
    stage.control.says("PUT", "/organisations/run1-gw0/dwell", 204)
    names = [keeping.create_system() for _time in range(2)]
    keeping.dwell(0)
    made = [asked.json["name"] for asked in stage.cloud.requests("POST", SYSTEMS)]

    keeping.undo()

    deleted = [asked.path.rpartition("/")[2] for asked in stage.cloud.requests("DELETE", SYSTEM)]
    assert deleted == made[::-1]
    assert len(names) == len(made) == 2
    assert ledger.entries() == []
    assert len(stage.control.requests("DELETE", "/organisations/run1-gw0/orders")) == 2
    keeping.undo()
    assert len(stage.cloud.requests("DELETE", SYSTEM)) == 2


def test_forgotten(keeping: GuardianClient, stage: Stage, ledger: Ledger) -> None:
    """With ``--keep`` everything stays, also in the ledger."""
    stage.system()
    keeping.create_system()

    keeping.forget()
    keeping.undo()

    assert stage.cloud.requests("DELETE", SYSTEM) == []
    assert len(ledger.entries()) == 1


def test_deleted_by_hand(keeping: GuardianClient, stage: Stage, ledger: Ledger) -> None:
    """What a test deletes itself is not deleted once more."""
    stage.system()
    system = keeping.create_system()
    keeping._systems._made[0].name = system.name  # the stage gives all systems one name

    keeping.delete_system(system)
    keeping.undo()

    assert len(stage.cloud.requests("DELETE", SYSTEM)) == 1
    assert ledger.entries() == []


def test_waits_for_what_is_under_way(keeping: GuardianClient, stage: Stage) -> None:
    """A system whose request the service works at is deleted when that has ended."""
    stage.cloud.says("POST", SYSTEMS, 201, answers.system())
    stage.cloud.says("POST", f"{SYSTEM}/signer-keys", 201, answers.SIGNER_KEY)
    stage.cloud.says("GET", SYSTEM, 200, answers.system())
    stage.cloud.says("DELETE", SYSTEM, 409, answers.problem("in-progress", 409, "busy"))
    stage.cloud.says("DELETE", SYSTEM, 204)
    rows = {"items": [answers.row()], "total": 1, "next": None}
    stage.cloud.says("GET", "/api/v1/provisioning-requests", 200, rows)
    stage.cloud.says("GET", f"/api/v1/provisioning-requests/{ID}", 200, answers.provisioned())
    keeping.create_system()

    keeping.undo()

    assert len(stage.cloud.requests("DELETE", SYSTEM)) == 2
    assert len(stage.cloud.requests("GET", f"/api/v1/provisioning-requests/{ID}")) == 1


def test_does_not_end(keeping: GuardianClient, stage: Stage, ledger: Ledger, monkeypatch: Any) -> None:
    """A system that cannot be deleted is told, and stays in the ledger; the rest is undone."""
    monkeypatch.setattr("harness_guardian.client_systems.UNDO_SECONDS", 0.05)
    stage.system()
    stage.cloud.says("GET", "/api/v1/provisioning-requests", 200, {"items": [], "total": 0, "next": None})
    keeping.create_system()
    keeping.create_system()
    stage.cloud.says("DELETE", SYSTEM, 409, answers.problem("in-progress", 409, "busy"))

    with pytest.raises(BackendFault, match="cannot be deleted: one of its requests does not end"):
        keeping.undo()

    assert len(ledger.entries()) >= 1


@pytest.mark.parametrize("details", [{"organisation": "run1-gw0"}, {}])
def test_entry_of_a_dead_worker(guardian: GuardianClient, stage: Stage, details: dict[str, str]) -> None:
    """What a dead session made is deleted by the organisation that made it."""
    stage.system()

    assert guardian.undo_entry(_entry(details=details)) == "deleted"

    (asked,) = stage.cloud.requests("DELETE", SYSTEM)
    assert asked.path == "/api/v1/systems/run0-system-beef"


@pytest.mark.parametrize("status", [403, 404])
def test_entry_that_is_gone(guardian: GuardianClient, stage: Stage, status: int) -> None:
    """What is not there any more is well gone."""
    stage.cloud.says("DELETE", SYSTEM, status)
    stage.cloud.says("GET", SYSTEM, status)

    assert guardian.undo_entry(_entry()) == "gone already"


def test_entry_of_another_organisation(guardian: GuardianClient, stage: Stage) -> None:
    """Another worker's organisation is asked for again, and its administrator deletes."""
    stage.system()
    users = [{**user, "token": f"{user['token']}-2"} for user in answers.ORGANISATION["users"]]
    stage.control.forget()
    stage.control.says("POST", "/organisations", 201, {"name": "run0-gw1", "users": users})

    assert guardian.undo_entry(_entry(details={"organisation": "run0-gw1"})) == "deleted"

    (asked,) = stage.cloud.requests("DELETE", SYSTEM)
    assert asked.headers["Authorization"] == "Bearer gdn_anna-0123456789abcdef-2"
    assert guardian.system("x").name == "run1-system-cafe"  # its own connections are open


@pytest.mark.parametrize("changes", [{"kind": "claim"}, {"subject": "the-hospital"}])
def test_entry_that_is_none_of_ours(guardian: GuardianClient, stage: Stage, changes: dict[str, str]) -> None:
    """What the ledger does not prove to be a session's own is left alone."""
    with pytest.raises(UsageError):
        guardian.undo_entry(_entry(**changes))

    assert stage.cloud.requests("DELETE", SYSTEM) == []


# A service that is no fake of ours ----------------------------------------------------------------------


def test_foreign_system_is_not_touched(elsewhere: Callable[[], GuardianClient], stage: Stage) -> None:
    """Nothing that somebody else made is changed, whatever a test asks for."""
    stage.system()
    client = elsewhere()
    row = answers.row(status="needs_approval", system_name="the-hospital")
    stage.cloud.says("GET", f"/api/v1/provisioning-requests/{ID}", 200, row)

    for change in (
        lambda: client.raw.request("DELETE", "/systems/the-hospital"),
        lambda: client.register_signer_key("the-hospital", client.make_key(), SignerKeyState.ACTIVE),
        lambda: client.approve(ID),
        lambda: client.bulk("approve", ids=[ID]),
        lambda: client.bulk("approve", filter={"system": "the-hospital"}),
    ):
        with pytest.raises(UsageError, match="what we did not make is never touched"):
            change()

    assert [asked.method for asked in stage.cloud.asked if asked.method != "GET"] == []


def test_own_system_elsewhere(elsewhere: Callable[[], GuardianClient], stage: Stage) -> None:
    """What a session made there it may change and delete."""
    client = elsewhere()
    stage.system()
    system = client.create_system()
    name = stage.cloud.requests("POST", SYSTEMS)[0].json["name"]
    system.definition = system.definition.model_copy(update={"name": name})
    row = answers.row(status="needs_approval", system_name=name)
    stage.cloud.says("GET", f"/api/v1/provisioning-requests/{ID}", 200, row)
    stage.cloud.says("POST", f"/api/v1/provisioning-requests/{ID}/approve", 200, row)
    stage.cloud.says("POST", "/api/v1/provisioning-requests/bulk", 200, {"results": []})

    client.approve(ID)
    assert client.bulk("approve", filter={"system": name}) == []
    client.undo()

    assert len(stage.cloud.requests("DELETE", SYSTEM)) == 1


def test_entry_of_another_token(elsewhere: Callable[[], GuardianClient]) -> None:
    """What another user's session made cannot be undone with this token."""
    client = elsewhere()

    with pytest.raises(UsageError, match="was made with another token"):
        client.undo_entry(_entry(details={"key": "0011223344556677"}))


def test_session_is_asked_before_a_change(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the session forbids is not sent."""
    monkeypatch.setenv("GUARDIAN_TOKEN", "token-of-an-admin")
    asked: list[Change] = []
    session = replace(stage.session(), before_change=asked.append)
    stage.system()
    client = connect(replace(stage.backend, control=None, mode="url"), session)

    client.create_system()
    client.close()

    assert [change.operation for change in asked] == ["CreateSystem", "RegisterSignerKey"]
