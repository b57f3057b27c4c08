"""Roles of the PKI engine: what each lets be signed, and in which words it refuses the rest.

The words: guardian fact sheet, section 11.1.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness_guardian.vault.answers import refused
from harness_guardian.vault.fields import flag_field, list_field, number_field, seconds_field, text_field
from harness_guardian.vault.keys import KEY_TYPES, checked_bits, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_HOST = re.compile(
    r"(?=.{1,253}$)(?:\*\.)?[a-zA-Z0-9_](?:[a-zA-Z0-9_-]{0,61}[a-zA-Z0-9])?"
    r"(?:\.[a-zA-Z0-9_](?:[a-zA-Z0-9_-]{0,61}[a-zA-Z0-9])?)*"
)
_SMALLEST_RSA = 2048
KEY_USAGE = ("DigitalSignature", "KeyAgreement", "KeyEncipherment")
MISSING_NAME = (
    "the common_name field is required, or must be provided in a CSR with "
    '"use_csr_common_name" set to true, unless "require_cn" is set to false'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What may be signed by its name; the fields are those of the API.

    :ivar ttl: seconds; 0: as the mount says.
    :ivar max_ttl: seconds; 0: as the mount says.
    """

    name: str
    issuer_ref: str
    ttl: int
    max_ttl: int
    key_type: str
    key_bits: int
    allow_any_name: bool
    allowed_domains: tuple[str, ...]
    allow_bare_domains: bool
    allow_subdomains: bool
    allow_glob_domains: bool
    allow_localhost: bool
    allow_ip_sans: bool
    allowed_uri_sans: tuple[str, ...]
    enforce_hostnames: bool
    cn_validations: tuple[str, ...]
    require_cn: bool
    use_csr_common_name: bool
    use_csr_sans: bool
    key_usage: tuple[str, ...]
    ext_key_usage: tuple[str, ...]
    server_flag: bool
    client_flag: bool
    ou: tuple[str, ...]
    organization: tuple[str, ...]
    country: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the role as a read of it answers."""
        plain = {name: getattr(self, name) for name in self.__slots__ if name != "name"}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}


def parse_role(name: str, parameters: Mapping[str, Any]) -> Role:
    """Parse what is written to a role; what is not said has Vault's own default.

    :raises VaultProblem: a field does not fit.
    """
    key_type = text_field(parameters, "key_type", "rsa")
    bits = number_field(parameters, "key_bits", 0)
    if key_type not in KEY_TYPES | {"any"}:
        raise refused(f"unknown key type: {key_type}")
    ttl, max_ttl = seconds_field(parameters, "ttl"), seconds_field(parameters, "max_ttl")
    if max_ttl and ttl > max_ttl:
        raise refused('"ttl" value must be less than "max_ttl" value')
    return Role(
        name=name,
        issuer_ref=text_field(parameters, "issuer_ref", "default") or "default",
        ttl=ttl,
        max_ttl=max_ttl,
        key_type=key_type,
        key_bits=bits if key_type == "any" else checked_bits(key_type, bits),
        allow_any_name=flag_field(parameters, "allow_any_name", default=False),
        allowed_domains=list_field(parameters, "allowed_domains"),
        allow_bare_domains=flag_field(parameters, "allow_bare_domains", default=False),
        allow_subdomains=flag_field(parameters, "allow_subdomains", default=False),
        allow_glob_domains=flag_field(parameters, "allow_glob_domains", default=False),
        allow_localhost=flag_field(parameters, "allow_localhost", default=True),
        allow_ip_sans=flag_field(parameters, "allow_ip_sans", default=True),
        allowed_uri_sans=list_field(parameters, "allowed_uri_sans"),
        enforce_hostnames=flag_field(parameters, "enforce_hostnames", default=True),
        cn_validations=list_field(parameters, "cn_validations", ("email", "hostname")),
        require_cn=flag_field(parameters, "require_cn", default=True),
        use_csr_common_name=flag_field(parameters, "use_csr_common_name", default=True),
        use_csr_sans=flag_field(parameters, "use_csr_sans", default=True),
        key_usage=list_field(parameters, "key_usage", KEY_USAGE),
        ext_key_usage=list_field(parameters, "ext_key_usage"),
        server_flag=flag_field(parameters, "server_flag", default=True),
        client_flag=flag_field(parameters, "client_flag", default=True),
        ou=list_field(parameters, "ou"),
        organization=list_field(parameters, "organization"),
        country=list_field(parameters, "country"),
    )


def check_key(role: Role, key: object) -> None:
    """See whether a CSR's key is one that a role allows.

    :raises VaultProblem: it is not.
    """
    key_type, bits = kind_of(key)
    if key_type == "unknown":
        raise refused("unsupported key type in CSR")
    if role.key_type not in {"any", key_type}:
        raise refused(f"role requires keys of type {role.key_type}")
    if key_type == "rsa" and bits < _SMALLEST_RSA:
        raise refused(f"RSA keys < {_SMALLEST_RSA} bits are unsafe and not supported")
    if role.key_type != "any" and bits < role.key_bits:
        raise refused(f"role requires a minimum of a {role.key_bits}-bit key, but CSR's key is {bits} bits")


def check_common_name(role: Role, name: str) -> None:
    """See whether a role lets somebody be called so.

    :raises VaultProblem: it does not.
    """
    if not name:
        if role.require_cn:
            raise refused(MISSING_NAME)
        return
    if role.cn_validations == ("disabled",):
        return
    if not _is_allowed(role, name):
        raise refused(f"common name {name} not allowed by this role")


def check_host_names(role: Role, names: tuple[str, ...]) -> None:
    """See whether a role allows names of hosts beside the common name.

    :raises VaultProblem: it does not.
    """
    for name in names:
        if not _is_allowed(role, name):
            raise refused(f"subject alternate name {name} not allowed by this role")


def check_addresses(role: Role, *, uris: tuple[str, ...], addresses: tuple[str, ...]) -> None:
    """See whether a role allows URIs and IP addresses.

    :raises VaultProblem: it does not.
    """
    if addresses and not role.allow_ip_sans:
        raise refused("IP Subject Alternative Names are not allowed in this role, but were provided")
    if uris and not role.allowed_uri_sans:
        raise refused(
            "URI Subject Alternative Names are not allowed in this role, but were provided via the API"
        )
    for uri in uris:
        if not any(fnmatch.fnmatchcase(uri, pattern) for pattern in role.allowed_uri_sans):
            raise refused(
                "URI Subject Alternative Names were provided via the API which are not valid for this role"
            )


def _is_allowed(role: Role, name: str) -> bool:
    if role.enforce_hostnames and not _HOST.fullmatch(name.rpartition("@")[2]):
        return False
    if role.allow_any_name or (role.allow_localhost and name in {"localhost", "localdomain"}):
        return True
    return any(_fits_domain(role, name, domain) for domain in role.allowed_domains)


def _fits_domain(role: Role, name: str, domain: str) -> bool:
    if role.allow_bare_domains and name == domain:
        return True
    if role.allow_subdomains and name.endswith(f".{domain}"):
        return True
    return role.allow_glob_domains and "*" in domain and fnmatch.fnmatchcase(name, domain)
