"""How a service that is no fake of ours is asked: whose key, which authorities, how fast, and what never.

Hosts and keys: nrfcloud fact sheet, sections 1 and 2.1; a key of the wrong kind: section 9.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harness.backends.credentials import ca_file, read_secret
from harness.backends.http import PATIENCE, Terms
from harness.backends.pacing import RateLimit
from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.backends.contract import Backend, Change

API_KEY_VARIABLE = "NRFCLOUD_API_KEY"
API_KEY = "API key"
"""What it is called in messages."""

CA_FILE_VARIABLE = "NRFCLOUD_CA_FILE"
RATE_VARIABLE = "NRFCLOUD_REQUESTS_PER_SECOND"
REQUESTS_PER_SECOND = 5.0
"""How fast a session asks a service somewhere else, unless told otherwise; its own limits are not known."""

WRONG_KEY = (
    "is it the API key of a team, from the portal? A personal key of the newer web application is refused"
)
_WORKERS_VARIABLE = "PYTEST_XDIST_WORKER_COUNT"
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_CLAIMED_DEVICE = re.compile(rf"/v1/claimed-devices/({_UUID})(?:/.*)?")


def read_api_key(where: str) -> str:
    """Return the key of the team to use: what ``NRFCLOUD_API_KEY`` holds, else the file that is named.

    :param where: the service's address, for messages.
    :raises UsageError: there is none, or others than its owner may read the file.
    """
    key = read_secret(API_KEY_VARIABLE, what=API_KEY)
    if key is None:
        raise UsageError(
            f"no API key for {where}",
            key=API_KEY_VARIABLE,
            expected=f"the API key of a team, in the environment, or {API_KEY_VARIABLE}_FILE",
        )
    return key


def terms_for(backend: Backend, before_change: Callable[[Change], None]) -> Terms:
    """Return on what terms a service is asked that is no fake of this session.

    :param before_change: see :class:`~harness.backends.http.Terms`.
    :raises UsageError: a variable of the environment does not fit.
    """
    per_second = _requests_per_second(backend.url)
    return Terms(
        ca_file=ca_file(CA_FILE_VARIABLE),
        rate=RateLimit(per_second) if per_second else None,
        patience=PATIENCE,
        hints={401: WRONG_KEY},
        before_change=before_change,
    )


def refuse_without_access(backend: Backend) -> None:
    """Look, before anything else is opened, whether this host has what it takes to ask a service elsewhere.

    :raises UsageError: there is no key, others may read it, or a variable of the environment does not fit.
    """
    read_api_key(backend.url)
    terms_for(backend, lambda _change: None)


def _requests_per_second(url: str) -> float:
    """Return how fast this process may ask; workers share what their session may. 0: as fast as it can."""
    text = os.environ.get(RATE_VARIABLE, "")
    if not text:
        total = 0.0 if urlsplit(url).hostname in _LOOPBACK else REQUESTS_PER_SECOND
    elif re.fullmatch(r"[0-9]{1,6}(?:\.[0-9]{1,6})?", text, re.ASCII):
        total = float(text)
    else:
        raise UsageError("no rate", key=RATE_VARIABLE, value=text, expected="a number; 0 for no limit")
    workers = os.environ.get(_WORKERS_VARIABLE, "")
    return total / max(1, int(workers)) if workers.isascii() and workers.isdigit() else total


def changed_device(change: Change) -> str | None:
    """Return the claimed device that a request is about to change, if it names one."""
    match = _CLAIMED_DEVICE.fullmatch(urlsplit(change.url).path)
    return match[1] if match else None


def not_ours(device_id: str, change: Change) -> UsageError:
    """Return the error for a request about a device of the team that nobody claimed here."""
    return UsageError(
        f"{change.operation} would change a device that this session did not claim",
        key="device",
        value=device_id,
        expected="a device that a test claimed: what we did not make is never touched",
    )
