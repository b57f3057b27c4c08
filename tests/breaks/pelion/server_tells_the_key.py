"""Break: the bootstrap server notes the API keys of the account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.fake.bootstrap_server import BootstrapServer
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_pelion.fake.bootstrap_server import _Visit
    from harness_pelion.fake.faults import Fault

TITLE = "an API key is in the servers' log"
EXPECTED = ("test_evidence.py::test_device_is_registered",)
ABOUT = r"has an API key in it"

before = existing(BootstrapServer, "_finish")


@replaces(BootstrapServer, "_finish")
async def _finish(self: BootstrapServer, visit: _Visit, _fault: Fault | None) -> None:
    """Note whose device it is."""
    await before(self, visit, _fault)
    keys = [key.secret for key in visit.account.keys.values()]
    self.directory.note(visit.account.id, "whose", keys=keys)
