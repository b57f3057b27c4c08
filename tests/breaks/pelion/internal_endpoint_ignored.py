"""Break: the bootstrap server does not look at the id that a device got before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.fake.bootstrap_server import BootstrapServer
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_pelion.fake.records import Account, DeveloperCertificate

TITLE = "a device that bootstraps again becomes another one"
EXPECTED = ("test_registration.py::test_enrolment_is_lost",)
ABOUT = r"device_id|device.id"

before = existing(BootstrapServer, "_device_id")


@replaces(BootstrapServer, "_device_id")
def _device_id(
    self: BootstrapServer, account: Account, certificate: DeveloperCertificate, said: dict[str, str]
) -> str:
    """Overhear who it says it was."""
    overheard = {name: value for name, value in said.items() if name != "iep"}
    return str(before(self, account, certificate, overheard))
