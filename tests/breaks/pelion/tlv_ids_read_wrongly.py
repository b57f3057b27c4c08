"""Break: the device takes one resource of what it is given for another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.virtual import tlv
from tests.breaks.support.patching import existing, replaces
from tests.breaks.support.pelion import be_impatient

if TYPE_CHECKING:
    from harness_pelion.virtual.tlv import Entry, Kind

TITLE = "a device reads the id of a TLV entry wrongly"
EXPECTED = (
    "test_evidence.py::test_device_is_registered",
    "test_evidence.py::test_each_link_holds[log]",
)
ABOUT = r"registered"

before = existing(tlv, "_entry")
be_impatient()


@replaces(tlv, "_entry")
def _entry(kind: Kind, number: int, value: bytes, depth: int) -> Entry:
    """Exchange certificate and authority."""
    entry: Entry = before(kind, {3: 4, 4: 3}.get(number, number), value, depth)
    return entry
