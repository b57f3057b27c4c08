"""Accounts, their users and keys: who may ask, and what belongs to whom."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from harness_pelion.fake.records import (
    ACTIVE,
    ADMINISTRATORS,
    CERTIFICATES_PER_ACCOUNT,
    DEVICES_PER_CERTIFICATE,
    Account,
    ApiKey,
    User,
    new_id,
)

if TYPE_CHECKING:
    from harness_pelion.fake.clock import Clock
    from harness_pelion.fake.directory import Directory

FIRST_USER = "owner"
"""Name of the user that an account begins with, an administrator."""

_RANDOM_BYTES = 32


class Accounts:
    """All accounts of the fake."""

    def __init__(self, directory: Directory, clock: Clock) -> None:
        """Begin without any.

        :param directory: holds them.
        """
        self._directory = directory
        self._clock = clock
        self._names: dict[str, str] = {}
        self._keys: dict[str, ApiKey] = {}

    def get(self, account_id: str) -> Account | None:
        """Return an account."""
        return self._directory.accounts.get(account_id)

    def add(self, name: str) -> tuple[Account, ApiKey, bool]:
        """Make an account with an administrator, or return the one of that name.

        :return: it, a key of its first user that is active, and whether it was made.
        """
        known = self._directory.accounts.get(self._names.get(name, ""))
        account = known or Account(name=name, created_at=self._clock.now())
        if known is None:
            self._directory.accounts[account.id] = account
            self._names[name] = account.id
        return account, self.add_user(account, FIRST_USER, ADMINISTRATORS)[1], known is None

    def add_user(self, account: Account, name: str, group: str) -> tuple[User, ApiKey, bool]:
        """Make a user with a key, or return the one of that name with a key that is active.

        :param group: of a new user.
        :return: both, and whether the user was made.
        """
        user = account.users.get(name)
        made = user is None
        if user is None:
            user = account.users[name] = User(name=name, group=group)
        for key in account.keys.values():
            if key.owner == user.id and key.status == ACTIVE:
                return user, key, made
        return user, self.add_key(account, f"key of {name}", user.id), made

    def remove_user(self, account: Account, name: str) -> bool:
        """Remove a user and revoke all their keys, and tell whether there was one."""
        user = account.users.pop(name, None)
        if user is None:
            return False
        for key in [each for each in account.keys.values() if each.owner == user.id]:
            self.remove_key(account, key)
        return True

    def user(self, account: Account, user_id: str) -> User | None:
        """Return a user of an account."""
        return next((each for each in account.users.values() if each.id == user_id), None)

    def add_key(self, account: Account, name: str, owner: str) -> ApiKey:
        """Make a key.

        :param owner: id of the user whose it is.
        """
        now = self._clock.now(account.id)
        # The real keys begin like this, and are opaque otherwise (pelion fact sheet, section 4).
        secret = f"ak_1{account.id}{new_id()}{secrets.token_hex(_RANDOM_BYTES)}"
        key = ApiKey(
            account_id=account.id, name=name, secret=secret, owner=owner, created_at=now, updated_at=now
        )
        account.keys[key.id] = key
        self._keys[secret] = key
        return key

    def remove_key(self, account: Account, key: ApiKey) -> None:
        """Revoke a key for ever."""
        account.keys.pop(key.id, None)
        self._keys.pop(key.secret, None)

    def by_key(self, secret: str) -> tuple[Account, ApiKey] | None:
        """Return whose a key is, unless it is unknown, revoked or inactive."""
        key = self._keys.get(secret)
        if key is None or key.status != ACTIVE:
            return None
        key.last_login = self._clock.now(key.account_id)
        return self._directory.accounts[key.account_id], key

    @staticmethod
    def reset(account: Account) -> None:
        """Give an account the limits and the status that it began with."""
        account.status = ACTIVE
        account.devices_per_certificate = DEVICES_PER_CERTIFICATE
        account.certificates_limit = CERTIFICATES_PER_ACCOUNT
