"""Break: over SSH what is said counts, and not how the command ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian import driver_ssh
from harness_guardian.driver_models import Outcome
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness.ssh import Ended

TITLE = "provisioning by SSH is taken for good, whatever its exit status"
NOTICED_BY = (
    "tests/guardian/test_driver_ssh.py::test_end_of_provisioning[said2-*]",
    "tests/guardian/test_driver_ssh.py::test_end_of_provisioning[said3-*]",
    "tests/guardian/test_driver_ssh.py::test_end_of_provisioning[said4-*]",
)
ABOUT = "running.wait"


@replaces(driver_ssh.SshLink, "outcome")
def outcome(self: driver_ssh.SshLink, done: Ended) -> Outcome:
    """Believe that all went well."""
    return Outcome(0, "OK", "provisioned")
