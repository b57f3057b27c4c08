"""Certified profiles: what a device gets, signed by a key that it knows (guardian fact sheet, section 10.4).

JWS in the compact form (RFC 7515). The signature is made elsewhere, by the Vault, over the bytes that the
standard says; it is verified here before a profile is handed out.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness_guardian.fake.records import ComponentInstance, IssuedCertificate, ProvisioningRequest

TYPE = "guardian-cp+jws"
ALGORITHM = "ES256"
VERSION = 1


class ProfileUnverified(Exception):
    """A profile is not signed by the key that devices know."""


def signing_input(payload: Mapping[str, Any], kid: str) -> str:
    """Return what is to be signed: header and payload as a compact JWS begins with them.

    :param kid: thumbprint of the profile signer.
    """
    header = {"alg": ALGORITHM, "kid": kid, "typ": TYPE}
    return f"{_part(header)}.{_part(payload)}"


def payload_of(
    request: ProvisioningRequest,
    device: ComponentInstance,
    issuer: x509.Certificate,
    certificates: Sequence[IssuedCertificate],
    *,
    response_id: str,
    issued_at: float,
    crl_url: str,
) -> dict[str, Any]:
    """Return what a certified profile says.

    :param issuer: the intermediate authority, which every chain has behind the leaf.
    :param issued_at: seconds since the epoch.
    :param crl_url: where the list of revoked certificates is.
    """
    trust = device.system.trust
    assert trust is not None  # noqa: S101 - nothing is provisioned before its system is set up
    assert request.nonce is not None  # noqa: S101 - nor without a nonce, the schema wants it
    leafs = [x509.load_pem_x509_certificate(certificate.pem.encode()) for certificate in certificates]
    return {
        "ver": VERSION,
        "response_id": response_id,
        "request_id": request.id,
        "nonce": _base64url(request.nonce),
        "system": device.system.name,
        "system_instance": {"id": device.instance.id, "name": device.instance.name},
        "component": device.component_name,
        "component_instance_id": device.id,
        "hw_id": request.hw_id,
        "certificates": [
            {"slot": certificate.slot, "chain": [_der(leaf), _der(issuer)]}
            for certificate, leaf in zip(certificates, leafs, strict=True)
        ],
        "trust": [_der(x509.load_pem_x509_certificate(trust.root_pem.encode()))],
        "crl_url": crl_url,
        "issued_at": _moment(datetime.fromtimestamp(issued_at, UTC)),
        "not_after": _moment(min(leaf.not_valid_after_utc for leaf in leafs)),
    }


def verified(profile: str, signer: Mapping[str, str]) -> str:
    """Return a compact JWS that the profile signer has really signed.

    :param signer: the public JWK that devices know.
    :raises ProfileUnverified: it has not.
    """
    try:
        jws.deserialize_compact(profile, ECKey.import_key(dict(signer)), algorithms=[ALGORITHM])
    except (JoseError, ValueError) as error:
        raise ProfileUnverified(f"the profile's signature does not verify: {type(error).__name__}") from error
    return profile


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _der(certificate: x509.Certificate) -> str:
    return base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()


def _part(value: Mapping[str, Any]) -> str:
    return _base64url(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
