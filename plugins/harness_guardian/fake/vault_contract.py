"""What the service wants of its link to Vault, and what comes of issuing. The link itself knows HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness_guardian.enums import ErrorCode
    from harness_guardian.fake.clock import Clock
    from harness_guardian.fake.records import (
        CertificateSlot,
        ComponentInstance,
        IssuedCertificate,
        ProvisioningRequest,
        System,
    )

LEAF_HOURS = 78_840
"""Nine years, the most for a device's certificate: it must not outlive the authority that signs it."""


class VaultTimeout(Exception):
    """No complete answer came within the system's time-out."""


class VaultRefused(Exception):
    """Vault answered, but did not do what it was asked.

    :ivar status: of its answer; 0 when the connection broke.
    """

    def __init__(self, status: int, detail: str) -> None:
        """Say what Vault said."""
        super().__init__(detail)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemTrust:
    """What Vault made for a system.

    :ivar profile_signer_kid: RFC 7638 thumbprint of the key that signs certified profiles.
    :ivar profile_signer_jwk: its public half.
    """

    root_pem: str
    intermediate_pem: str
    profile_signer_kid: str
    profile_signer_jwk: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultCertificate:
    """A certificate as Vault has it."""

    pem: str
    revoked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """Everything was signed.

    :ivar certified_profile: JWS compact (guardian fact sheet, section 10.4).
    :ivar created_at: seconds since the epoch, by the organisation's clock.
    """

    response_id: str
    created_at: float
    certificates: tuple[IssuedCertificate, ...]
    certified_profile: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Issuing failed; what had been signed before it is revoked already."""

    code: ErrorCode
    detail: str


class VaultCalls(Protocol):
    """The link to Vault as the service uses it. Nothing here blocks the loop."""

    async def set_up(self, system: System) -> SystemTrust:
        """Make the mounts, issuers, roles and the profile key of a system.

        :raises VaultTimeout: no answer in time.
        :raises VaultRefused: Vault did not do it.
        """

    async def set_roles(self, system: System) -> None:
        """Let the roles be those of the definition as it is now.

        :raises VaultTimeout: see :meth:`set_up`.
        :raises VaultRefused: see :meth:`set_up`.
        """

    async def tear_down(self, system: System) -> None:
        """Remove what :meth:`set_up` made.

        :raises VaultTimeout: see :meth:`set_up`.
        :raises VaultRefused: see :meth:`set_up`.
        """

    async def read_certificate(
        self, system: System, serial: str, *, request_id: str
    ) -> VaultCertificate | None:
        """Look a certificate up.

        :param serial: hexadecimal digits with colons.
        :param request_id: whose verification wants it; for Vault's log.
        :return: ``None`` when Vault knows no such certificate.
        :raises VaultTimeout: no answer within the time-out of the system.
        :raises VaultRefused: Vault did not say.
        """

    async def read_issuer(self, system: System, *, request_id: str) -> str:
        """Return the certificate of the system's intermediate authority, in PEM.

        :raises VaultTimeout: see :meth:`read_certificate`.
        :raises VaultRefused: the Vault has none, or did not say.
        """

    async def sign_certificate(
        self, request: ProvisioningRequest, device: ComponentInstance, slot: CertificateSlot, csr: bytes
    ) -> IssuedCertificate:
        """Let the PKI sign what a device asks for one of its slots. What came back is not judged here.

        :param request: whose system, component and hardware id the certificate gets.
        :param device: whose id the certificate gets.
        :param csr: DER of the PKCS#10 request.
        :raises VaultTimeout: see :meth:`read_certificate`.
        :raises VaultRefused: the Vault did not sign; see the kinds in ``vault_errors``.
        """

    async def sign_profile(self, system: System, content: bytes, *, request_id: str) -> str:
        """Let the profile signer sign, and return the signature as a JWS has it (ES256, base64url).

        :raises VaultTimeout: see :meth:`read_certificate`.
        :raises VaultRefused: the Vault did not sign.
        """

    def crl_url(self, system: System) -> str:
        """Return where the list of a system's revoked certificates is read."""

    async def revoke(self, system: System, serial: str) -> None:
        """Revoke a certificate; one that is revoked already, or unknown, is left alone.

        :raises VaultTimeout: see :meth:`read_certificate`.
        :raises VaultRefused: see :meth:`read_certificate`.
        """


class Issuer(Protocol):
    """Phase P behind the re-check: read the issuer, read leafs, sign certificates, sign the profile."""

    async def __call__(
        self, link: VaultCalls, clock: Clock, request: ProvisioningRequest
    ) -> Issued | Failure:
        """Issue what a provisioning request asks for (guardian fact sheet, section 3: step 8).

        :param clock: the organisation's.
        :param request: its system, component and component instance are known by now.
        """
