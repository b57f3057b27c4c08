"""What a request proves: each CSR is one for its slot, by a device that has the key (fact sheet, 10.3)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from tests.guardian.fake.domain import Domain, component, outcome
from tests.guardian.making import JWS_TYPE, SLOTS, MadeRequest, make_csr, make_key, sign_jws

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness_guardian.fake.records import ProvisioningRequest, System
    from tests.guardian.making import PrivateKey

HW_ID = "SN-1"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - nobody relies on it


def csr_named(*names: str, key: Any = None) -> bytes:
    """Make a CSR with common names, by a key of any kind."""
    key = key or make_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


#: What is wrong with the CSR of the slot ``identity``, made for a system whose package has a certain key.
WRONG: dict[str, tuple[str, Callable[[PrivateKey], bytes]]] = {
    "no CSR": ("cannot be read", lambda _key: b"csr"),
    "bytes behind it": ("cannot be read", lambda _key: make_csr(make_key(), HW_ID) + b"\x00"),
    "not proven": ("does not verify", lambda _key: make_csr(make_key(), HW_ID, signer=make_key())),
    "other name": ("common name", lambda _key: make_csr(make_key(), "SN-2")),
    "two names": ("common name", lambda _key: csr_named(HW_ID, HW_ID)),
    "no name": ("common name", lambda _key: csr_named()),
    "P-384 in a slot for P-256": ("of the kind P-256", lambda _key: make_csr(make_key("P-384"), HW_ID)),
    "Ed25519 in a slot for P-256": ("of the kind P-256", lambda _key: make_csr(make_key("Ed25519"), HW_ID)),
    "P-521": (
        "of the kind P-256",
        lambda _key: csr_named(HW_ID, key=ec.generate_private_key(ec.SECP521R1())),
    ),
    "RSA": ("of the kind P-256", lambda _key: csr_named(HW_ID, key=RSA_KEY)),
    "key of the signer": ("signed the request", lambda key: make_csr(key, HW_ID)),
}


class Proving:
    """A system with one component of three slots."""

    def __init__(self, domain: Domain) -> None:
        self.domain = domain
        self.system: System = domain.system("Manual", component("pump", SLOTS))

    def submit(self, **csrs: bytes | None) -> ProvisioningRequest:
        """Submit a request with other CSRs than the right ones; ``None`` leaves one out."""
        device = self.domain.device(self.system, hw_id=HW_ID, slots=dict(SLOTS))
        keys = {slot: make_key(kind) for slot, kind in SLOTS.items()}
        right = {slot: make_csr(key, HW_ID) for slot, key in keys.items()}
        given = {slot: csr for slot, csr in {**right, **csrs}.items() if csr is not None}
        payload = device.payload(
            keys,
            csrs=[{"slot": slot, "csr": base64.b64encode(csr).decode()} for slot, csr in given.items()],
        )
        content = sign_jws(payload, device.signer)
        made = MadeRequest(content=content, media_type=JWS_TYPE, payload=payload, keys=keys)
        return self.domain.submit(made)


@pytest.fixture(scope="module")
def proving() -> Iterator[Proving]:
    """The system of this module."""
    domain = Domain()
    yield Proving(domain)
    domain.close()


def test_one_csr_for_each_slot_passes(proving: Proving) -> None:
    """A CSR of each slot's kind of key, by the device: the request is well."""
    assert outcome(proving.submit()) == "needs_approval"


@pytest.mark.parametrize("name", WRONG)
def test_a_csr_that_is_not_the_devices_is_malformed(proving: Proving, name: str) -> None:
    """Whatever is wrong with a CSR, the request is malformed, and its detail says which slot and why."""
    says, make = WRONG[name]
    row = proving.submit(identity=make(proving.domain.key))
    assert outcome(row) == "PR_SIGNATURE_MALFORMED"
    detail = row.history[-1].detail
    assert detail is not None
    assert detail.startswith("CSR of slot identity: ")
    assert says in detail


@pytest.mark.parametrize(
    "csrs", [{"tls": None}, {"spare": make_csr(make_key(), HW_ID)}], ids=["less", "more"]
)
def test_the_slots_have_to_be_those_of_the_component(proving: Proving, csrs: dict[str, bytes | None]) -> None:
    """A slot without a CSR, or a CSR without a slot, is malformed."""
    row = proving.submit(**csrs)
    assert outcome(row) == "PR_SIGNATURE_MALFORMED"
    assert (
        row.history[-1].detail == f"the slots of the CSRs are not those of the component: {next(iter(csrs))}"
    )


def test_two_csrs_for_one_slot_are_malformed(proving: Proving) -> None:
    """The schema has one CSR a slot."""
    device = proving.domain.device(proving.system)
    csr = {"slot": "identity", "csr": base64.b64encode(make_csr(make_key(), device.hw_id)).decode()}
    row = proving.domain.submit(device.request(csrs=[csr, csr]))
    assert outcome(row) == "PR_SIGNATURE_MALFORMED"


def test_a_reprovisioned_device_has_to_make_new_keys(proving: Proving) -> None:
    """The identity key that signs a reprovisioning request cannot be certified again by it."""
    device = proving.domain.device(proving.domain.system("Automatic"))
    proving.domain.finished(device)
    csr = base64.b64encode(make_csr(device.signer, device.hw_id)).decode()
    row = proving.domain.submit(device.request(csrs=[{"slot": "identity", "csr": csr}]))
    assert outcome(row) == "PR_SIGNATURE_MALFORMED"
    assert row.history[-1].detail == "CSR of slot identity: its key is the one that signed the request"


def test_a_kid_that_is_not_the_signers_is_malformed(proving: Proving) -> None:
    """The chain of a device's identity and the name of its key have to agree."""
    device = proving.domain.device(proving.domain.system("Automatic"))
    proving.domain.finished(device)
    keys = {"identity": make_key()}
    payload = device.payload(keys)
    content = sign_jws(payload, device.signer, kid="another", x5c=device.chain)
    made = MadeRequest(content=content, media_type=JWS_TYPE, payload=payload, keys={})
    row = proving.domain.submit(made)
    assert outcome(row) == "PR_SIGNATURE_MALFORMED"
    assert row.history[-1].detail == "kid is not the thumbprint of the signer's key"


@pytest.mark.parametrize("kind", ["P-256", "Ed25519"])
@pytest.mark.parametrize("form", ["jws", "cose"])
def test_an_identity_of_either_kind_reprovisions(proving: Proving, kind: str, form: str) -> None:
    """A device signs with its identity key, in either form, whichever of the two kinds it is."""
    system = proving.domain.system("Automatic", component("pump", {"identity": kind}))
    device = proving.domain.device(system, slots={"identity": kind})
    proving.domain.finished(device)
    assert outcome(proving.domain.submit(device.request(form))) == "provisioned"


def test_an_identity_that_cannot_sign_requests_cannot_reprovision(proving: Proving) -> None:
    """Requests are signed by ES256 or EdDSA: a chain with another kind of key is malformed."""
    system = proving.domain.system("Automatic", component("pump", {"identity": "P-384"}))
    device = proving.domain.device(system, slots={"identity": "P-384"})
    proving.domain.finished(device)
    device.signer = make_key()
    row = proving.domain.submit(device.request())
    assert outcome(row) == "PR_SIGNATURE_MALFORMED"
