"""Break: the utility is content without the update resources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.virtual import util
from harness_pelion.virtual.util import UPDATE_ITEMS, ProvisioningUtil
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness_pelion.enums import Item
    from harness_pelion.virtual.util import UtilRun

TITLE = "the utility is content without the update resources"
EXPECTED = ("test_injection.py::test_update_file_is_missing[*",)
ABOUT = r"NO_UPDATE|errors"

before = existing(ProvisioningUtil, "_load")


@replaces(ProvisioningUtil, "_load")
def _load(self: ProvisioningUtil, run: UtilRun, items: Mapping[str, Item]) -> dict[Item, bytes] | None:
    """Miss nothing of them."""
    loaded: dict[Item, bytes] | None = before(self, util.UtilRun() if items is UPDATE_ITEMS else run, items)
    return {} if loaded is None and items is UPDATE_ITEMS else loaded
