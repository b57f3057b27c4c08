"""Authorities and certified profiles of Guardian, made by other tools than the harness; see making."""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Mapping


from tests.guardian.making import MadeRequest, PrivateKey, digest_for, make_key, rfc3339, sign_jws


@dataclass(frozen=True, kw_only=True)
class Authority:
    """Root and intermediate of a system, which no Vault made."""

    root: x509.Certificate
    intermediate: x509.Certificate
    key: PrivateKey = field(repr=False)

    def issue(
        self,
        public_key: Any,
        *,
        hw_id: str,
        component: str = "pump",
        system: str = "system",
        instance_id: str = "",
        life: tuple[datetime, datetime] | None = None,
    ) -> x509.Certificate:
        """Issue a leaf as Guardian's service has its Vault do it."""
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, hw_id),
                x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, component),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, system),
            ]
        )
        uri = x509.UniformResourceIdentifier(f"urn:guardian:{instance_id or uuid.uuid4()}")
        builder = _certificate(name, public_key, self.intermediate.subject, life or lifetime())
        return builder.add_extension(x509.SubjectAlternativeName([uri]), critical=False).sign(
            self.key, digest_for(self.key)
        )


def lifetime(days: int = 365) -> tuple[datetime, datetime]:
    """Return from when to when something is valid that is made now."""
    now = datetime.now(UTC)
    return now - timedelta(minutes=1), now + timedelta(days=days)


def _certificate(
    subject: x509.Name, public_key: Any, issuer: x509.Name, life: tuple[datetime, datetime]
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public_key)
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(life[0]).not_valid_after(life[1])


def make_authority(
    system: str = "system",
    life: tuple[datetime, datetime] | None = None,
    keys: tuple[PrivateKey, PrivateKey] | None = None,
) -> Authority:
    """Make root and intermediate of a system.

    :param keys: of root and intermediate; new ones unless given.
    """
    root_key, key = keys or (make_key(), make_key())
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{system} root")])
    own_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{system} intermediate")])
    certificates = []
    for name, its_key, path_length in ((root_name, root_key, 1), (own_name, key, 0)):
        builder = _certificate(name, its_key.public_key(), root_name, life or lifetime(3650))
        constraints = x509.BasicConstraints(ca=True, path_length=path_length)
        builder = builder.add_extension(constraints, critical=True)
        certificates.append(builder.sign(root_key, digest_for(root_key)))
    return Authority(root=certificates[0], intermediate=certificates[1], key=key)


def make_profile(
    made: MadeRequest,
    authority: Authority,
    signer: PrivateKey,
    *,
    instance: Mapping[str, str],
    issued: datetime | None = None,
    leaves: Mapping[str, x509.Certificate] | None = None,
    **changes: Any,
) -> bytes:
    """Make the certified profile that answers a request, signed by jwcrypto (compact).

    :param instance: ``id`` and ``name``.
    :param leaves: certificates by slot instead of those that the authority would issue.
    :param changes: what the payload says otherwise; ``None`` leaves a field out.
    """
    asked, issued = made.payload, issued or datetime.now(UTC)
    ours = str(uuid.uuid4())
    names = {"hw_id": asked["hw_id"], "component": asked["component"], "system": asked["system"]}
    issuing = leaves or {
        slot: authority.issue(key.public_key(), instance_id=ours, **names) for slot, key in made.keys.items()
    }
    fields: dict[str, Any] = {
        "ver": 1,
        "response_id": str(uuid.uuid4()),
        "request_id": asked["request_id"],
        "nonce": asked["nonce"],
        "system": asked["system"],
        "system_instance": dict(instance),
        "component": asked["component"],
        "component_instance_id": ours,
        "hw_id": asked["hw_id"],
        "certificates": [
            {"slot": slot, "chain": [_der64(leaf), _der64(authority.intermediate)]}
            for slot, leaf in issuing.items()
        ],
        "trust": [_der64(authority.root)],
        "crl_url": "http://127.0.0.1/crl",
        "issued_at": rfc3339(issued),
        "not_after": rfc3339(issued + timedelta(days=365)),
        **changes,
    }
    payload = {name: value for name, value in fields.items() if value is not None}
    return sign_jws(payload, signer, typ="guardian-cp+jws", compact=True)


def _der64(certificate: x509.Certificate) -> str:
    return base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()
