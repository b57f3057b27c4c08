"""Break: an account may have any number of certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.fake.service import PelionService
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_pelion.fake.records import Account

TITLE = "an account may have any number of certificates"
EXPECTED = ("test_api.py::test_too_many_certificates",)
ABOUT = r"DID NOT RAISE"


@replaces(PelionService, "_check_limit")
def _check_limit(self: PelionService, account: Account) -> None:
    """Have room for all of them."""
