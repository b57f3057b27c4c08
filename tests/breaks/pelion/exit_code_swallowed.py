"""Break: the driver does not look at the exit status of the utility."""

from __future__ import annotations

from harness_pelion.driver_models import Outcome
from harness_pelion.driver_steps import RemoteDevice
from tests.breaks.support.patching import existing, replaces

TITLE = "the exit status of the utility is swallowed"
EXPECTED = (
    "test_injection.py::test_developer_file_is_missing[*",
    "test_injection.py::test_update_file_is_missing[*",
)
ABOUT = r"outcome.status"

before = existing(RemoteDevice, "run_provisioning")


@replaces(RemoteDevice, "run_provisioning")
def run_provisioning(self: RemoteDevice) -> Outcome:
    """Believe that it went well."""
    said: Outcome = before(self)
    return Outcome(status=0, output=said.output, errors=said.errors)
