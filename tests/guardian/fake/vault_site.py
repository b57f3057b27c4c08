"""The service with a real link to a Vault of ours that listens, and devices on paper."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from harness_guardian.enums import ErrorCode, Status
from harness_guardian.fake.clock import Clock
from harness_guardian.fake.service import GuardianService
from harness_guardian.fake.vault_link import VaultLink
from tests.guardian.fake.domain import AT_ONCE, Domain
from tests.guardian.making import SLOTS, make_key
from tests.guardian.vault.served import TOKEN

if TYPE_CHECKING:
    from harness_guardian.fake.records import ProvisioningRequest, System
    from tests.guardian.making import PaperDevice
    from tests.guardian.vault.served import Served

USAGES = {"identity": ["clientAuth"], "tls": ["serverAuth", "clientAuth"], "signing": []}
COMPONENT: dict[str, Any] = {
    "name": "pump",
    "certificates": [
        {"slot": slot, "pki_role": slot, "ttl": "8760h", "key": kind, "eku": USAGES[slot]}
        for slot, kind in SLOTS.items()
    ],
}


class VaultSite(Domain):
    """A service with one organisation, whose Vault listens.

    :ivar served: the Vault.
    :ivar link: asks it.
    """

    def __init__(self, served: Served) -> None:
        self._runner = asyncio.Runner()
        self.served = served
        self.link = VaultLink(lambda: served.url, TOKEN)
        self.service = GuardianService(Clock(), AT_ONCE, self.link)
        self.organisation = self.service.add_organisation("acme")[0]
        self.key = make_key()
        self._usual: System | None = None

    def close(self) -> None:
        self.link.close()
        super().close()

    def three_slots(self, approval: str = "Automatic", **settings: Any) -> tuple[System, PaperDevice]:
        """Make a system whose component has three slots, and a device of it."""
        system = self.system(approval, COMPONENT, **settings)
        return system, self.device(system, slots=dict(SLOTS))

    def usual(self) -> tuple[System, PaperDevice]:
        """Return the one system with three slots that tests share, and a new device of it."""
        if self._usual is None:
            self._usual = self.three_slots(vault_timeout=20)[0]
        return self._usual, self.device(self._usual, slots=dict(SLOTS))

    def provisioned(self, device: PaperDevice) -> ProvisioningRequest:
        """Provision a device on paper, which takes what it gets."""
        made = device.request()
        row = self.submit(made)
        assert row.status is Status.PROVISIONED, row.history[-1]
        assert row.certified_profile is not None
        device.take(row.certified_profile, made)
        return row

    def failed(self, device: PaperDevice) -> tuple[ErrorCode | None, ProvisioningRequest]:
        """Submit a request of a device, and return the code that it fails with."""
        row = self.submit(device.request())
        assert row.status is Status.ERROR, row.history[-1]
        assert row.certified_profile is None
        return row.error_code, row

    def order(self, system: System, **fault: Any) -> str:
        """Order a fault of the Vault for a system."""
        return self.served.order(system=system.vault_id, **fault)

    def calls(self, system: System, *subjects: str) -> list[dict[str, Any]]:
        """Return the Vault's log of a system, without what sets it up."""
        wanted = subjects or ("sign", "sign-profile", "read-issuer", "read-certificate", "revoke")
        return [call for call in self.served.service.log.of_system(system.vault_id) if call["call"] in wanted]

    def signed_for(self, row: ProvisioningRequest) -> list[str]:
        """Return the serial numbers of all that the Vault has signed for a request."""
        assert row.system is not None
        calls = self.calls(row.system, "sign")
        return [call["serial"] for call in calls if call["request_id"] == row.id and call["status"] == 200]

    def is_revoked(self, system: System, serial: str) -> bool:
        """Tell whether the Vault has revoked a certificate; it has to know it."""
        known = self.run(self.link.read_certificate(system, serial, request_id=""))
        assert known is not None
        return bool(known.revoked)
