"""Break: the utility ends with 0 whatever it said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.virtual.util import SUCCESS, ProvisioningUtil
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_pelion.virtual.util import UtilRun

TITLE = "the utility ends with 0 whatever it said"
EXPECTED = ("test_injection.py::test_nothing_was_copied",)
ABOUT = r"status == 1|status"

before = existing(ProvisioningUtil, "_provision")


@replaces(ProvisioningUtil, "_provision")
def _provision(self: ProvisioningUtil, run: UtilRun) -> None:
    """Forget how it ended."""
    before(self, run)
    run.status = SUCCESS
