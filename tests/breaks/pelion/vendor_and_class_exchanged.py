"""Break: the device tells its class when it is asked for its vendor."""

from __future__ import annotations

from harness_pelion.enums import Item
from harness_pelion.virtual import device_objects
from harness_pelion.virtual.device_objects import UPDATE_IDS
from tests.breaks.support.patching import sets
from tests.breaks.support.pelion import be_impatient

TITLE = "a device exchanges the ids of its vendor and its class"
EXPECTED = (
    "test_evidence.py::test_each_link_holds[directory]",
    "test_evidence.py::test_device_is_registered",
)
ABOUT = r"vendor_id"

be_impatient()
sets(device_objects, "_BYTES", {f"{UPDATE_IDS}/3": Item.CLASS_ID, f"{UPDATE_IDS}/4": Item.VENDOR_ID})
