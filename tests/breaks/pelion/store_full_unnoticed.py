"""Break: the key store takes items for which there is no room."""

from __future__ import annotations

from harness_pelion.virtual.kcm import Kcm
from tests.breaks.support.patching import replaces

TITLE = "the key store takes items for which there is no room"
EXPECTED = (
    "test_transfer.py::test_store_takes_nothing[full-*",
    "test_transfer.py::test_store_takes_nothing[read-only-*",
)
ABOUT = r"status"


@replaces(Kcm, "_check_storage")
def _check_storage(self: Kcm, size: int) -> None:
    """Have room."""
