"""Both ends read the golden files: the service its requests, the board its profile; neither made them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization

from harness_guardian.enums import ProvisionSource
from harness_guardian.fake.envelopes import COSE_TYPE, JWS_TYPE, UNSAID, read_envelope
from harness_guardian.fake.requests_payload import read_payload
from harness_guardian.virtual import request
from harness_guardian.virtual.package import read_package
from harness_guardian.virtual.profile import ProfileRefused, accept
from harness_guardian.virtual.records import Pending
from tests.guardian.golden import make_golden
from tests.guardian.making import base64url, from_base64url, make_package, pem_of

if TYPE_CHECKING:
    from harness_guardian.virtual.package import Package

HERE = Path(__file__).parent
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SIGNERS = {
    "initial.jws": "package",
    "initial.cose": "package",
    "initial-ed25519.jws": "package-ed25519",
    "reprovision.jws": "identity",
    "reprovision.cose": "identity",
}


def content(name: str) -> bytes:
    """Return the bytes of a golden file."""
    return (HERE / name).read_bytes()


@pytest.mark.parametrize("kind", ["said", "unsaid"])
@pytest.mark.parametrize(("name", "signer"), SIGNERS.items())
def test_the_service_reads_requests(name: str, signer: str, kind: str) -> None:
    """The fake decodes each request, verifies it by its signer's key, and by no other one."""
    media_type = COSE_TYPE if "cose" in name else JWS_TYPE
    envelope = read_envelope(content(f"{name}.mcpr"), media_type if kind == "said" else UNSAID)
    payload = read_payload(envelope.payload)

    assert envelope.fault is None
    assert envelope.is_signed_by(make_golden.read_key(HERE, signer).public_key())
    assert not envelope.is_signed_by(make_golden.read_key(HERE, "root").public_key())
    assert (payload.system, payload.component, payload.hw_id) == ("Golden pumps", "pump", "SN-0001")
    assert payload.source is ProvisionSource.CLOUD
    assert payload.nonce == make_golden.REQUEST_IDS[name][:1].encode() * 16
    assert payload.created_at == NOON
    assert payload.reprovision == bool(envelope.chain) == name.startswith("reprovision")
    assert [csr.slot for csr in payload.csrs] == ["identity", "tls", "signing"]


@pytest.mark.parametrize("name", ["initial.jws", "initial.cose"])
def test_the_service_sees_a_changed_byte(name: str) -> None:
    """With one bit of the hardware id changed the signature does not verify any more."""
    golden = content(f"{name}.mcpr")
    if "cose" in name:
        changed = golden.replace(b"SN-0001", b"SN-0003")
    else:
        members = json.loads(golden)
        fields = json.loads(from_base64url(members["payload"]).replace(b"SN-0001", b"SN-0003"))
        members["payload"] = base64url(json.dumps(fields).encode())
        changed = json.dumps(members).encode()
    envelope = read_envelope(changed, UNSAID)

    assert changed != golden
    assert read_payload(envelope.payload).hw_id == "SN-0003"
    assert not envelope.is_signed_by(make_golden.read_key(HERE, "package").public_key())


@pytest.mark.parametrize("name", [*SIGNERS])
def test_the_board_reads_requests_that_it_forwards(name: str) -> None:
    """A proxy finds id and nonce in each form, also of a request whose signer it does not know."""
    read = request.read_forwarded(content(f"{name}.mcpr"))

    identity = make_golden.REQUEST_IDS[name]
    assert read.request_id == identity
    assert read.nonce == base64url(identity[:1].encode() * 16)


@pytest.fixture
def pending() -> Pending:
    """The board's open request: the golden one."""
    return Pending(
        request_id="11111111-1111-4111-8111-111111111111",
        nonce=base64url(b"1" * 16),
        reprovision=False,
        system="Golden pumps",
        instance_id="5d6e3b0c-0a4b-4c1e-9c55-5f3a53e1a001",
        component="pump",
        hw_id="SN-0001",
        source="Cloud",
        form="jws",
        package="",
        keys={slot: pem_of(make_golden.read_key(HERE, slot)) for slot in ("identity", "tls", "signing")},
    )


def golden_package(profile_signer: str = "profile-signer") -> Package:
    """Return the package of the golden system, with one or another key pinned."""
    made = make_package(
        system="Golden pumps",
        instance=make_golden.INSTANCE,
        signer=make_golden.read_key(HERE, "package"),
        profile_signer=make_golden.read_key(HERE, profile_signer),
        root=make_golden.certificate(HERE, "root"),
        components={"pump": {"identity": "P-256", "tls": "P-384", "signing": "Ed25519"}},
    )
    return read_package(made)


def test_the_board_accepts_the_profile(pending: Pending) -> None:
    """With the golden request open, at noon of that day, the board accepts the golden profile."""
    accepted = accept(content("certified-profile.mccp"), pending, golden_package(), NOON)

    assert accepted.response_id == "66666666-6666-4666-8666-666666666666"
    assert accepted.component_instance_id == make_golden.COMPONENT_INSTANCE
    for slot, chain in accepted.chains.items():
        leaf = make_golden.certificate(HERE, f"leaf-{slot}")
        assert chain[0] == leaf.public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"request_id": "22222222-2222-4222-8222-222222222222"}, "another request"),
        ({"nonce": "MjIyMjIyMjIyMjIyMjIyMg"}, "nonce"),
        ({"hw_id": "SN-0002"}, "hardware id"),
        ({"component": "valve"}, "component"),
        ({"system": "Other pumps"}, "system"),
    ],
)
def test_the_board_refuses_it_for_another(pending: Pending, changes: dict[str, Any], reason: str) -> None:
    """The same profile is refused by a board that is another one, or asked something else."""
    with pytest.raises(ProfileRefused, match=reason):
        accept(content("certified-profile.mccp"), replace(pending, **changes), golden_package(), NOON)


def test_the_board_refuses_it_at_another_time(pending: Pending) -> None:
    """Before it was issued and after its end the profile is refused."""
    for moment, reason in ((NOON - timedelta(days=1), "future"), (NOON + timedelta(days=366), "not valid")):
        with pytest.raises(ProfileRefused, match=reason):
            accept(content("certified-profile.mccp"), pending, golden_package(), moment)


def test_the_board_refuses_it_of_another_signer(pending: Pending) -> None:
    """With another key pinned, the profile is nobody's."""
    with pytest.raises(ProfileRefused, match="pinned profile signer"):
        accept(content("certified-profile.mccp"), pending, golden_package("package"), NOON)
