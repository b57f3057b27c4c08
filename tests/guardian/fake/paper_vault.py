"""A Vault on paper for tests of the doors: authorities and profiles by other tools, without any HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from harness_guardian.fake.records import IssuedCertificate
from harness_guardian.fake.vault_contract import SystemTrust, VaultCertificate, VaultRefused
from tests.guardian.making import base64url, public_jwk_of, thumbprint_of
from tests.guardian.making_profiles import make_authority

if TYPE_CHECKING:
    from harness_guardian.fake.records import (
        CertificateSlot,
        ComponentInstance,
        ProvisioningRequest,
        System,
    )
    from tests.guardian.making_profiles import Authority


class PaperVault:
    """What the service wants of its link to Vault, without a Vault.

    :ivar known: certificates (PEM) by serial number, and whether they are revoked.
    :ivar refused: calls that it refuses: ``sign``.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self.known: dict[str, VaultCertificate] = {}
        self.refused: set[str] = set()
        self._authorities: dict[str, Authority] = {}
        self._signer = ec.generate_private_key(ec.SECP256R1())

    async def set_up(self, system: System) -> SystemTrust:
        """Make the authority of a system."""
        made = self._authorities[system.id] = make_authority(system.name)
        return SystemTrust(
            root_pem=made.root.public_bytes(Encoding.PEM).decode(),
            intermediate_pem=made.intermediate.public_bytes(Encoding.PEM).decode(),
            profile_signer_kid=thumbprint_of(self._signer),
            profile_signer_jwk=public_jwk_of(self._signer),
        )

    async def set_roles(self, system: System) -> None:
        """Know every role."""

    async def tear_down(self, system: System) -> None:
        """Forget the authority of a system."""
        self._authorities.pop(system.id, None)

    async def read_certificate(
        self, system: System, serial: str, *, request_id: str
    ) -> VaultCertificate | None:
        """Look a certificate up."""
        del system, request_id
        return self.known.get(serial)

    async def revoke(self, system: System, serial: str) -> None:
        """Revoke a certificate."""
        del system
        self.known[serial] = VaultCertificate(pem=self.known[serial].pem, revoked=True)

    def crl_url(self, system: System) -> str:
        """Return where nobody listens."""
        return f"http://127.0.0.1/{system.vault_id}/crl"

    async def read_issuer(self, system: System, *, request_id: str) -> str:
        """Return the intermediate's certificate."""
        del request_id
        return self._authorities[system.id].intermediate.public_bytes(Encoding.PEM).decode()

    async def sign_certificate(
        self, request: ProvisioningRequest, device: ComponentInstance, slot: CertificateSlot, csr: bytes
    ) -> IssuedCertificate:
        """Sign what a device asks for, unless that is refused."""
        if "sign" in self.refused:
            raise VaultRefused(500, "told to")
        leaf = self._authorities[device.system.id].issue(
            x509.load_der_x509_csr(csr).public_key(),
            hw_id=request.hw_id,
            component=request.component_name,
            system=request.system_name,
            instance_id=device.id,
        )
        digits = f"{leaf.serial_number:x}"
        digits = digits.zfill(len(digits) + len(digits) % 2)
        serial = ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))
        pem = leaf.public_bytes(Encoding.PEM).decode()
        self.known[serial] = VaultCertificate(pem=pem, revoked=False)
        return IssuedCertificate(slot=slot.slot, serial=serial, pem=pem)

    async def sign_profile(self, system: System, content: bytes, *, request_id: str) -> str:
        """Sign a certified profile: the two numbers of ES256, one behind the other (RFC 7518, 3.4)."""
        del system, request_id
        r, s = decode_dss_signature(self._signer.sign(content, ec.ECDSA(hashes.SHA256())))
        return base64url(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
