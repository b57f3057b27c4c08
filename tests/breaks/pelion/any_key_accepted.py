"""Break: an API key that nobody was given opens some account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.fake.accounts import Accounts
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_pelion.fake.records import Account, ApiKey

TITLE = "an API key that nobody was given opens some account"
EXPECTED = ("test_api.py::test_wrong_key",)
ABOUT = r"DID NOT RAISE"

before = existing(Accounts, "by_key")


@replaces(Accounts, "by_key")
def by_key(self: Accounts, secret: str) -> tuple[Account, ApiKey] | None:
    """Take a wrong key for any right one."""
    found: tuple[Account, ApiKey] | None = before(self, secret)
    return found or before(self, next(iter(self._keys), ""))
