"""How a service that is no fake of ours is asked: with whose key, which authorities, how patiently."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from harness.backends.credentials import ca_file, read_secret
from harness.backends.http import PATIENCE, Terms
from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.backends.contract import Backend, Change

KEY_VARIABLE = "PELION_API_KEY"
CA_FILE_VARIABLE = "PELION_CA_FILE"
WRONG_KEY = f"is {KEY_VARIABLE} a key of this account, and still active?"


def read_api_key(where: str) -> str:
    """Return the API key of the environment.

    :param where: the service's address, for the message.
    :raises UsageError: there is none, others may read its file, or it does not fit.
    """
    key = read_secret(KEY_VARIABLE, what="API key")
    if key is None:
        raise UsageError(
            f"no API key for {where}",
            key=KEY_VARIABLE,
            expected=f"a key of the account, in the environment, or {KEY_VARIABLE}_FILE",
        )
    return key


def terms_for(before_change: Callable[[Change], None] = lambda _change: None) -> Terms:
    """Return on what terms a service is asked that is no fake of this session.

    :param before_change: see :class:`~harness.backends.http.Terms`.
    :raises UsageError: a variable of the environment does not fit.
    """
    return Terms(
        ca_file=ca_file(CA_FILE_VARIABLE),
        patience=PATIENCE,
        hints={401: WRONG_KEY},
        before_change=before_change,
    )


def refuse_without_access(backend: Backend) -> None:
    """Look, before anything else is opened, whether this host has what it takes to ask a service elsewhere.

    :raises UsageError: there is no key, others may read it, or a variable of the environment does not fit.
    """
    read_api_key(backend.url)
    terms_for()


def fingerprint(key: str) -> str:
    """Return what tells a key from others and does not give it away."""
    derived = hashlib.pbkdf2_hmac("sha256", key.encode(), b"provisioning harness: whose account", 10_000)
    return derived[:8].hex()
