"""Signing for others: what a role makes of a CSR, and a signature that takes a CSR as it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.x509.oid import NameOID

from harness_guardian.vault.answers import refused
from harness_guardian.vault.csr import common_name, read_names
from harness_guardian.vault.faults import VaultFaultKind
from harness_guardian.vault.fields import flag_field, list_field, seconds_field, text_field
from harness_guardian.vault.keys import another_key_like, kind_of
from harness_guardian.vault.pki_certificates import (
    Wanted,
    build_certificate,
    general_names,
    subject_name,
    with_broken_signature,
)
from harness_guardian.vault.pki_roles import (
    KEY_USAGE,
    check_addresses,
    check_common_name,
    check_host_names,
    check_key,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness_guardian.vault.pki_certificates import Issuer
    from harness_guardian.vault.pki_roles import Role


@dataclass(frozen=True, slots=True)
class SigningOrder:
    """What is to be signed.

    :ivar forgery: how the certificate is to be another than was asked for, if a test wants that.
    """

    csr: x509.CertificateSigningRequest
    parameters: Mapping[str, Any]
    default_ttl: int
    max_ttl: int
    forgery: VaultFaultKind | None


def sign(role: Role, issuer: Issuer, order: SigningOrder) -> tuple[x509.Certificate, tuple[str, ...]]:
    """Sign what a role allows.

    :return: the certificate, and warnings.
    :raises VaultProblem: the role does not allow it.
    """
    csr, parameters = order.csr, order.parameters
    check_key(role, csr.public_key())
    name = text_field(parameters, "common_name")
    if role.use_csr_common_name and common_name(csr):
        name = common_name(csr)
    check_common_name(role, name)
    asked = read_names(csr) if role.use_csr_sans else None
    hosts = _hosts(role, parameters, asked, name)
    uris = list_field(parameters, "uri_sans")
    addresses = list_field(parameters, "ip_sans")
    if asked is not None:
        uris += tuple(asked.get_values_for_type(x509.UniformResourceIdentifier))
        addresses += tuple(str(each) for each in asked.get_values_for_type(x509.IPAddress))
    check_addresses(role, uris=uris, addresses=addresses)
    seconds, warnings = _lifetime(role, order)
    subject = subject_name(name, ou=role.ou, organization=role.organization, country=role.country)
    wanted = Wanted(
        subject=subject,
        public_key=csr.public_key(),
        seconds=seconds,
        usages=role.key_usage,
        extended_usages=_extended_usages(role),
        alternative_names=general_names(hosts, uris=uris, addresses=addresses),
    )
    return _signed(wanted, issuer, order.forgery), warnings


def sign_verbatim(
    role: Role | None,
    issuer: Issuer,
    order: SigningOrder,
) -> tuple[x509.Certificate, tuple[str, ...]]:
    """Sign a CSR with the subject and names that it has.

    :param role: says how long, if one is named.
    :raises VaultProblem: nobody can sign this.
    """
    if kind_of(order.csr.public_key())[0] == "unknown":
        raise refused("unsupported key type in CSR")
    seconds, warnings = _lifetime(role, order)
    names = read_names(order.csr)
    wanted = Wanted(
        subject=order.csr.subject,
        public_key=order.csr.public_key(),
        seconds=seconds,
        usages=list_field(order.parameters, "key_usage", KEY_USAGE),
        extended_usages=list_field(order.parameters, "ext_key_usage"),
        alternative_names=() if names is None else tuple(names),
    )
    return _signed(wanted, issuer, order.forgery), warnings


def _hosts(
    role: Role, parameters: Mapping[str, Any], asked: x509.SubjectAlternativeName | None, name: str
) -> tuple[str, ...]:
    """Return the names of hosts that a certificate gets beside its subject; they are looked at."""
    hosts = list_field(parameters, "alt_names")
    if asked is not None:
        hosts += tuple(asked.get_values_for_type(x509.DNSName))
        hosts += tuple(asked.get_values_for_type(x509.RFC822Name))
    check_host_names(role, hosts)
    if name and not flag_field(parameters, "exclude_cn_from_sans", default=False):
        hosts = (name, *(host for host in hosts if host != name))
    return hosts


def _lifetime(role: Role | None, order: SigningOrder) -> tuple[int, tuple[str, ...]]:
    """Return how many seconds a certificate is valid, and what is to be said about it."""
    most = min((role.max_ttl if role else 0) or order.max_ttl, order.max_ttl)
    seconds = seconds_field(order.parameters, "ttl") or (role.ttl if role else 0) or order.default_ttl
    if seconds > most:
        told = f'TTL "{seconds}s" is longer than permitted maxTTL "{most}s", so maxTTL is being used'
        return most, (told,)
    return seconds, ()


def _extended_usages(role: Role) -> tuple[str, ...]:
    flagged = [
        name for name, flag in (("ServerAuth", role.server_flag), ("ClientAuth", role.client_flag)) if flag
    ]
    said = [name.lower() for name in role.ext_key_usage]
    return (*role.ext_key_usage, *(name for name in flagged if name.lower() not in said))


def _signed(wanted: Wanted, issuer: Issuer, forgery: VaultFaultKind | None) -> x509.Certificate:
    """Sign, or something else than was wanted where a test ordered that."""
    assert issuer.key is not None  # noqa: S101 - whoever cannot sign is not asked to
    subject, key = wanted.subject, wanted.public_key
    if forgery is VaultFaultKind.WRONG_KEY:
        key = another_key_like(key)
    if forgery is VaultFaultKind.WRONG_SUBJECT:
        others = [part for part in subject if part.oid != NameOID.COMMON_NAME]
        subject = x509.Name([*others, x509.NameAttribute(NameOID.COMMON_NAME, "another device")])
    wanted = replace(wanted, subject=subject, public_key=key)
    certificate = build_certificate(wanted, issuer.key, issuer.certificate)
    return with_broken_signature(certificate) if forgery is VaultFaultKind.BAD_SIGNATURE else certificate
