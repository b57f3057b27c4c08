"""How a service that is no fake of ours is asked: whose tokens, which authorities, how patiently.

It is asked no faster than a session needs anyway: Guardian's limits are not public (guardian fact sheet, 1).
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from harness.backends.credentials import ca_file, read_secret, read_secret_file
from harness.backends.http import PATIENCE, Terms
from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.backends.contract import Backend, Change

TOKEN_VARIABLE = "GUARDIAN_TOKEN"  # noqa: S105 - the name of a variable
TOKEN_FILE_VARIABLE = "GUARDIAN_TOKEN_FILE"  # noqa: S105 - the name of a variable
CA_FILE_VARIABLE = "GUARDIAN_CA_FILE"
APPLIANCE_VARIABLE = "GUARDIAN_APPLIANCE_URL"
OTHER_TOKENS = {
    "other_admin": "GUARDIAN_OTHER_ADMIN_TOKEN",
    "reporter": "GUARDIAN_REPORTER_TOKEN",
    "limited": "GUARDIAN_LIMITED_TOKEN",
    "other_limited": "GUARDIAN_OTHER_LIMITED_TOKEN",
}
"""The variables of further users, each with or without ``_FILE``; a test that needs none does without."""

WRONG_TOKEN = "is it the token of a user with the role Admin, and still valid?"  # noqa: S105 - a hint
TOKEN = "token"  # noqa: S105 - what it is called


def read_tokens(where: str) -> dict[str, str]:
    """Return the tokens of the environment by their users; ``admin`` is there, the others may be.

    :param where: the service's address, for messages.
    :raises UsageError: the administrator's is missing, or a variable does not fit.
    """
    admin = read_token(TOKEN_VARIABLE)
    if admin is None:
        raise UsageError(
            f"no token for {where}",
            key=TOKEN_VARIABLE,
            expected=f"the token of an Admin, in the environment, or {TOKEN_FILE_VARIABLE}",
        )
    others = {user: read_token(variable) for user, variable in OTHER_TOKENS.items()}
    return {"admin": admin, **{user: token for user, token in others.items() if token is not None}}


def read_token(variable: str) -> str | None:
    """Return what a variable holds, or the file that it names with ``_FILE`` behind it.

    :raises UsageError: it does not fit.
    """
    return read_secret(variable, what=TOKEN)


def read_token_file(file: Path, *, named_by: str) -> str:
    """Read a token that its owner alone can read.

    :param named_by: option that names the file, for messages.
    :raises UsageError: there is no such file, others may read it, or it holds no token.
    """
    return read_secret_file(file, named_by=named_by, what=TOKEN)


def terms_for(before_change: Callable[[Change], None]) -> Terms:
    """Return on what terms a service is asked that is no fake of this session.

    :param before_change: see :class:`~harness.backends.http.Terms`.
    :raises UsageError: a variable of the environment does not fit.
    """
    return Terms(
        ca_file=ca_file(CA_FILE_VARIABLE),
        patience=PATIENCE,
        hints={401: WRONG_TOKEN},
        before_change=before_change,
    )


def appliance_url() -> str | None:
    """Return where the appliance is that belongs to the service, if one is named."""
    return os.environ.get(APPLIANCE_VARIABLE, "").rstrip("/") or None


def refuse_without_access(backend: Backend) -> None:
    """Look, before anything else is opened, whether this host has what it takes to ask a service elsewhere.

    :raises UsageError: there is no token, others may read it, or a variable of the environment does not fit.
    """
    read_tokens(backend.url)
    terms_for(lambda _change: None)


def fingerprint(token: str) -> str:
    """Return what tells a token from others and does not give it away."""
    derived = hashlib.pbkdf2_hmac("sha256", token.encode(), b"provisioning harness: whose system", 10_000)
    return derived[:8].hex()
