"""Break: the utility stores the developer's items, and says that it stored all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.enums import Item
from harness_pelion.virtual.util import ProvisioningUtil
from tests.breaks.support.patching import existing, replaces
from tests.breaks.support.pelion import be_impatient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness_pelion.virtual.util import UtilRun

TITLE = "the utility stores one of two groups of items"
EXPECTED = (
    "test_evidence.py::test_each_link_holds[items]",
    "test_evidence.py::test_device_is_registered",
)
ABOUT = r"is missing"

before = existing(ProvisioningUtil, "_store")
be_impatient()


@replaces(ProvisioningUtil, "_store")
def _store(self: ProvisioningUtil, run: UtilRun, group: Mapping[Item, bytes]) -> bool:
    """Leave the update resources out."""
    return Item.VENDOR_ID in group or bool(before(self, run, group))
