"""The authorities of a PKI mount: generated, signed, imported, named, read."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from harness_guardian.vault.answers import VaultProblem, not_found, refused
from harness_guardian.vault.fields import list_field, number_field, seconds_field, text_field
from harness_guardian.vault.keys import kind_of, make_key
from harness_guardian.vault.pki_certificates import (
    Issuer,
    Wanted,
    build_certificate,
    build_request,
    pem_of,
    subject_name,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

MOST_ISSUERS = 100
_DEFAULT = "default"
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?", re.ASCII)
_AUTHORITY_USAGES = ("CertSign", "CRLSign")


class Authorities:
    """What a mount knows of authorities, and the keys it has of them.

    :ivar issuers: by id, oldest first.
    :ivar default: id of the one that signs unless another is named; empty: none.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self.issuers: dict[str, Issuer] = {}
        self.default = ""
        self._keys: dict[str, CertificateIssuerPrivateKeyTypes] = {}

    def find(self, reference: str) -> Issuer:
        """Return an issuer by id, by name, or the default one.

        :raises VaultProblem: 404, there is none; a signature says 400 to the same.
        """
        if reference == _DEFAULT:
            reference = self.default
        for issuer in self.issuers.values():
            if reference and reference in {issuer.id, issuer.name}:
                return issuer
        raise not_found(unknown_issuer(reference or _DEFAULT))

    def chain(self, issuer: Issuer) -> list[x509.Certificate]:
        """Return an issuer's certificate and those above it, as far as they are known."""
        chain = [issuer.certificate]
        while chain[-1].issuer != chain[-1].subject and len(chain) <= len(self.issuers):
            above = next(
                (each.certificate for each in self.issuers.values() if _signed_by(chain[-1], each)), None
            )
            if above is None:
                break
            chain.append(above)
        return chain

    def generate_root(self, parameters: Mapping[str, Any], longest: int) -> tuple[Issuer, dict[str, Any]]:
        """Make an authority of its own.

        :param longest: seconds that it may be valid.
        :raises VaultProblem: a field does not fit.
        """
        name = self._free_name(text_field(parameters, "issuer_name"))
        subject = _subject(parameters)
        key_type, bits = text_field(parameters, "key_type", "rsa"), number_field(parameters, "key_bits", 0)
        key = make_key(key_type, bits)
        wanted = Wanted(
            subject=subject,
            public_key=key.public_key(),
            seconds=min(seconds_field(parameters, "ttl") or longest, longest),
            usages=_AUTHORITY_USAGES,
            authority=True,
            path_length=_path_length(parameters),
        )
        issuer = self._add(build_certificate(wanted, key, None), key, name)
        certificate = pem_of(issuer.certificate)
        return issuer, {
            "certificate": certificate,
            "issuing_ca": certificate,
            "expiration": int(issuer.certificate.not_valid_after_utc.timestamp()),
            "serial_number": "",
            "issuer_id": issuer.id,
            "issuer_name": issuer.name,
            "key_id": issuer.key_id,
            "key_name": "",
        }

    def generate_intermediate(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Make a key for an authority that another one will sign, and ask for its certificate.

        :raises VaultProblem: a field does not fit.
        """
        subject = _subject(parameters)
        key_type, bits = text_field(parameters, "key_type", "rsa"), number_field(parameters, "key_bits", 0)
        key = make_key(key_type, bits)
        key_id = str(uuid.uuid4())
        self._keys[key_id] = key
        return {"csr": build_request(subject, key), "key_id": key_id}

    def import_bundle(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Take certificates of authorities in; who of them can sign follows from the keys that are here.

        :raises VaultProblem: there is none among what was given, or one that is no authority.
        """
        text = text_field(parameters, "certificate")
        if not text:
            raise refused('no certificate provided in the "certificate" parameter')
        try:
            certificates = x509.load_pem_x509_certificates(text.encode())
            keys = [_key_bytes(certificate.public_key()) for certificate in certificates]
            constraints = [
                certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
                for certificate in certificates
            ]
        except (ValueError, x509.ExtensionNotFound) as error:
            raise refused(f"no certificates found in the bundle: {error}") from error
        if not all(constraints):
            raise refused(
                "the given certificate is not marked for CA use and cannot be used with this backend"
            )
        mapping, imported, existing = {}, [], []
        for certificate, key_bytes in zip(certificates, keys, strict=True):
            known = next((each for each in self.issuers.values() if each.certificate == certificate), None)
            if known is None:
                key_id, key = next(
                    (
                        (key_id, key)
                        for key_id, key in self._keys.items()
                        if _key_bytes(key.public_key()) == key_bytes
                    ),
                    ("", None),
                )
                issuer = self._add(certificate, key, "", key_id)
                imported.append(issuer.id)
            else:
                issuer = known
                existing.append(issuer.id)
            mapping[issuer.id] = issuer.key_id
        return {
            "imported_issuers": imported,
            "imported_keys": [],
            "existing_issuers": existing,
            "existing_keys": [mapping[issuer] for issuer in imported if mapping[issuer]],
            "mapping": mapping,
        }

    def sign_intermediate(
        self, csr: x509.CertificateSigningRequest, parameters: Mapping[str, Any], longest: int
    ) -> tuple[Issuer, x509.Certificate]:
        """Sign for another authority.

        :raises VaultProblem: a field does not fit, or nobody here can sign.
        """
        issuer = self.signing(text_field(parameters, "issuer_ref", _DEFAULT))
        if kind_of(csr.public_key())[0] == "unknown":
            raise refused("unsupported key type in CSR")
        wanted = Wanted(
            subject=_subject(parameters),
            public_key=csr.public_key(),
            seconds=min(seconds_field(parameters, "ttl") or longest, longest),
            usages=_AUTHORITY_USAGES,
            authority=True,
            path_length=_path_length(parameters),
        )
        assert issuer.key is not None  # noqa: S101 - see signing()
        return issuer, build_certificate(wanted, issuer.key, issuer.certificate)

    def signing(self, reference: str) -> Issuer:
        """Return an issuer that can sign.

        :raises VaultProblem: 400, there is no such one.
        """
        try:
            issuer = self.find(reference)
        except VaultProblem as error:
            raise refused(f"could not fetch the CA certificate (was one set?): {error}") from error
        if issuer.key is None:
            raise refused(f"unable to use issuer {issuer.id}: it has no key")
        return issuer

    def update(self, issuer: Issuer, parameters: Mapping[str, Any]) -> None:
        """Name an issuer.

        :raises VaultProblem: it cannot be called so.
        """
        name = text_field(parameters, "issuer_name", issuer.name)
        if name != issuer.name:
            issuer.name = self._free_name(name)

    def choose_default(self, reference: str) -> Issuer:
        """Let an issuer sign unless another is named.

        :raises VaultProblem: 404, there is none.
        """
        issuer = self.find(reference)
        self.default = issuer.id
        return issuer

    def to_json(self, issuer: Issuer) -> dict[str, Any]:
        """Return an issuer as a read of it answers."""
        return {
            "ca_chain": [f"{pem_of(certificate)}\n" for certificate in self.chain(issuer)],
            "certificate": f"{pem_of(issuer.certificate)}\n",
            "issuer_id": issuer.id,
            "issuer_name": issuer.name,
            "key_id": issuer.key_id,
            "leaf_not_after_behavior": "err",
            "manual_chain": None,
            "revocation_signature_algorithm": "",
            "revoked": False,
            "usage": "crl-signing,issuing-certificates,ocsp-signing,read-only",
        }

    def _add(
        self,
        certificate: x509.Certificate,
        key: CertificateIssuerPrivateKeyTypes | None,
        name: str,
        key_id: str = "",
    ) -> Issuer:
        if len(self.issuers) >= MOST_ISSUERS:
            raise refused(f"{MOST_ISSUERS} issuers are the most")
        if key is not None and not key_id:
            key_id = str(uuid.uuid4())
            self._keys[key_id] = key
        issuer = Issuer(str(uuid.uuid4()), name, certificate, key_id, key)
        self.issuers[issuer.id] = issuer
        if key is not None and not self.default:
            self.default = issuer.id
        return issuer

    def _free_name(self, name: str) -> str:
        if not name:
            return ""
        if name == _DEFAULT:
            raise refused('reserved keyword "default" can not be used as issuer name')
        if not _NAME.fullmatch(name):
            raise refused("issuer name contained invalid characters")
        if any(issuer.name == name for issuer in self.issuers.values()):
            raise refused("issuer name already in use")
        return name


def unknown_issuer(reference: str) -> str:
    """Return the text about an issuer that is not there (guardian fact sheet, section 11.1)."""
    return f"unable to find PKI issuer for reference: {reference}"


def _subject(parameters: Mapping[str, Any]) -> x509.Name:
    name = text_field(parameters, "common_name")
    if not name:
        raise refused("the common_name field is required")
    return subject_name(
        name,
        ou=list_field(parameters, "ou"),
        organization=list_field(parameters, "organization"),
        country=list_field(parameters, "country"),
    )


def _path_length(parameters: Mapping[str, Any]) -> int | None:
    if str(parameters.get("max_path_length")) in {"None", "-1"}:
        return None
    return number_field(parameters, "max_path_length", 0, most=100)


def _signed_by(certificate: x509.Certificate, issuer: Issuer) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer.certificate)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _key_bytes(key: Any) -> bytes:
    content: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return content
