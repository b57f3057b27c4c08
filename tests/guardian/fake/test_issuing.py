"""Issuing against a Vault that listens: what a device gets, and each error code by its true cause."""

from __future__ import annotations

import asyncio
import base64
import json
from ssl import DER_cert_to_PEM_cert
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from jwcrypto import jwk, jws  # type: ignore[import-untyped]  # it has no types

from harness_guardian.enums import Action, ErrorCode, Status
from harness_guardian.fake.issuing import issue
from harness_guardian.fake.systems import VAULT_TIMEOUT
from harness_guardian.fake.vault_link import VaultLink
from tests.guardian.fake.domain import outcome
from tests.guardian.fake.vault_site import VaultSite
from tests.guardian.making import from_base64url
from tests.guardian.vault.served import TOKEN, openssl, served_vault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness_guardian.fake.records import System

NO_CERTIFICATE = ErrorCode.FAIL_SIGN_DEVICE_CERTIFICATES
NO_PROFILE = ErrorCode.FAIL_SIGN_DEVICE_CERTIFIED_PROFILE
NO_ISSUER = ErrorCode.FAIL_SIGN_MISSING_SIGNER_CERTIFICATE
NO_LEAF = ErrorCode.UNABLE_LOOKUP_DEVICE_CERTIFICATES
NO_SIGNER = ErrorCode.UNABLE_LOOKUP_PROVISION_REQUEST_SIGNER
TOO_LATE = ErrorCode.VAULT_REQUEST_TIMEOUT
SHORT = 0.3


@pytest.fixture(scope="module")
def site() -> Iterator[VaultSite]:
    """Give a service whose Vault listens; each test makes systems of its own."""
    with served_vault() as served:
        site = VaultSite(served)
        try:
            yield site
        finally:
            site.close()


def test_profile_holds_what_the_device_asked_for(site: VaultSite, tmp_path: Path) -> None:
    """The profile signer signed it; each chain is one that OpenSSL trusts, with the device's own key."""
    system, device = site.three_slots()
    made = device.request()
    row = site.submit(made)
    assert system.trust is not None
    assert row.component_instance is not None
    token = jws.JWS()
    token.deserialize(row.certified_profile)
    token.verify(jwk.JWK(**system.trust.profile_signer_jwk))
    payload = json.loads(token.payload)

    assert token.jose_header == {
        "alg": "ES256",
        "typ": "guardian-cp+jws",
        "kid": system.trust.profile_signer_kid,
    }
    instance = next(iter(system.instances.values()))
    expected = {
        "ver": 1,
        "response_id": row.response_id,
        "request_id": made.request_id,
        "nonce": made.payload["nonce"],
        "system": system.name,
        "system_instance": {"id": instance.id, "name": "Ward A"},
        "component": "pump",
        "component_instance_id": row.component_instance.id,
        "hw_id": device.hw_id,
    }
    assert {name: payload[name] for name in expected} == expected
    assert set(payload) - set(expected) == {"certificates", "trust", "crl_url", "issued_at", "not_after"}
    root, *files = (tmp_path / name for name in ("root.pem", "leaf.pem", "intermediate.pem"))
    root.write_text(DER_cert_to_PEM_cert(base64.b64decode(payload["trust"][0])))
    assert [item["slot"] for item in payload["certificates"]] == ["identity", "tls", "signing"]
    for item in payload["certificates"]:
        for file, content in zip(files, item["chain"], strict=True):
            file.write_text(DER_cert_to_PEM_cert(base64.b64decode(content)))
        openssl("verify", "-CAfile", root, "-untrusted", files[1], files[0])
        leaf = x509.load_pem_x509_certificate(files[0].read_bytes())
        assert leaf.public_key() == made.keys[item["slot"]].public_key()
        names = {part.oid: part.value for part in leaf.subject}
        assert names == {
            NameOID.COMMON_NAME: device.hw_id,
            NameOID.ORGANIZATIONAL_UNIT_NAME: "pump",
            NameOID.ORGANIZATION_NAME: system.name,
        }
        others = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = others.get_values_for_type(x509.UniformResourceIdentifier)
        assert uris == [f"urn:guardian:{row.component_instance.id}"]
        assert len(list(others)) == 1


def test_vault_is_asked_once_for_each_thing(site: VaultSite) -> None:
    """Issuer, each slot once and in order, profile once, all for this request; nothing is revoked."""
    system, device = site.three_slots()
    assert site.calls(system) == []
    row = site.provisioned(device)
    calls = site.calls(system)

    assert [(call["call"], call["slot"], call["status"]) for call in calls] == [
        ("read-issuer", None, 200),
        ("sign", "identity", 200),
        ("sign", "tls", 200),
        ("sign", "signing", 200),
        ("sign-profile", None, 200),
    ]
    assert {call["request_id"] for call in calls} == {row.id}
    signed = [call["serial"] for call in calls if call["call"] == "sign"]
    assert signed == [certificate.serial for certificate in row.certificates]
    assert not any(site.is_revoked(system, serial) for serial in signed)


def test_nothing_is_signed_before_approval(site: VaultSite) -> None:
    """A request that waits for a user has cost the Vault no call; approval alone does not either."""
    system, device = site.three_slots("Manual")
    row = site.submit(device.request())
    assert outcome(row) == "needs_approval"
    site.act(row, Action.APPROVE)
    assert outcome(row) == "complete_provisioning"
    assert site.calls(system) == []
    site.act(row, Action.PROVISION)

    assert outcome(row) == "provisioned"
    assert len(site.calls(system, "sign")) == 3


INITIAL_FAULTS: list[tuple[dict[str, Any], ErrorCode]] = [
    *(
        ({"call": "sign", "kind": "status", "status": status}, NO_CERTIFICATE)
        for status in (400, 403, 500, 503)
    ),
    *(
        ({"call": "sign", "kind": kind}, NO_CERTIFICATE)
        for kind in ("wrong-key", "wrong-subject", "bad-signature", "hang-up", "not-found")
    ),
    ({"call": "sign", "kind": "unknown-issuer"}, NO_ISSUER),
    *(
        ({"call": "read-issuer", "kind": kind}, NO_ISSUER)
        for kind in ("not-found", "unknown-issuer", "hang-up", "status")
    ),
    *(({"call": "sign-profile", "kind": "status", "status": status}, NO_PROFILE) for status in (400, 500)),
    *(({"call": "sign-profile", "kind": kind}, NO_PROFILE) for kind in ("bad-signature", "hang-up")),
]


@pytest.mark.parametrize(
    ("fault", "code"),
    INITIAL_FAULTS,
    ids=["-".join(str(part) for part in fault.values()) for fault, _code in INITIAL_FAULTS],
)
def test_fault_of_the_vault_has_its_code(site: VaultSite, fault: dict[str, Any], code: ErrorCode) -> None:
    """Each fault comes to its code; whatever had been signed for the request is revoked."""
    system, device = site.usual()
    site.order(system, **fault)

    failed_with, row = site.failed(device)

    assert failed_with is code
    for serial in site.signed_for(row):
        assert site.is_revoked(system, serial)


@pytest.mark.parametrize("call", ["read-issuer", "sign", "sign-profile"])
def test_late_vault_is_a_time_out(site: VaultSite, call: str) -> None:
    """A call that takes longer than the system allows is a time-out; what was signed before it is revoked."""
    system, device = site.three_slots(vault_timeout=SHORT)
    site.order(system, call=call, kind="delay", seconds=60)

    assert site.failed(device)[0] is TOO_LATE
    signed = signed_serials(site, system)
    assert len(signed) == {"read-issuer": 0, "sign": 0, "sign-profile": 3}[call]
    assert all(site.is_revoked(system, serial) for serial in signed)


def test_delay_within_the_time_is_none(site: VaultSite) -> None:
    """A Vault that is slow, but not too slow, is no error."""
    system, device = site.three_slots(vault_timeout=20)
    site.order(system, call="sign", kind="delay", seconds=0.05, times=None)
    site.provisioned(device)


def test_usual_time_out_is_five_seconds() -> None:
    """The seed's time-out is settable per system, and five seconds where nobody says (section 3)."""
    assert VAULT_TIMEOUT == 5.0


def test_later_slot_fails_after_earlier_ones_were_signed(site: VaultSite) -> None:
    """A role that is gone: the certificates of the slots before it are revoked, no profile is signed."""
    system, device = site.three_slots()
    client: Any = site.served.client()
    roles = client.secrets.pki.list_roles(mount_point=f"pki-{system.vault_id}")["data"]["keys"]
    last = next(role for role in roles if role.startswith("signing"))
    client.secrets.pki.delete_role(last, mount_point=f"pki-{system.vault_id}")
    client.adapter.close()

    code, row = site.failed(device)

    assert code is NO_CERTIFICATE
    assert "unknown role" in str(row.history[-1].detail)
    signed = signed_serials(site, system)
    assert len(signed) == 2
    assert all(site.is_revoked(system, serial) for serial in signed)
    assert site.calls(system, "sign-profile") == []


def test_certificate_that_cannot_be_revoked_is_told(site: VaultSite) -> None:
    """Where the Vault does not even revoke, the history says which certificates stay valid."""
    system, device = site.usual()
    site.order(system, call="sign-profile", kind="status")
    site.order(system, call="revoke", kind="status", status=500, times=2)

    code, row = site.failed(device)

    assert code is NO_PROFILE
    signed = site.signed_for(row)
    assert [site.is_revoked(system, serial) for serial in signed] == [False, False, True]
    for serial in signed[:2]:
        assert f"certificate {serial} stays valid" in str(row.history[-1].detail)


def test_failed_device_tries_again(site: VaultSite) -> None:
    """A failed request is final; a new one of the same device is provisioned."""
    system, device = site.usual()
    site.order(system, call="sign-profile", kind="bad-signature")
    assert site.failed(device)[0] is NO_PROFILE
    site.provisioned(device)


def test_reprovisioning_looks_up_every_leaf(site: VaultSite) -> None:
    """The signer is looked up when the request is verified, each leaf when certificates are to be signed."""
    system, device = site.three_slots()
    first = site.provisioned(device)
    begun = len(site.calls(system))
    second = site.provisioned(device)
    calls = site.calls(system)[begun:]
    old = [certificate.serial for certificate in first.certificates]

    assert [(call["call"], call["serial"]) for call in calls if call["call"] == "read-certificate"] == [
        ("read-certificate", serial) for serial in [old[0], *old]
    ]
    assert [call["call"] for call in calls] == [
        "read-certificate",
        "read-issuer",
        *["read-certificate"] * 3,
        *["sign"] * 3,
        "sign-profile",
    ]
    assert second.component_instance is first.component_instance


@pytest.mark.parametrize("slot", ["tls", "signing"])
def test_forgotten_leaf_stops_reprovisioning(site: VaultSite, slot: str) -> None:
    """Without one of the current leafs nothing is signed, and the device's certificates stay as they are."""
    system, device = site.usual()
    row = site.provisioned(device)
    serials = {certificate.slot: certificate.serial for certificate in row.certificates}
    forget(site, system, serials.pop(slot))
    code, failed = site.failed(device)

    assert code is NO_LEAF
    assert site.signed_for(failed) == []
    assert not any(site.is_revoked(system, serial) for serial in serials.values())


def test_unknown_or_revoked_signer_is_not_found(site: VaultSite) -> None:
    """The identity that signed a request has to be known to the Vault, and valid."""
    for spoil in (forget, revoke):
        system, device = site.usual()
        row = site.provisioned(device)
        spoil(site, system, row.certificates[0].serial)
        code, failed = site.failed(device)
        assert code is NO_SIGNER
        assert site.signed_for(failed) == []


def test_revoked_leaf_of_another_slot_is_replaced(site: VaultSite) -> None:
    """Only an unknown leaf stops reprovisioning: a revoked one is a reason for it."""
    system, device = site.usual()
    row = site.provisioned(device)
    revoke(site, system, row.certificates[1].serial)
    site.provisioned(device)


READ_FAULTS: list[tuple[dict[str, Any], int, ErrorCode]] = [
    ({"kind": "status", "status": 500}, 0, NO_SIGNER),
    ({"kind": "hang-up"}, 0, NO_SIGNER),
    ({"kind": "not-found"}, 0, NO_SIGNER),
    ({"kind": "delay", "seconds": 60.0}, 0, TOO_LATE),
    ({"kind": "status", "status": 500}, 1, NO_LEAF),
    ({"kind": "not-found"}, 1, NO_LEAF),
    ({"kind": "delay", "seconds": 60.0}, 1, TOO_LATE),
]


@pytest.mark.parametrize(("fault", "which", "code"), READ_FAULTS)
def test_fault_of_a_lookup_has_its_code(
    site: VaultSite, fault: dict[str, Any], which: int, code: ErrorCode
) -> None:
    """A lookup that fails has the code of what was looked up: signer (first slot) or leaf."""
    late = fault["kind"] == "delay"
    system, device = site.three_slots(vault_timeout=SHORT) if late else site.usual()
    row = site.provisioned(device)
    site.order(system, call="read-certificate", serial=row.certificates[which].serial, **fault)

    failed_with, failed = site.failed(device)

    assert failed_with is code
    assert site.signed_for(failed) == []
    assert not any(site.is_revoked(system, certificate.serial) for certificate in row.certificates)
    site.provisioned(device)


def test_request_that_is_given_up_leaves_nothing_valid(site: VaultSite) -> None:
    """When the service ends while the Vault is at work, what was signed for the request is revoked."""
    system, device = site.three_slots("Manual")
    row = site.submit(device.request())
    site.act(row, Action.APPROVE)
    site.order(system, call="sign-profile", kind="delay", seconds=60)

    async def give_up() -> None:
        link = Telling(lambda: site.served.url, TOKEN)
        task = asyncio.create_task(issue(link, site.organisation.clock, row))
        await link.begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        link.close()

    site.run(give_up())
    signed = signed_serials(site, system)
    assert len(signed) == 3
    assert all(site.is_revoked(system, serial) for serial in signed)


def test_devices_are_issued_at_once(site: VaultSite) -> None:
    """Two requests side by side get each their own: keys, names, serial numbers."""
    system, _device = site.three_slots()
    devices = [
        site.device(system, slots={"identity": "P-256", "tls": "P-384", "signing": "Ed25519"})
        for _ in range(2)
    ]
    made = [device.request() for device in devices]
    rows = [site.received(each) for each in made]
    for row, each, device in zip(rows, made, devices, strict=True):
        site.settled(row)
        assert row.status is Status.PROVISIONED
        payload = json.loads(from_base64url(str(row.certified_profile).split(".")[1]))
        assert (payload["request_id"], payload["hw_id"]) == (each.request_id, device.hw_id)
        for item in payload["certificates"]:
            leaf = x509.load_der_x509_certificate(base64.b64decode(item["chain"][0]))
            assert leaf.public_key() == each.keys[item["slot"]].public_key()
    serials = signed_serials(site, system)
    assert len(serials) == len(set(serials)) == 6


class Telling(VaultLink):
    """A link that tells when a profile is about to be signed."""

    def __init__(self, *settings: Any) -> None:
        super().__init__(*settings)
        self.begun = asyncio.Event()

    async def sign_profile(self, system: System, content: bytes, *, request_id: str) -> str:
        self.begun.set()
        return await super().sign_profile(system, content, request_id=request_id)


def signed_serials(site: VaultSite, system: System) -> list[str]:
    """Return the serial numbers of all that the Vault signed for a system."""
    return [call["serial"] for call in site.calls(system, "sign") if call["status"] == 200]


def forget(site: VaultSite, system: System, serial: str) -> None:
    """Let the Vault forget a certificate."""
    service = site.served.service
    assert site.served.on_its_loop(lambda: service.forget(f"pki-{system.vault_id}", serial))


def revoke(site: VaultSite, system: System, serial: str) -> None:
    """Revoke a certificate behind the service's back."""
    service = site.served.service
    assert site.served.on_its_loop(lambda: service.revoke(f"pki-{system.vault_id}", serial))
