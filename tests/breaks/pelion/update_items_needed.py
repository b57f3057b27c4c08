"""Break: a device without update resources is not configured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.enums import Item
from harness_pelion.virtual import fcc
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from datetime import datetime

    from harness_pelion.virtual.kcm import Kcm

TITLE = "a device without an item of the update resources is not configured"
EXPECTED = ("test_status.py::test_item_that_may_be_missing[*",)
ABOUT = r"configured"

before = existing(fcc, "_check_update_items")


@replaces(fcc, "_check_update_items")
def _check_update_items(kcm: Kcm, now: datetime) -> None:
    """Need all three."""
    for item in (Item.UPDATE_AUTH_CERT, Item.VENDOR_ID, Item.CLASS_ID):
        fcc._existing(kcm, item)
    before(kcm, now)
