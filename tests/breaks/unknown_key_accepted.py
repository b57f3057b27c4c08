"""Break: any API key is good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.service import ProvisioningService
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.records import Member

TITLE = "any API key is good"
EXPECTED = (
    "test_claiming.py::test_without_a_valid_key*wrong*",
    "test_claiming.py::test_list_without_a_key",
    "test_commands.py::test_command_without_a_key",
    "test_unclaiming.py::test_unclaim_without_a_key",
)
ABOUT = r"401"
SEPARATE = True

before = existing(ProvisioningService, "member")


@replaces(ProvisioningService, "member")
def member(self: ProvisioningService, api_key: str) -> Member:
    """Take somebody for a stranger's key."""
    found: Member = before(self, api_key if api_key in self._members else next(iter(self._members)))
    return found
