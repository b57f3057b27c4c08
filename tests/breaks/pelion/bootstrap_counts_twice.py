"""Break: each bootstrap puts two devices into the directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.fake.directory import Directory
from harness_pelion.fake.records import new_id
from tests.breaks.support.patching import existing, replaces
from tests.breaks.support.pelion import be_impatient

if TYPE_CHECKING:
    from datetime import datetime

    from harness_pelion.fake.records import Account, DeveloperCertificate, DeviceRecord

TITLE = "each bootstrap counts as two devices"
EXPECTED = (
    "test_evidence.py::test_device_is_registered",
    "test_bootstrap.py::test_inactive_certificate",
)
ABOUT = r"first_broken"

before = existing(Directory, "bootstrapped")
be_impatient()


@replaces(Directory, "bootstrapped")
def bootstrapped(
    self: Directory,
    account: Account,
    certificate: DeveloperCertificate,
    *,
    device_id: str,
    device_key: str,
    now: datetime,
) -> DeviceRecord:
    """Count it under two ids."""
    before(self, account, certificate, device_id=new_id(), device_key=device_key, now=now)
    device: DeviceRecord = before(
        self, account, certificate, device_id=device_id, device_key=device_key, now=now
    )
    return device
