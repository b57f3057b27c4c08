"""Break: a device registers although its developer certificate was deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.fake.lwm2m_server import Lwm2mServer
from harness_pelion.fake.stream import common_name
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_pelion.fake.records import DeviceRecord
    from harness_pelion.fake.stream import Session

TITLE = "a device registers although its developer certificate was deleted"
NOTICED_BY = (
    "tests/pelion/lwm2m/test_registration.py::test_a_device_is_not_served_without_its_developer_certificate",
)
ABOUT = r"4|code|CREATED|CHANGED"

before = existing(Lwm2mServer, "_who")


@replaces(Lwm2mServer, "_who")
def _who(self: Lwm2mServer, session: Session) -> DeviceRecord:
    """Look no further than the directory."""
    device = self.directory.device(common_name(session.certificate) or "")
    if device is not None and device.certificate == session.certificate:
        return device
    found: DeviceRecord = before(self, session)
    return found
