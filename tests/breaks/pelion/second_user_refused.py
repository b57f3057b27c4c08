"""Break: only the first user of an account gets in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.fake.accounts import FIRST_USER, Accounts
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_pelion.fake.records import Account, ApiKey

TITLE = "only the first user of an account gets in"
NOTICED_BY = ("tests/pelion/fake/test_keys_api.py::test_users_share_the_account",)
ABOUT = r"401|200|status"

before = existing(Accounts, "by_key")


@replaces(Accounts, "by_key")
def by_key(self: Accounts, secret: str) -> tuple[Account, ApiKey] | None:
    """Know one user only."""
    found: tuple[Account, ApiKey] | None = before(self, secret)
    if found is None:
        return None
    user = self.user(found[0], found[1].owner)
    return found if user is not None and user.name == FIRST_USER else None
