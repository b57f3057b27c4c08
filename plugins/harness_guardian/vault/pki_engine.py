"""A PKI mount: roles, signatures, certificates and their revocation (guardian fact sheet, section 11.1)."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from starlette.responses import Response

from harness_guardian.vault.answers import not_found, refused
from harness_guardian.vault.csr import read_csr
from harness_guardian.vault.engine_call import NOTHING, Data, EngineCall, Operation, engine_path, run
from harness_guardian.vault.fields import text_field
from harness_guardian.vault.pki_authorities import Authorities
from harness_guardian.vault.pki_certificates import build_crl, pem_of
from harness_guardian.vault.pki_roles import Role, parse_role
from harness_guardian.vault.pki_signing import SigningOrder, sign, sign_verbatim
from harness_guardian.vault.serials import colon_serial, parse_serial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_guardian.vault.engine_call import EnginePath
    from harness_guardian.vault.pki_certificates import Issuer

MOST_ROLES = 10_000
_PEM_CHAIN = "application/pem-certificate-chain"
_PEM = "application/x-pem-file"


@dataclass(slots=True)
class _Stored:
    """A certificate that was signed here.

    :ivar revoked_at: ``None``: it was not.
    """

    certificate: x509.Certificate
    issuer: Issuer
    revoked_at: datetime | None = None


class PkiEngine:
    """One mount of the PKI engine."""

    #: What anybody may read, without a token.
    UNAUTHENTICATED = ("ca", "ca/pem", "ca_chain", "crl", "crl/pem")
    UNAUTHENTICATED_BELOW = ("cert/",)

    def __init__(self, default_ttl: int, max_ttl: int) -> None:
        """Begin with nothing.

        :param default_ttl: seconds that a certificate is valid when neither caller nor role says.
        :param max_ttl: the most.
        """
        self._default_ttl = default_ttl
        self._max_ttl = max_ttl
        self._authorities = Authorities()
        self._roles: dict[str, Role] = {}
        self._certificates: dict[int, _Stored] = {}
        self._crl: dict[str, x509.CertificateRevocationList] = {}
        self._crl_number = 0
        self._paths = self._all_paths()

    def handle(self, call: EngineCall) -> Data | Response:
        """Answer a call.

        :raises VaultProblem: it is refused.
        """
        return run(self._paths, call)

    def forget(self, serial: str) -> bool:
        """Forget a certificate as if it had never been stored, and tell whether it was."""
        number = parse_serial(serial)
        return number is not None and self._certificates.pop(number, None) is not None

    def revoke(self, serial: str) -> bool:
        """Revoke a certificate without a call, and tell whether it is there."""
        stored = self._certificates.get(parse_serial(serial) or -1)
        if stored is None:
            return False
        self._revoke_stored(stored)
        return True

    def _all_paths(self) -> Sequence[EnginePath]:
        read, write, delete, list_ = Operation.READ, Operation.WRITE, Operation.DELETE, Operation.LIST
        return [
            engine_path(write, "root/generate/:type", self._generate_root),
            engine_path(write, "intermediate/generate/:type", self._generate_intermediate),
            engine_path(write, "root/sign-intermediate", self._sign_intermediate),
            engine_path(write, "intermediate/set-signed", self._set_signed),
            engine_path(list_, "issuers", self._list_issuers),
            engine_path(read, "issuer/:ref", self._read_issuer),
            engine_path(write, "issuer/:ref", self._update_issuer),
            engine_path(read, "config/issuers", self._read_default),
            engine_path(write, "config/issuers", self._write_default),
            engine_path(list_, "roles", self._list_roles),
            engine_path(read, "roles/:name", self._read_role),
            engine_path(write, "roles/:name", self._write_role),
            engine_path(delete, "roles/:name", self._delete_role),
            engine_path(write, "sign/:role", self._sign),
            engine_path(write, "issuer/:ref/sign/:role", self._sign_by_issuer),
            engine_path(write, "sign-verbatim", self._sign_verbatim),
            engine_path(write, "sign-verbatim/:role", self._sign_verbatim),
            engine_path(read, "cert/:serial", self._read_certificate),
            engine_path(list_, "certs", self._list_certificates),
            engine_path(write, "revoke", self._revoke),
            engine_path(read, "ca", self._ca_der),
            engine_path(read, "ca/pem", self._ca_pem),
            engine_path(read, "ca_chain", self._ca_chain),
            engine_path(read, "crl", self._crl_der),
            engine_path(read, "crl/pem", self._crl_pem),
        ]

    # Authorities -------------------------------------------------------------------------------------

    def _generate_root(self, call: EngineCall) -> Data:
        _internal_only(call)
        issuer, answer = self._authorities.generate_root(call.parameters, self._max_ttl)
        answer["serial_number"] = self._store(issuer.certificate, issuer)
        return Data(data=answer)

    def _generate_intermediate(self, call: EngineCall) -> Data:
        _internal_only(call)
        return Data(data=self._authorities.generate_intermediate(call.parameters))

    def _sign_intermediate(self, call: EngineCall) -> Data:
        csr = read_csr(call.parameters)
        issuer, certificate = self._authorities.sign_intermediate(csr, call.parameters, self._max_ttl)
        return Data(data=self._signed(certificate, issuer, call.parameters))

    def _set_signed(self, call: EngineCall) -> Data:
        return Data(data=self._authorities.import_bundle(call.parameters))

    def _list_issuers(self, _call: EngineCall) -> Data:
        issuers = self._authorities.issuers
        if not issuers:
            raise not_found()
        return Data(
            data={
                "keys": list(issuers),
                "key_info": {
                    issuer.id: {
                        "issuer_name": issuer.name,
                        "is_default": issuer.id == self._authorities.default,
                        "key_id": issuer.key_id,
                        "serial_number": colon_serial(issuer.certificate.serial_number),
                    }
                    for issuer in issuers.values()
                },
            }
        )

    def _read_issuer(self, call: EngineCall) -> Data:
        issuer = self._authorities.find(call.groups[0])
        call.logged.serial = colon_serial(issuer.certificate.serial_number)
        return Data(data=self._authorities.to_json(issuer))

    def _update_issuer(self, call: EngineCall) -> Data:
        issuer = self._authorities.find(call.groups[0])
        self._authorities.update(issuer, call.parameters)
        return Data(data=self._authorities.to_json(issuer))

    def _read_default(self, _call: EngineCall) -> Data:
        return Data(data={"default": self._authorities.default, "default_follows_latest_issuer": False})

    def _write_default(self, call: EngineCall) -> Data:
        self._authorities.choose_default(text_field(call.parameters, "default"))
        return self._read_default(call)

    # Roles ---------------------------------------------------------------------------------------------

    def _list_roles(self, _call: EngineCall) -> Data:
        if not self._roles:
            raise not_found()
        return Data(data={"keys": sorted(self._roles)})

    def _read_role(self, call: EngineCall) -> Data:
        role = self._roles.get(call.groups[0])
        if role is None:
            raise not_found()
        return Data(data=role.to_json())

    def _write_role(self, call: EngineCall) -> Data:
        if len(self._roles) >= MOST_ROLES:
            raise refused(f"{MOST_ROLES} roles are the most")
        name = call.groups[0]
        self._roles[name] = parse_role(name, call.parameters)
        return Data(data=self._roles[name].to_json())

    def _delete_role(self, call: EngineCall) -> Data:
        self._roles.pop(call.groups[0], None)
        return NOTHING

    # Signatures ----------------------------------------------------------------------------------------

    def _sign(self, call: EngineCall) -> Data:
        role = self._role(call.groups[0], call)
        return self._sign_with(role, role.issuer_ref, call)

    def _sign_by_issuer(self, call: EngineCall) -> Data:
        return self._sign_with(self._role(call.groups[1], call), call.groups[0], call)

    def _sign_with(self, role: Role, reference: str, call: EngineCall) -> Data:
        issuer = self._authorities.signing(reference)
        csr = read_csr(call.parameters)
        order = SigningOrder(csr, call.parameters, self._default_ttl, self._max_ttl, call.forgery)
        certificate, warnings = sign(role, issuer, order)
        return self._answer_signed(certificate, issuer, call, warnings)

    def _sign_verbatim(self, call: EngineCall) -> Data:
        role = self._role(call.groups[0], call) if call.groups else None
        issuer = self._authorities.signing(role.issuer_ref if role else "default")
        csr = read_csr(call.parameters)
        order = SigningOrder(csr, call.parameters, self._default_ttl, self._max_ttl, call.forgery)
        certificate, warnings = sign_verbatim(role, issuer, order)
        return self._answer_signed(certificate, issuer, call, warnings)

    def _answer_signed(
        self, certificate: x509.Certificate, issuer: Issuer, call: EngineCall, warnings: tuple[str, ...]
    ) -> Data:
        answer = self._signed(certificate, issuer, call.parameters)
        call.logged.serial = answer["serial_number"]
        return Data(data=answer, warnings=warnings)

    def _role(self, name: str, call: EngineCall) -> Role:
        call.logged.role = name
        role = self._roles.get(name)
        if role is None:
            raise refused(f"unknown role: {name}")
        return role

    def _signed(self, certificate: x509.Certificate, issuer: Issuer, parameters: Any) -> dict[str, Any]:
        form = text_field(parameters, "format", "pem")
        chain = self._authorities.chain(issuer)
        if form not in {"pem", "pem_bundle", "der"}:
            raise refused('the "format" path parameter must be "pem", "der", or "pem_bundle"')
        write = _base64_der if form == "der" else pem_of
        content = write(certificate)
        if form == "pem_bundle":
            content = "\n".join([content, *(pem_of(each) for each in chain if each.issuer != each.subject)])
        return {
            "certificate": content,
            "issuing_ca": write(chain[0]),
            "ca_chain": [write(each) for each in chain],
            "serial_number": self._store(certificate, issuer),
            "expiration": int(certificate.not_valid_after_utc.timestamp()),
            "not_before": int(certificate.not_valid_before_utc.timestamp()),
        }

    def _store(self, certificate: x509.Certificate, issuer: Issuer) -> str:
        self._certificates[certificate.serial_number] = _Stored(certificate, issuer)
        return colon_serial(certificate.serial_number)

    # Certificates --------------------------------------------------------------------------------------

    def _read_certificate(self, call: EngineCall) -> Data:
        which = call.groups[0]
        if which in {"ca", "ca_chain", "crl"}:
            return Data(data=self._well_known(which))
        number = parse_serial(which)
        if number is not None:
            call.logged.serial = colon_serial(number)
        stored = self._certificates.get(-1 if number is None else number)
        if stored is None:
            raise not_found()
        since = stored.revoked_at
        chain = self._authorities.chain(stored.issuer)
        return Data(
            data={
                "certificate": f"{pem_of(stored.certificate)}\n",
                "ca_chain": "\n".join(pem_of(each) for each in chain),
                "revocation_time": 0 if since is None else int(since.timestamp()),
                "revocation_time_rfc3339": "" if since is None else f"{since:%Y-%m-%dT%H:%M:%SZ}",
                "issuer_id": stored.issuer.id,
            }
        )

    def _well_known(self, which: str) -> dict[str, Any]:
        issuer = self._authorities.find("default")
        if which == "crl":
            return {"certificate": f"{pem_of(self._current_crl(issuer))}\n", "revocation_time": 0}
        chain = self._authorities.chain(issuer) if which == "ca_chain" else [issuer.certificate]
        return {"certificate": "\n".join(pem_of(each) for each in chain), "revocation_time": 0}

    def _list_certificates(self, _call: EngineCall) -> Data:
        if not self._certificates:
            raise not_found()
        return Data(data={"keys": [colon_serial(each).replace(":", "-") for each in self._certificates]})

    def _revoke(self, call: EngineCall) -> Data:
        serial = text_field(call.parameters, "serial_number")
        content = text_field(call.parameters, "certificate")
        if serial and content:
            raise refused("must provide either the certificate or the serial to revoke; not both.")
        if not serial and not content:
            raise refused("The serial number or certificate to revoke must be provided.")
        if content:
            try:
                number: int | None = x509.load_pem_x509_certificate(content.encode()).serial_number
            except ValueError as error:
                raise refused("certificate contains no data or bad data") from error
            serial = colon_serial(number or 0)
        else:
            number = parse_serial(serial)
            serial = serial if number is None else colon_serial(number)
        call.logged.serial = serial
        stored = self._certificates.get(-1 if number is None else number)
        if stored is None:
            raise refused(f"certificate with serial {serial} not found.")
        since = self._revoke_stored(stored)
        return Data(
            data={
                "revocation_time": int(since.timestamp()),
                "revocation_time_rfc3339": f"{since:%Y-%m-%dT%H:%M:%SZ}",
                "state": "revoked",
            }
        )

    def _revoke_stored(self, stored: _Stored) -> datetime:
        if stored.revoked_at is None:
            stored.revoked_at = datetime.now(UTC)
            self._crl.clear()
        return stored.revoked_at

    def _ca_der(self, _call: EngineCall) -> Response:
        content = self._authorities.find("default").certificate.public_bytes(Encoding.DER)
        return Response(content, media_type="application/pkix-cert")

    def _ca_pem(self, _call: EngineCall) -> Response:
        return Response(pem_of(self._authorities.find("default").certificate), media_type=_PEM_CHAIN)

    def _ca_chain(self, _call: EngineCall) -> Response:
        chain = self._authorities.chain(self._authorities.find("default"))
        return Response("\n".join(pem_of(each) for each in chain), media_type=_PEM_CHAIN)

    def _crl_der(self, _call: EngineCall) -> Response:
        crl = self._current_crl(self._authorities.find("default"))
        return Response(crl.public_bytes(Encoding.DER), media_type="application/pkix-crl")

    def _crl_pem(self, _call: EngineCall) -> Response:
        return Response(pem_of(self._current_crl(self._authorities.find("default"))), media_type=_PEM)

    def _current_crl(self, issuer: Issuer) -> x509.CertificateRevocationList:
        """Return an issuer's list of what is revoked now; a new one only when something has changed."""
        crl = self._crl.get(issuer.id)
        if crl is not None and crl.next_update_utc is not None and crl.next_update_utc > datetime.now(UTC):
            return crl
        if issuer.key is None:
            raise not_found()
        revoked = [
            (number, stored.revoked_at)
            for number, stored in self._certificates.items()
            if stored.revoked_at is not None and stored.issuer is issuer
        ]
        self._crl_number += 1
        self._crl[issuer.id] = build_crl(issuer, revoked, self._crl_number)
        return self._crl[issuer.id]


def _internal_only(call: EngineCall) -> None:
    if call.groups[0] != "internal":
        raise refused(f'unsupported type {call.groups[0]!r}: this service keeps its keys, "internal" is all')


def _base64_der(certificate: x509.Certificate) -> str:
    return base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()
