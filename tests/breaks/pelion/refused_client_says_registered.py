"""Break: the device's client says that it is registered, whatever became of it."""

from __future__ import annotations

from harness_pelion.virtual.client_log import ClientFailure, ClientLog
from tests.breaks.support.patching import existing, replaces

TITLE = "a device says that it is registered although it was refused"
EXPECTED = ("test_bootstrap.py::test_deleted_certificate", "test_bootstrap.py::test_another_endpoint_name")
ABOUT = r"not view.registered"

before = existing(ClientLog, "failed")


@replaces(ClientLog, "failed")
def failed(self: ClientLog, failure: ClientFailure) -> None:
    """Pretend that it went well in the end."""
    before(self, failure)
    self.registered("any", "any")
