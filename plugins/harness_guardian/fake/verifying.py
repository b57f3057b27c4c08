"""Phase V: the checks of a provisioning request in their order; the first that fails wins (section 3)."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, TypeGuard

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from harness_guardian.enums import ErrorCode, SignerKeyState
from harness_guardian.fake import checks
from harness_guardian.fake.checks import Claims, Finding
from harness_guardian.fake.proofs import check_proofs
from harness_guardian.fake.records import COUNTED
from harness_guardian.fake.vault_contract import VaultRefused, VaultTimeout

if TYPE_CHECKING:
    from harness_guardian.fake.choices import Choices
    from harness_guardian.fake.envelopes import PublicKey
    from harness_guardian.fake.organisation import Organisation
    from harness_guardian.fake.records import ComponentInstance, ProvisioningRequest
    from harness_guardian.fake.vault_contract import VaultCalls

IDENTITY_SLOT = "identity"
"""The slot whose certificate is a device's identity (guardian fact sheet, section 10.2)."""


async def verify(
    organisation: Organisation, request: ProvisioningRequest, vault: VaultCalls, choices: Choices
) -> Finding | None:
    """Verify a request.

    One that passes is from then on in progress: a reprovisioning request's device is known and has it among
    its open ones. Nothing else runs between the last check and the return.

    :return: why it fails; ``None`` when it does not.
    """
    finding = (
        checks.check_form(request) or checks.check_known(request) or checks.check_acceptable(request, choices)
    )
    if finding is not None:
        return finding
    claims = claims_of(request)
    if request.reprovision:
        return await _verify_reprovision(organisation, request, claims, vault)
    return _verify_initial(organisation, request, claims)


def claims_of(request: ProvisioningRequest) -> Claims:
    """Return what a request speaks of; the first two steps found nothing.

    :raises ValueError: they were not asked.
    """
    if request.payload is None or request.system is None or request.component is None:
        raise ValueError("a request that is not well speaks of nothing")
    return Claims(
        payload=request.payload,
        system=request.system,
        component=request.component,
        instance=request.system_instance,
    )


def _verify_initial(
    organisation: Organisation, request: ProvisioningRequest, claims: Claims
) -> Finding | None:
    key = claims.system.signer_keys.get(request.envelope.kid)
    if key is None or key.state is not SignerKeyState.ACTIVE:
        text = "is not registered" if key is None else f"is {key.state.value}"
        return Finding(ErrorCode.MISSING_PR_SIGNER_KEY, f"the signer's key {text}")
    return check_proofs(request.envelope, claims, key.public_key) or checks.check_initial(
        organisation, request, claims, COUNTED
    )


async def _verify_reprovision(
    organisation: Organisation, request: ProvisioningRequest, claims: Claims, vault: VaultCalls
) -> Finding | None:
    leaf = request.envelope.chain[0]
    found = organisation.device_with_certificate(claims.system, leaf.serial_number)
    async with AsyncExitStack() as turn:
        if found is not None:
            # Of two requests of one device the one that came first is looked at first.
            await turn.enter_async_context(found[0].verification)
        signer = await _look_up_signer(request, claims, leaf, found, vault)
        if isinstance(signer, Finding):
            return signer
        key = leaf.public_key()
        finding = check_proofs(request.envelope, claims, key) if _signs(key) else _wrong_key()
        finding = finding or checks.check_reprovision(claims, signer, in_progress=bool(signer.open_requests))
        if finding is None:
            request.component_instance = signer
            signer.open_requests.add(request.key)
        return finding


async def _look_up_signer(
    request: ProvisioningRequest,
    claims: Claims,
    leaf: x509.Certificate,
    found: tuple[ComponentInstance, str] | None,
    vault: VaultCalls,
) -> ComponentInstance | Finding:
    """Find the device that a certificate is the identity of (step 3); Vault has to know it, too."""
    serial = colon_hex(leaf.serial_number)
    try:
        known = await vault.read_certificate(claims.system, serial, request_id=request.id)
    except VaultTimeout as error:
        return Finding(ErrorCode.VAULT_REQUEST_TIMEOUT, str(error))
    except VaultRefused as error:
        return _unknown(str(error))
    if known is None:
        return _unknown("Vault does not know the signer's certificate")
    if known.revoked:
        return _unknown("the signer's certificate is revoked")
    if found is None or found[1] != IDENTITY_SLOT or not _is_same(known.pem, leaf):
        return _unknown("the signer's certificate is no device's identity")
    return checks.check_signer(found[0]) or found[0]


def _unknown(detail: str) -> Finding:
    return Finding(ErrorCode.UNABLE_LOOKUP_PROVISION_REQUEST_SIGNER, detail)


def colon_hex(number: int) -> str:
    """Write a serial number as Vault does."""
    digits = f"{number:x}"
    digits = digits.zfill(len(digits) + len(digits) % 2)
    return ":".join(digits[place : place + 2] for place in range(0, len(digits), 2))


def _is_same(pem: str, leaf: x509.Certificate) -> bool:
    try:
        known = x509.load_pem_x509_certificate(pem.encode())
    except ValueError:
        return False
    return known.public_bytes(Encoding.DER) == leaf.public_bytes(Encoding.DER)


def _signs(key: object) -> TypeGuard[PublicKey]:
    return isinstance(key, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey)


def _wrong_key() -> Finding:
    return checks.malformed("the signer's key is none that signs requests")
