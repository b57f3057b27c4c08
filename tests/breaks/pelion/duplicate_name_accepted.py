"""Break: two certificates of an account may have one name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.fake.service import PelionService
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_pelion.fake.records import Account

TITLE = "two certificates of an account may have one name"
EXPECTED = ("test_api.py::test_name_is_taken",)
ABOUT = r"DID NOT RAISE"


@replaces(PelionService, "_check_name")
def _check_name(account: Account, name: str) -> None:
    """Take any name for a new one."""
