"""Break: a device that no factory made can be claimed."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec

from harness_nordic.fake import tokens
from harness_nordic.fake.records import FactoryRecord
from harness_nordic.fake.service import ProvisioningService
from tests.breaks.support.patching import existing, replaces

TITLE = "a device that no factory made can be claimed"
EXPECTED = ("test_claiming.py::test_unknown_device",)
ABOUT = r"RequestRefused|refused"

before = existing(ProvisioningService, "check_claim")


@replaces(ProvisioningService, "check_claim")
def check_claim(self: ProvisioningService, token: str) -> tuple[FactoryRecord, tokens.Attestation]:
    """Make a record up for a device that nobody knows."""
    attestation = tokens.read_attestation(token)
    if attestation.device_id in self._factory:
        result: tuple[FactoryRecord, tokens.Attestation] = before(self, token)
        return result
    record = FactoryRecord(
        id=attestation.device_id,
        public_key=ec.generate_private_key(ec.SECP256R1()).public_key(),
        imei="359404230000000",
        device_type=attestation.device_type,
        firmware_id=attestation.firmware_id,
    )
    return record, attestation
