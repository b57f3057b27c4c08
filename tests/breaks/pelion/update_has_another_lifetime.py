"""Break: an update that names no lifetime gives a registration the default one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.fake.lwm2m_server import DEFAULT_LIFETIME, Lwm2mServer
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_pelion.fake.records import DeviceRecord

TITLE = "an update changes the lifetime of a registration that it does not speak of"
EXPECTED = ("test_registration.py::test_lifetime_after_an_update_ends",)
ABOUT = r"DEREGISTERED"

before = existing(Lwm2mServer, "_lifetime")


@replaces(Lwm2mServer, "_lifetime")
def _lifetime(self: Lwm2mServer, device: DeviceRecord, said: dict[str, str], usual: int) -> int:
    """Forget what was said at the registration."""
    seconds: int = before(self, device, said, DEFAULT_LIFETIME)
    return seconds
