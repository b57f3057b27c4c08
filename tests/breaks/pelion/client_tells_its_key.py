"""Break: the device's client writes its private key into its log."""

from __future__ import annotations

from harness_pelion.enums import Item
from harness_pelion.virtual.cloud_client import CloudClient
from tests.breaks.support.patching import existing, replaces

TITLE = "a private key is in the log of the device's client"
EXPECTED = (
    "test_evidence.py::test_device_is_registered",
    "test_registration.py::test_device_deregisters",
)
ABOUT = r"has a private key in it"

before = existing(CloudClient, "bootstrapping")


@replaces(CloudClient, "bootstrapping")
def bootstrapping(self: CloudClient) -> None:
    """Say with what."""
    before(self)
    self._log.info((self._kcm.get(Item.BOOTSTRAP_DEVICE_PRIVATE_KEY) or b"").hex())
