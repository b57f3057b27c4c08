"""Certificate chains, as far as the board looks into them (RFC 5280, section 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

T = TypeVar("T", bound=x509.ExtensionType)

_LONGEST = 5


class UnfitChain(Exception):
    """A chain is not to be believed; the text says why."""


def check_chain(
    chain: Sequence[x509.Certificate], root: x509.Certificate, *, hw_id: str, now: datetime
) -> None:
    """Check a chain up to a root.

    :param chain: leaf first; the root itself may stand at its end, or not.
    :param root: the root that is pinned.
    :param hw_id: what the leaf must be called.
    :param now: the time on the board.
    :raises UnfitChain: it does not hold.
    """
    authorities = [each for each in chain[1:] if each != root] + [root]
    if len(authorities) > _LONGEST:
        raise UnfitChain("the chain is too long")
    leaf = chain[0]
    try:
        _check_leaf(leaf, hw_id, now)
        for below, certificate in enumerate(authorities):
            _check_authority(certificate, below, now)
        for subject, issuer in zip([leaf, *authorities], [*authorities, root], strict=True):
            _check_signature(subject, issuer)
    except ValueError as error:  # a certificate that only fails when somebody looks into it
        raise UnfitChain("a certificate of the chain cannot be read") from error


def _check_leaf(leaf: x509.Certificate, hw_id: str, now: datetime) -> None:
    _check_time(leaf, "certificate", now)
    if _is_authority(leaf) is not None:
        raise UnfitChain("the certificate is one of an authority, not of a device")
    names = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if [name.value for name in names] != [hw_id]:
        raise UnfitChain("the certificate names another hardware id")


def _check_authority(certificate: x509.Certificate, below: int, now: datetime) -> None:
    """Check that a certificate may issue others.

    :param below: authorities between it and the leaf.
    """
    _check_time(certificate, "certificate of its issuer", now)
    constraints = _is_authority(certificate)
    if constraints is None:
        raise UnfitChain("its issuer is no authority")
    if constraints.path_length is not None and constraints.path_length < below:
        raise UnfitChain("its issuer may not have so many authorities below it")
    usage = _extension(certificate, x509.KeyUsage)
    if usage is not None and not usage.key_cert_sign:
        raise UnfitChain("its issuer's key may not sign certificates")


def _check_time(certificate: x509.Certificate, what: str, now: datetime) -> None:
    if now < certificate.not_valid_before_utc:
        raise UnfitChain(f"the {what} is not valid yet")
    if now > certificate.not_valid_after_utc:
        raise UnfitChain(f"the {what} has expired")


def _check_signature(certificate: x509.Certificate, issuer: x509.Certificate) -> None:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise UnfitChain("the chain does not lead to the pinned root") from error


def _is_authority(certificate: x509.Certificate) -> x509.BasicConstraints | None:
    constraints = _extension(certificate, x509.BasicConstraints)
    return constraints if constraints is not None and constraints.ca else None


def _extension(certificate: x509.Certificate, kind: type[T]) -> T | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
