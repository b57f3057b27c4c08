"""Break: a bootstrap is told with a later time than the registration behind it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from harness_pelion.enums import EventType
from harness_pelion.fake.directory import Directory
from tests.breaks.support.patching import existing, replaces
from tests.breaks.support.pelion import be_impatient

if TYPE_CHECKING:
    from datetime import datetime

    from harness_pelion.fake.records import DeviceEvent, DeviceRecord

TITLE = "events are out of order"
EXPECTED = (
    "test_evidence.py::test_device_is_registered",
    "test_evidence.py::test_each_link_holds[events]",
)
ABOUT = r"events|before"

before = existing(Directory, "_tell")
be_impatient()


@replaces(Directory, "_tell")
def _tell(
    self: Directory, device: DeviceRecord, kind: str, description: str, now: datetime, **changes: Any
) -> DeviceEvent:
    """Be an hour late with a bootstrap."""
    late = timedelta(hours=1) if kind == EventType.BOOTSTRAP else timedelta()
    event: DeviceEvent = before(self, device, kind, description, now + late, **changes)
    return event
