"""Guardian's link to its Vault: documented calls of the PKI and transit engines, through hvac.

Nothing in here knows that the Vault may be ours: a HashiCorp Vault or an OpenBao takes the same calls. What
is asked is documented (guardian fact sheet, section 11.1); which mounts and roles there are is our own.
Nothing is asked twice: what was not answered in time has failed (section 3).
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from harness_guardian.fake.records import IssuedCertificate
from harness_guardian.fake.vault_contract import VaultCertificate, VaultRefused, VaultTimeout
from harness_guardian.fake.vault_errors import VaultNonsense, VaultNotFound
from harness_guardian.fake.vault_lines import VaultLines
from harness_guardian.fake.vault_paths import (
    ISSUER,
    TRANSIT,
    leaf_mount,
    profile_key,
    request_path,
    role_name,
)
from harness_guardian.fake.vault_set_up import SetUp

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness_guardian.fake.records import (
        CertificateSlot,
        ComponentInstance,
        ProvisioningRequest,
        System,
    )
    from harness_guardian.fake.vault_contract import SystemTrust
    from harness_guardian.fake.vault_lines import VaultClient

T = TypeVar("T")

REQUEST_HEADER = "X-Guardian-Request"
SLOT_HEADER = "X-Guardian-Slot"
"""What a call is for. A Vault leaves these unread, or writes them into its audit log when it is told to."""

_SIGNATURE = "vault:v1:"
_UNKNOWN = "not found."  # ends the refusal to revoke a certificate that is not there


class VaultLink:
    """Asks the Vault for the service, without ever blocking its loop."""

    def __init__(self, address: Callable[[], str], token: str, *, ca_file: str | None = None) -> None:
        """Ask a Vault.

        :param address: returns its URL; asked when the first call is made.
        :param token: with the rights to mount engines and to use them.
        :param ca_file: authorities to trust instead of the common ones.
        """
        self._address = address
        self._lines = VaultLines(address, token, ca_file=ca_file)

    async def set_up(self, system: System) -> SystemTrust:
        """Make the mounts, issuers, roles and the profile key of a system; all of it, or nothing.

        :raises VaultTimeout: no answer in time.
        :raises VaultRefused: the Vault did not do it.
        """
        steps = SetUp(self._lines, system)
        try:
            return await steps.run()
        except (VaultTimeout, VaultRefused):
            await self._undo(steps)
            raise

    async def set_roles(self, system: System) -> None:
        """Let the roles be those of the definition as it is now; a role that no slot has any more stays.

        :raises VaultTimeout: no answer in time.
        :raises VaultRefused: the Vault did not do it.
        """
        await SetUp(self._lines, system).write_roles()

    async def tear_down(self, system: System) -> None:
        """Remove what :meth:`set_up` made.

        :raises VaultTimeout: no answer in time.
        :raises VaultRefused: the Vault did not do it.
        """
        await SetUp(self._lines, system).take_down()

    async def read_certificate(
        self, system: System, serial: str, *, request_id: str
    ) -> VaultCertificate | None:
        """Look a certificate up.

        :param serial: hexadecimal digits with colons.
        :param request_id: whose verification or provisioning wants it.
        :return: ``None`` when the Vault knows no such certificate.
        :raises VaultTimeout: no answer within the time-out of the system.
        :raises VaultRefused: the Vault did not say.
        """

        def ask(client: VaultClient) -> VaultCertificate:
            data = client.secrets.pki.read_certificate(serial, mount_point=leaf_mount(system.vault_id))[
                "data"
            ]
            return VaultCertificate(pem=_text(data["certificate"]), revoked=int(data["revocation_time"]) != 0)

        try:
            return await self._ask(system, f"read the certificate {serial}", ask, request_id)
        except VaultNotFound:
            return None

    async def read_issuer(self, system: System, *, request_id: str) -> str:
        """Return the certificate of the system's intermediate authority, in PEM.

        :raises VaultTimeout: no answer within the time-out of the system.
        :raises VaultRefused: the Vault has none, or did not say.
        """

        def ask(client: VaultClient) -> str:
            answer = client.secrets.pki.read_issuer(ISSUER, mount_point=leaf_mount(system.vault_id))
            return _text(answer["data"]["certificate"])

        return await self._ask(system, "read the issuer", ask, request_id)

    async def sign_certificate(
        self, request: ProvisioningRequest, device: ComponentInstance, slot: CertificateSlot, csr: bytes
    ) -> IssuedCertificate:
        """Let the PKI sign what a device asks for one of its slots. What came back is not judged here.

        :param request: whose hardware id the certificate gets.
        :param device: whose system, component and id the certificate gets.
        :param csr: DER of the PKCS#10 request.
        :raises VaultTimeout: no answer within the time-out of the system.
        :raises VaultRefused: the Vault did not sign; see its kinds.
        """
        system = device.system
        role = role_name(device.component_name, slot.slot, slot.pki_role)
        order = {
            "csr": x509.load_der_x509_csr(csr).public_bytes(Encoding.PEM).decode(),
            "common_name": request.hw_id,
            "uri_sans": f"urn:guardian:{device.id}",
            "exclude_cn_from_sans": True,
            "format": "pem",
        }

        def ask(client: VaultClient) -> IssuedCertificate:
            data = client.adapter.post(request_path(system, role), json=order)["data"]
            serial, pem = _text(data["serial_number"]), _text(data["certificate"])
            return IssuedCertificate(slot=slot.slot, serial=serial, pem=pem)

        return await self._ask(system, f"sign for slot {slot.slot}", ask, request.id, slot.slot)

    async def sign_profile(self, system: System, content: bytes, *, request_id: str) -> str:
        """Let the profile signer sign, and return the signature as a JWS has it (ES256, base64url).

        :raises VaultTimeout: no answer within the time-out of the system.
        :raises VaultRefused: the Vault did not sign.
        """

        def ask(client: VaultClient) -> str:
            data = client.secrets.transit.sign_data(
                profile_key(system.vault_id),
                base64.b64encode(content).decode(),
                hash_algorithm="sha2-256",
                marshaling_algorithm="jws",
                mount_point=TRANSIT,
            )["data"]
            signature = _text(data["signature"])
            if not signature.startswith(_SIGNATURE):
                raise ValueError(signature)
            return signature.removeprefix(_SIGNATURE)

        return await self._ask(system, "sign the certified profile", ask, request_id)

    async def revoke(self, system: System, serial: str) -> None:
        """Revoke a certificate; one that is revoked already, or unknown, is left alone.

        :raises VaultTimeout: no answer within the time-out of the system.
        :raises VaultRefused: the Vault did not do it.
        """

        def ask(client: VaultClient) -> int:
            mount = leaf_mount(system.vault_id)
            return int(
                client.secrets.pki.revoke_certificate(serial, mount_point=mount)["data"]["revocation_time"]
            )

        try:
            await self._ask(system, f"revoke the certificate {serial}", ask)
        except VaultNotFound:
            return
        except VaultRefused as refusal:
            if not str(refusal).endswith(_UNKNOWN):
                raise

    def crl_url(self, system: System) -> str:
        """Return where the list of a system's revoked certificates is read; no token is needed there."""
        return f"{self._address().rstrip('/')}/v1/{leaf_mount(system.vault_id)}/crl/pem"

    def close(self) -> None:
        """Cut off what is under way, and end the threads."""
        self._lines.close()

    async def _ask(
        self,
        system: System,
        title: str,
        ask: Callable[[VaultClient], T],
        request_id: str | None = None,
        slot: str | None = None,
    ) -> T:
        told = {REQUEST_HEADER: request_id, SLOT_HEADER: slot}
        headers = {name: value for name, value in told.items() if value is not None and _is_plain(value)}
        return await self._lines.ask(
            f"Vault for system {system.name!r}: {title}",
            ask,
            seconds=system.vault_timeout,
            headers=headers,
        )

    @staticmethod
    async def _undo(steps: SetUp) -> None:
        """Remove what was made before a step failed; a Vault that does not even do that keeps it."""
        try:
            await steps.take_down()
        except (VaultTimeout, VaultRefused):
            return


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise VaultNonsense("a text is missing in the Vault's answer")
    return value


def _is_plain(value: str) -> bool:
    """Tell whether a text can be part of a header."""
    return value.isascii() and value.isprintable()
