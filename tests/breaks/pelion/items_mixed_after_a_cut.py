"""Break: the utility says that the device is configured while it exchanges its items."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.virtual.util import ProvisioningUtil
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_pelion.virtual.util import UtilRun

TITLE = "old and new items pass for configured together after a power cut"
EXPECTED = ("test_power_cuts.py::test_further_items",)
ABOUT = r"mixture|wrong"


@replaces(ProvisioningUtil, "_begin")
def _begin(self: ProvisioningUtil, run: UtilRun, endpoint_name: bytes) -> bool:
    """Be as configured as before."""
    return True
