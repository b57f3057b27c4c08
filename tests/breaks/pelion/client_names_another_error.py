"""Break: the device's client calls every error by one name."""

from __future__ import annotations

from harness_pelion.virtual.client_log import ClientFailure, ClientLog, ErrorName
from tests.breaks.support.patching import existing, replaces

TITLE = "a device calls every error by one name"
EXPECTED = (
    "test_bootstrap.py::test_deleted_certificate",
    "test_bootstrap.py::test_server_cannot_be_reached[*",
    "test_bootstrap.py::test_server_goes_wrong[no answer]",
)
ABOUT = r"set\(errors\) &"

before = existing(ClientLog, "failed")


@replaces(ClientLog, "failed")
def failed(self: ClientLog, failure: ClientFailure) -> None:
    """Know one error only."""
    before(self, ClientFailure(ErrorName.ConnectUnknownError, failure.details))
