"""Break: a device is configured with ids of any size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.enums import Item
from harness_pelion.virtual import fcc
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from datetime import datetime

    from harness_pelion.virtual.kcm import Kcm

TITLE = "a device is configured with ids of any size"
EXPECTED = ("test_status.py::test_id_of_another_size[*",)
ABOUT = r"reason"


@replaces(fcc, "_check_update_items")
def _check_update_items(kcm: Kcm, now: datetime) -> None:
    """Look at the certificate only."""
    update = kcm.get(Item.UPDATE_AUTH_CERT)
    if update is not None:
        fcc._check_expiry(fcc._certificate(update, Item.UPDATE_AUTH_CERT), Item.UPDATE_AUTH_CERT, now)
