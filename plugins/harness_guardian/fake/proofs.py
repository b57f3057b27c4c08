"""What a provisioning request proves: who signed it, and that its device has the keys (step 4).

Guardian fact sheet, sections 3 and 10.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from joserfc.jwk import ECKey, OKPKey

from harness_guardian.enums import KeyType
from harness_guardian.fake.checks import malformed

if TYPE_CHECKING:
    from harness_guardian.fake.checks import Claims, Finding
    from harness_guardian.fake.envelopes import Envelope, PublicKey
    from harness_guardian.fake.records import CertificateSlot


def check_proofs(envelope: Envelope, claims: Claims, signer: PublicKey) -> Finding | None:
    """Check the signature, and that each CSR is one for its slot, by the device itself.

    :param signer: the key that the request has to be signed by.
    """
    if not envelope.is_signed_by(signer):
        return malformed("the signature does not verify")
    if envelope.kid != thumbprint(signer):
        return malformed("kid is not the thumbprint of the signer's key")
    wanted = {slot.slot for slot in claims.component.certificates}
    given = {csr.slot for csr in claims.payload.csrs}
    if wanted != given:
        names = ", ".join(sorted(wanted ^ given))
        return malformed(f"the slots of the CSRs are not those of the component: {names}")
    for slot in claims.component.certificates:
        fault = _fault_of_csr(claims.payload.csr(slot.slot) or b"", slot, claims.payload.hw_id, signer)
        if fault is not None:
            return malformed(f"CSR of slot {slot.slot}: {fault}")
    return None


def _fault_of_csr(der: bytes, slot: CertificateSlot, hw_id: str, signer: PublicKey) -> str | None:
    try:
        csr = x509.load_der_x509_csr(der)
        key = csr.public_key()
        names = [name.value for name in csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        proven = csr.is_signature_valid
    except Exception:  # noqa: BLE001 - cryptography has many ways to say that it is none that can be used
        return "it cannot be read"
    if key_type(key) is not slot.key:
        return f"its key is not of the kind {slot.key.value}"
    if not proven:
        return "its signature does not verify"
    if names != [hw_id]:
        return "its common name is not the hardware id"
    if _spki(key) == _spki(signer):
        return "its key is the one that signed the request"
    return None


def key_type(key: object) -> KeyType | None:
    """Return what kind of key one is; ``None`` when it is none that a slot may hold."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        curves = {"secp256r1": KeyType.P256, "secp384r1": KeyType.P384}
        return curves.get(key.curve.name)
    return KeyType.ED25519 if isinstance(key, ed25519.Ed25519PublicKey) else None


def thumbprint(key: PublicKey) -> str:
    """Return the RFC 7638 thumbprint of a key."""
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    kind = ECKey if isinstance(key, ec.EllipticCurvePublicKey) else OKPKey
    return kind.import_key(pem).thumbprint()


def _spki(key: object) -> bytes:
    assert isinstance(key, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey)  # noqa: S101 - its kind is known
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
