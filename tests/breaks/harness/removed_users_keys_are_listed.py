"""Break: keys of a user whom Pelion's fake removed are listed as before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.fake.accounts import Accounts
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_pelion.fake.records import Account

TITLE = "keys of a removed user are listed as before"
NOTICED_BY = ("tests/pelion/fake/test_control_socket.py::test_users",)
ABOUT = r"names - left"

before = existing(Accounts, "remove_user")


@replaces(Accounts, "remove_user")
def remove_user(self: Accounts, account: Account, name: str) -> bool:
    """Revoke them, and keep them in the list."""
    keys = dict(account.keys)
    there: bool = before(self, account, name)
    account.keys.update(keys)
    return there
