"""Break: no event tells of a registration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness_pelion.enums import EventType
from harness_pelion.fake.directory import Directory
from tests.breaks.support.patching import existing, replaces
from tests.breaks.support.pelion import be_impatient

if TYPE_CHECKING:
    from datetime import datetime

    from harness_pelion.fake.records import DeviceEvent, DeviceRecord

TITLE = "no event tells of a registration"
EXPECTED = (
    "test_evidence.py::test_device_is_registered",
    "test_evidence.py::test_each_link_holds[events]",
)
ABOUT = r"no event of a registration"

before = existing(Directory, "_tell")
be_impatient()


@replaces(Directory, "_tell")
def _tell(
    self: Directory, device: DeviceRecord, kind: str, description: str, now: datetime, **changes: Any
) -> DeviceEvent:
    """Keep a registration to oneself."""
    event: DeviceEvent = before(self, device, kind, description, now, **changes)
    if kind == EventType.REGISTRATION:
        self.accounts[device.account_id].events.remove(event)
    return event
