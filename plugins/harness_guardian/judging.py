"""Independent judgement of what a board holds: OpenSSL verifies its chains and what its keys sign.

Suites and tests judge with it. Neither the fake nor the virtual board imports it, so that it shares no code
with the two ends that it judges. Source: guardian fact sheet, sections 10.2 to 10.4.
"""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from harness.errors import BoardFault, RigFault
from harness_guardian.enums import KeyType

if TYPE_CHECKING:
    from collections.abc import Sequence

DEADLINE = 20.0
_USAGES = {ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth", ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFacts:
    """What a device's certificate says.

    :ivar uris: of its subject's alternative names.
    :ivar usages: extended key usages, by the names that system definitions have for them.
    """

    serial: int
    common_name: str
    component: str
    system: str
    uris: tuple[str, ...]
    usages: frozenset[str]
    key: KeyType | None


def read_certificate(pem: str) -> CertificateFacts:
    """Read a certificate.

    :raises BoardFault: it cannot be read.
    """
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        subject = certificate.subject
        return CertificateFacts(
            serial=certificate.serial_number,
            common_name=_name(subject, NameOID.COMMON_NAME),
            component=_name(subject, NameOID.ORGANIZATIONAL_UNIT_NAME),
            system=_name(subject, NameOID.ORGANIZATION_NAME),
            uris=_uris(certificate),
            usages=_usages(certificate),
            key=_key_type(certificate),
        )
    except ValueError as error:
        raise BoardFault(f"a certificate cannot be read: {error}") from error


def chain_problem(chain: Sequence[str], root_pem: str) -> str:
    """Return what OpenSSL has against a chain; empty when it verifies to the root.

    :param chain: certificates (PEM), the leaf first.
    """
    with tempfile.TemporaryDirectory(prefix="guardian-judging-") as place:
        leaf, others, root = (Path(place) / name for name in ("leaf.pem", "others.pem", "root.pem"))
        leaf.write_text(chain[0])
        others.write_text("\n".join(chain[1:]))
        root.write_text(root_pem)
        untrusted = ["-untrusted", str(others)] if chain[1:] else []
        done = _openssl(["verify", "-x509_strict", "-no-CApath", "-CAfile", str(root), *untrusted, str(leaf)])
    return "" if done.returncode == 0 else _said(done)


def proof_problem(leaf_pem: str, challenge: bytes, signature: bytes) -> str:
    """Return what OpenSSL has against a signature; empty when a certificate's own key made it.

    :param challenge: that was to be signed: by ECDSA with SHA-256, or by Ed25519.
    """
    certificate = x509.load_pem_x509_certificate(leaf_pem.encode())
    public = certificate.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    with tempfile.TemporaryDirectory(prefix="guardian-judging-") as place:
        key, data, signed = (Path(place) / name for name in ("key.pem", "challenge", "signature"))
        key.write_bytes(public)
        data.write_bytes(challenge)
        signed.write_bytes(signature)
        if isinstance(certificate.public_key(), ed25519.Ed25519PublicKey):
            words = ["pkeyutl", "-verify", "-pubin", "-inkey", str(key), "-rawin", "-in", str(data)]
            done = _openssl([*words, "-sigfile", str(signed)])
        else:
            done = _openssl(["dgst", "-sha256", "-verify", str(key), "-signature", str(signed), str(data)])
    return "" if done.returncode == 0 else _said(done)


def _openssl(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["openssl", *words],  # noqa: S607 - the host's own, whichever it is
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
    except OSError as error:
        raise RigFault(f"openssl, which judges certificates, cannot be run: {error}") from error
    except subprocess.TimeoutExpired as error:
        raise RigFault(f"openssl {words[0]} did not end within {DEADLINE:g} s") from error


def _said(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return " / ".join(lines) or f"exit code {done.returncode}"


def _name(subject: x509.Name, oid: x509.ObjectIdentifier) -> str:
    return ",".join(str(each.value) for each in subject.get_attributes_for_oid(oid))


def _uris(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(names.get_values_for_type(x509.UniformResourceIdentifier))


def _usages(certificate: x509.Certificate) -> frozenset[str]:
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(_USAGES.get(usage, usage.dotted_string) for usage in usages)


def _key_type(certificate: x509.Certificate) -> KeyType | None:
    key = certificate.public_key()
    if isinstance(key, ed25519.Ed25519PublicKey):
        return KeyType.ED25519
    if isinstance(key, ec.EllipticCurvePublicKey):
        return {"secp256r1": KeyType.P256, "secp384r1": KeyType.P384}.get(key.curve.name)
    return None
