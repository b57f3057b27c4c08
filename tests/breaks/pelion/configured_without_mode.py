"""Break: a device is configured without a word about how it gets its identity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.enums import Item
from harness_pelion.virtual import fcc
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_pelion.virtual.kcm import Kcm

TITLE = "a device is configured without the mode of its bootstrap"
EXPECTED = ("test_status.py::test_item_is_missing[mbed.UseBootstrap]",)
ABOUT = r"status.configured"

before = existing(fcc, "_bootstrap_mode")


@replaces(fcc, "_bootstrap_mode")
def _bootstrap_mode(kcm: Kcm) -> int:
    """Take a bootstrap for granted."""
    return int(before(kcm)) if kcm.get(Item.USE_BOOTSTRAP) is not None else fcc._BOOTSTRAP
