"""Break: an API key that was deleted lets in as before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.fake.accounts import Accounts
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_pelion.fake.records import Account, ApiKey

TITLE = "a deleted API key lets in as before"
EXPECTED = ("test_api.py::test_deleted_key",)
ABOUT = r"DID NOT RAISE"


@replaces(Accounts, "remove_key")
def remove_key(self: Accounts, account: Account, key: ApiKey) -> None:
    """Take it off the list only."""
    account.keys.pop(key.id, None)
