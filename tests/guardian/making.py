"""Requests, profiles and packages of Guardian, made by other tools than the harness.

These are jwcrypto, pycose and cryptography. Nothing here comes from ``plugins``: what fake and board are
tried with, neither of them can have got wrong together with it (guardian fact sheet, sections 10.1 to 10.4).
"""

from __future__ import annotations

import base64
import json
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID
from jwcrypto import jwk, jws  # type: ignore[import-untyped]  # it has no types
from pycose.algorithms import EdDSA, Es256
from pycose.headers import KID, Algorithm, X5chain
from pycose.keys.curves import P256, Ed25519
from pycose.keys.ec2 import EC2Key
from pycose.keys.okp import OKPKey
from pycose.messages.sign1message import Sign1Message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

JWS_TYPE = "application/guardian-pr+jws"
COSE_TYPE = "application/guardian-pr+cose"
#: The slots of the suites' component, and the kind of key in each.
SLOTS = {"identity": "P-256", "tls": "P-384", "signing": "Ed25519"}


def base64url(data: bytes) -> str:
    """Encode as JOSE does: for addresses, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """Undo :func:`base64url`."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def make_key(kind: str = "P-256") -> PrivateKey:
    """Make a private key: ``P-256``, ``P-384`` or ``Ed25519``."""
    if kind == "Ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key({"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}[kind])


def pem_of(key: PrivateKey) -> str:
    """Return a private key as PEM (PKCS #8, not encrypted)."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def jwk_of(key: PrivateKey) -> jwk.JWK:
    """Return a private key as jwcrypto has it."""
    return jwk.JWK.from_pem(pem_of(key).encode())


def public_jwk_of(key: PrivateKey) -> dict[str, str]:
    """Return the public half of a key: the members that RFC 7638 counts."""
    members = json.loads(jwk_of(key).export_public())
    return {name: members[name] for name in ("kty", "crv", "x", "y") if name in members}


def thumbprint_of(key: PrivateKey) -> str:
    """Return the name of a key: its RFC 7638 thumbprint."""
    return str(jwk_of(key).thumbprint())


def make_csr(key: PrivateKey, hw_id: str, *, signer: PrivateKey | None = None) -> bytes:
    """Make a certificate signing request (DER) that proves the possession of its key.

    :param key: whose public half is in it.
    :param hw_id: its common name.
    :param signer: signs it instead of ``key``: then it proves nothing.
    """
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hw_id)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if signer is None:
        return request.sign(key, digest_for(key)).public_bytes(serialization.Encoding.DER)
    # No builder signs with a key that is not the request's own: put the right key into what the wrong one
    # signed; both are of one kind, so that all lengths stay.
    wrong = request.sign(signer, digest_for(signer)).public_bytes(serialization.Encoding.DER)
    return wrong.replace(_spki(signer), _spki(key))


def digest_for(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384 | None:
    """Return the digest that goes with a key."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    return hashes.SHA256() if key.curve.name == "secp256r1" else hashes.SHA384()


def _spki(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def sign_jws(
    payload: Mapping[str, Any] | bytes,
    key: PrivateKey,
    *,
    kid: str | None = None,
    typ: str = "guardian-pr+jws",
    x5c: Sequence[bytes] = (),
    alg: str | None = None,
    compact: bool = False,
) -> bytes:
    """Sign as JWS, flattened JSON (a request) or compact (a profile), by jwcrypto.

    :param kid: name of the key; its thumbprint unless given.
    :param x5c: chain of the signer (DER), leaf first.
    :param alg: what signs; what fits the key unless given.
    """
    fitting = "EdDSA" if isinstance(key, ed25519.Ed25519PrivateKey) else "ES256"
    header: dict[str, Any] = {"alg": alg or fitting, "typ": typ, "kid": kid or thumbprint_of(key)}
    if x5c:
        header["x5c"] = [base64.b64encode(certificate).decode() for certificate in x5c]
    content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    token = jws.JWS(content)
    token.allowed_algs = [header["alg"]]
    token.add_signature(jwk_of(key), protected=json.dumps(header))
    return str(token.serialize(compact=compact)).encode()


def sign_cose(
    payload: Mapping[str, Any] | bytes,
    key: PrivateKey,
    *,
    kid: str | None = None,
    x5chain: Sequence[bytes] = (),
) -> bytes:
    """Sign as COSE_Sign1 with its tag, by pycose.

    :param kid: name of the key; its thumbprint unless given.
    :param x5chain: chain of the signer (DER), leaf first; a single one goes in without an array (RFC 9360).
    """
    header: dict[Any, Any] = {
        Algorithm: EdDSA if isinstance(key, ed25519.Ed25519PrivateKey) else Es256,
        KID: (kid or thumbprint_of(key)).encode(),
    }
    if x5chain:
        header[X5chain] = x5chain[0] if len(x5chain) == 1 else list(x5chain)
    content = payload if isinstance(payload, bytes) else cbor2.dumps(as_cbor(payload))
    message = Sign1Message(phdr=header, payload=content)
    message.key = cose_key_of(key)
    return bytes(message.encode())


def read_cose(content: bytes) -> Sign1Message:
    """Read a COSE_Sign1 by pycose; give it a ``key`` to verify it.

    pycose 1.1 expects of cbor2 what it gave before version 6: lists and dictionaries inside a tag.
    """
    tag = cbor2.loads(content)
    assert tag.tag == Sign1Message.cbor_tag
    protected, unprotected, payload, signature = tag.value
    return Sign1Message.from_cose_obj([protected, dict(unprotected), payload, signature], True)


def cose_key_of(key: PrivateKey) -> EC2Key | OKPKey:
    """Return a private key as pycose has it."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return OKPKey(crv=Ed25519, x=key.public_key().public_bytes_raw(), d=key.private_bytes_raw())
    numbers = key.private_numbers()
    public = numbers.public_numbers
    x, y, d = (number.to_bytes(32, "big") for number in (public.x, public.y, numbers.private_value))
    return EC2Key(crv=P256, x=x, y=y, d=d)


def as_cbor(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a payload as a CBOR map has them: nonce and CSRs are bytes there."""
    fields = dict(payload)
    if isinstance(fields.get("nonce"), str):
        fields["nonce"] = from_base64url(fields["nonce"])
    if "csrs" in fields:
        fields["csrs"] = [{**item, "csr": base64.b64decode(item["csr"])} for item in fields["csrs"]]
    return fields


def rfc3339(moment: datetime) -> str:
    """Write a moment as requests do: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, kw_only=True)
class MadeRequest:
    """A provisioning request, with what its device would keep.

    :ivar content: the bytes of the ``.mcpr``.
    :ivar keys: the device's new private keys, by slot.
    """

    content: bytes = field(repr=False)
    media_type: str
    payload: dict[str, Any] = field(repr=False)
    keys: dict[str, PrivateKey] = field(repr=False)

    @property
    def request_id(self) -> str:
        """Its id."""
        return str(self.payload["request_id"])

    @property
    def nonce(self) -> bytes:
        """What the profile has to echo, and what the device reads its own request with."""
        return from_base64url(self.payload["nonce"])

    @property
    def authorization(self) -> dict[str, str]:
        """The header by which its device reads it."""
        return {"Authorization": f"Guardian-Nonce {self.payload['nonce']}"}


@dataclass(kw_only=True)
class PaperDevice:
    """A device on paper: makes requests as a component would, by other tools.

    :ivar signer: package key, or the identity key when it is provisioned.
    :ivar chain: certificates of the identity (DER), leaf first; empty before the first provisioning.
    """

    system: str
    signer: PrivateKey
    component: str = "pump"
    hw_id: str = field(default_factory=lambda: f"SN-{secrets.token_hex(5)}")
    instance: dict[str, str] = field(default_factory=lambda: {"name": "Ward A"})
    slots: dict[str, str] = field(default_factory=lambda: dict(SLOTS))
    chain: tuple[bytes, ...] = ()

    def payload(self, keys: Mapping[str, PrivateKey], **changes: Any) -> dict[str, Any]:
        """Return the payload of a request for these keys; ``None`` as a change leaves a field out."""
        fields: dict[str, Any] = {
            "ver": 1,
            "request_id": str(uuid.uuid4()),
            "system": self.system,
            "system_instance": self.instance,
            "component": self.component,
            "hw_id": self.hw_id,
            "reprovision": bool(self.chain),
            "nonce": base64url(secrets.token_bytes(16)),
            "created_at": rfc3339(datetime.now(UTC)),
            "csrs": [
                {"slot": slot, "csr": base64.b64encode(make_csr(key, self.hw_id)).decode()}
                for slot, key in keys.items()
            ],
            **changes,
        }
        return {name: value for name, value in fields.items() if value is not None}

    def request(self, form: str = "jws", **changes: Any) -> MadeRequest:
        """Make and sign a request.

        :param form: ``jws`` or ``cose``.
        """
        keys = {slot: make_key(kind) for slot, kind in self.slots.items()}
        payload = self.payload(keys, **changes)
        if form == "cose":
            content = sign_cose(payload, self.signer, x5chain=self.chain)
        else:
            content = sign_jws(payload, self.signer, x5c=self.chain)
        media_type = COSE_TYPE if form == "cose" else JWS_TYPE
        return MadeRequest(content=content, media_type=media_type, payload=payload, keys=keys)

    def take(self, profile: bytes | str, made: MadeRequest) -> dict[str, list[bytes]]:
        """Become what a certified profile makes of the device; the profile is not judged here.

        :return: the chains (DER) by slot.
        """
        text = profile if isinstance(profile, str) else profile.decode()
        fields = json.loads(from_base64url(text.split(".")[1]))
        items = fields["certificates"]
        chains = {item["slot"]: [base64.b64decode(each) for each in item["chain"]] for item in items}
        self.chain = tuple(chains["identity"])
        self.signer = made.keys["identity"]
        self.instance = {"id": fields["system_instance"]["id"]}
        return chains


def make_package(
    *,
    system: str,
    instance: Mapping[str, str],
    signer: PrivateKey,
    profile_signer: PrivateKey,
    root: x509.Certificate,
    components: Mapping[str, Mapping[str, str]],
) -> bytes:
    """Make a provisioning package: what a component is given in manufacturing (JSON, secret).

    :param instance: ``id`` and ``name``.
    :param components: of each component its slots with their kinds of key.
    """
    return json.dumps(
        {
            "version": 1,
            "system": system,
            "instance": dict(instance),
            "signer": {"kid": thumbprint_of(signer), "private_key_pem": pem_of(signer)},
            "profile_signer": {"kid": thumbprint_of(profile_signer), "jwk": public_jwk_of(profile_signer)},
            "root_pem": root.public_bytes(serialization.Encoding.PEM).decode(),
            "components": {
                name: [{"slot": slot, "key": kind} for slot, kind in slots.items()]
                for name, slots in components.items()
            },
        },
        indent=2,
    ).encode()
