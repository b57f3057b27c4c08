"""Issuing: the calls of the Vault that turn an approved request into certificates and a certified profile.

Step 8 of the order of checks behind the repeated ones (guardian fact sheet, section 3): read the issuer, read
the device's current leaf certificates when it is reprovisioned, sign each certificate, sign the profile. Each
call that fails has its error code (section 11.3), and what had been signed before it is revoked.

A signature that was ordered and not answered in time is nobody's: its serial number is not known here.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from harness_guardian.enums import ErrorCode
from harness_guardian.fake.certified_profile import (
    ProfileUnverified,
    payload_of,
    signing_input,
    verified,
)
from harness_guardian.fake.vault_contract import Failure, Issued, VaultRefused, VaultTimeout
from harness_guardian.fake.vault_errors import VaultIssuerUnknown

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

    from harness_guardian.fake.clock import Clock
    from harness_guardian.fake.records import (
        CertificateSlot,
        ComponentInstance,
        IssuedCertificate,
        ProvisioningRequest,
    )
    from harness_guardian.fake.vault_contract import VaultCalls


class IssuingFailed(Exception):
    """A step of issuing failed.

    :ivar code: what the request's status says.
    """

    def __init__(self, code: ErrorCode, detail: str) -> None:
        """Say why."""
        super().__init__(detail)
        self.code = code


async def issue(link: VaultCalls, clock: Clock, request: ProvisioningRequest) -> Issued | Failure:
    """Issue what a provisioning request asks for.

    :param link: the Vault.
    :param clock: the organisation's.
    :param request: its system, component, component instance and payload are known by now.
    :return: what was issued, or why nothing was; then every certificate that had been signed is revoked.
    """
    device = request.component_instance
    assert device is not None  # noqa: S101 - it is made at approval
    signed: list[IssuedCertificate] = []
    try:
        issuer = await _read_issuer(link, device, request)
        if request.reprovision:
            await _look_up_leafs(link, device, request)
        for slot, csr in _wanted(request):
            await _sign(link, request, device, issuer, slot, csr, signed)
        return await _profile(link, clock, request, device, issuer, signed)
    except IssuingFailed as failure:
        left = await revoke_all(link, device, signed)
        return Failure(code=failure.code, detail="; ".join([str(failure), *left]))
    except BaseException:
        # The fake ends, or a defect of ours: what was signed is not left valid without a word either way.
        await asyncio.shield(revoke_all(link, device, signed))
        raise


async def revoke_all(
    link: VaultCalls, device: ComponentInstance, certificates: list[IssuedCertificate]
) -> list[str]:
    """Revoke certificates that no profile will ever hold.

    :return: which the Vault did not revoke, and why, a text each.
    """
    left = []
    for certificate in certificates:
        try:
            await link.revoke(device.system, certificate.serial)
        except (VaultRefused, VaultTimeout) as refusal:
            left.append(f"certificate {certificate.serial} stays valid: {refusal}")
    return left


def _wanted(request: ProvisioningRequest) -> list[tuple[CertificateSlot, bytes]]:
    """Return the slots of the component in its own order, each with the CSR for it."""
    assert request.component is not None  # noqa: S101 - verification knows both, or ends the request
    assert request.payload is not None  # noqa: S101
    asked = {entry.slot: entry.csr for entry in request.payload.csrs}
    return [(slot, asked[slot.slot]) for slot in request.component.certificates]


async def _read_issuer(
    link: VaultCalls, device: ComponentInstance, request: ProvisioningRequest
) -> x509.Certificate:
    code = ErrorCode.FAIL_SIGN_MISSING_SIGNER_CERTIFICATE
    try:
        pem = await link.read_issuer(device.system, request_id=request.id)
        return x509.load_pem_x509_certificate(pem.encode())
    except VaultTimeout as late:
        raise _too_late(late) from late
    except (VaultRefused, ValueError) as refusal:
        raise IssuingFailed(code, f"the issuer's certificate cannot be read: {refusal}") from refusal


async def _look_up_leafs(link: VaultCalls, device: ComponentInstance, request: ProvisioningRequest) -> None:
    """Look up every certificate that the device has now."""
    code = ErrorCode.UNABLE_LOOKUP_DEVICE_CERTIFICATES
    for leaf in device.certificates:
        try:
            known = await link.read_certificate(device.system, leaf.serial, request_id=request.id)
        except VaultTimeout as late:
            raise _too_late(late) from late
        except VaultRefused as refusal:
            raise IssuingFailed(code, str(refusal)) from refusal
        if known is None:
            raise IssuingFailed(code, f"the Vault does not know {leaf.serial}, which is in slot {leaf.slot}")


async def _sign(
    link: VaultCalls,
    request: ProvisioningRequest,
    device: ComponentInstance,
    issuer: x509.Certificate,
    slot: CertificateSlot,
    csr: bytes,
    signed: list[IssuedCertificate],
) -> None:
    """Let one certificate be signed, and see whether it is the one that was asked for."""
    code = ErrorCode.FAIL_SIGN_DEVICE_CERTIFICATES
    try:
        certificate = await link.sign_certificate(request, device, slot, csr)
    except VaultTimeout as late:
        raise _too_late(late) from late
    except VaultIssuerUnknown as refusal:
        raise IssuingFailed(ErrorCode.FAIL_SIGN_MISSING_SIGNER_CERTIFICATE, str(refusal)) from refusal
    except VaultRefused as refusal:
        raise IssuingFailed(code, str(refusal)) from refusal
    signed.append(certificate)
    fault = fault_of(certificate, request, device, issuer, csr)
    if fault is not None:
        raise IssuingFailed(code, f"the certificate for slot {slot.slot} {fault}")


def fault_of(
    certificate: IssuedCertificate,
    request: ProvisioningRequest,
    device: ComponentInstance,
    issuer: x509.Certificate,
    csr: bytes,
) -> str | None:
    """Return what is wrong with a certificate that came back, if anything is."""
    try:
        leaf = x509.load_pem_x509_certificate(certificate.pem.encode())
        key, number = leaf.public_key(), leaf.serial_number
    except ValueError:
        return "cannot be read"
    if _key_bytes(key) != _key_bytes(x509.load_der_x509_csr(csr).public_key()):
        return "has another key than the request"
    if not _names(leaf, request, device):
        return f"has another subject: {leaf.subject.rfc4514_string()}"
    if certificate.number != number:
        return "has another serial number than the Vault says"
    try:
        leaf.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return "is not signed by the issuer"
    return None


def _names(leaf: x509.Certificate, request: ProvisioningRequest, device: ComponentInstance) -> bool:
    """Tell whether a certificate names the device, its component and its system, and nobody else."""
    subject = {
        NameOID.COMMON_NAME: request.hw_id,
        NameOID.ORGANIZATIONAL_UNIT_NAME: device.component_name,
        NameOID.ORGANIZATION_NAME: device.system.name,
    }
    return all(
        [attribute.value for attribute in leaf.subject.get_attributes_for_oid(oid)] == [value]
        for oid, value in subject.items()
    )


async def _profile(
    link: VaultCalls,
    clock: Clock,
    request: ProvisioningRequest,
    device: ComponentInstance,
    issuer: x509.Certificate,
    signed: list[IssuedCertificate],
) -> Issued:
    code = ErrorCode.FAIL_SIGN_DEVICE_CERTIFIED_PROFILE
    trust = device.system.trust
    assert trust is not None  # noqa: S101 - nothing is provisioned before its system is set up
    response_id, now = str(uuid.uuid4()), clock.seconds()
    payload = payload_of(
        request,
        device,
        issuer,
        signed,
        response_id=response_id,
        issued_at=now,
        crl_url=link.crl_url(device.system),
    )
    content = signing_input(payload, trust.profile_signer_kid)
    try:
        signature = await link.sign_profile(device.system, content.encode(), request_id=request.id)
        profile = verified(f"{content}.{signature}", trust.profile_signer_jwk)
    except VaultTimeout as late:
        raise _too_late(late) from late
    except (VaultRefused, ProfileUnverified) as refusal:
        raise IssuingFailed(code, str(refusal)) from refusal
    return Issued(
        response_id=response_id, created_at=now, certificates=tuple(signed), certified_profile=profile
    )


def _too_late(late: VaultTimeout) -> IssuingFailed:
    return IssuingFailed(ErrorCode.VAULT_REQUEST_TIMEOUT, str(late))


def _key_bytes(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
