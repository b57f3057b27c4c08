"""The log of calls: what was asked of the Vault, for which system, and what came of it.

What a call is about follows from its path alone, and the system from the names of mount and key, which have
the system's id in them. Two headers that a real Vault leaves unread, or writes into its audit log when told
to, say what a call was made for: the provisioning request and the slot.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

REQUEST_HEADER = "x-guardian-request"
SLOT_HEADER = "x-guardian-slot"
MOST_CALLS_KEPT = 200_000
"""A session of 10,000 requests makes about 50,000 calls."""

_SYSTEM = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
_LONGEST_PURPOSE = 64


class VaultCall(StrEnum):
    """What a call is about, as faults and the log name it."""

    SIGN = "sign"
    SIGN_PROFILE = "sign-profile"
    READ_ISSUER = "read-issuer"
    READ_CERTIFICATE = "read-certificate"
    REVOKE = "revoke"
    SET_UP = "set-up"
    TEAR_DOWN = "tear-down"
    OTHER = "other"


@dataclass(slots=True, kw_only=True)
class LoggedCall:
    """One call.

    :ivar system: id of the system whose mount or key it named; ``None``: no system's.
    :ivar role: of a signature by the PKI.
    :ivar slot: what the certificate was asked for, as the caller said; ``None`` if it did not.
    :ivar serial: of the certificate that was issued, read or revoked, in hex with colons.
    :ivar status: of the answer; ``None``: the caller got none.
    :ivar request_id: of the provisioning request, as the caller said; ``None`` if it did not.
    :ivar seconds: from the end of the head of the request to the answer, without its way through the network.
        That is what a benchmark subtracts to see what everything around the signatures costs.
    """

    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    call: VaultCall
    system: str | None
    method: str
    path: str
    role: str | None = None
    slot: str | None = None
    serial: str | None = None
    status: int | None = None
    request_id: str | None = None
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "at": self.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "call": self.call.value,
            "system": self.system,
            "method": self.method,
            "path": self.path,
            "role": self.role,
            "slot": self.slot,
            "serial": self.serial,
            "status": self.status,
            "request_id": self.request_id,
            "seconds": self.seconds,
        }


class CallLog:
    """The calls, oldest first; the oldest are forgotten when there are very many."""

    def __init__(self) -> None:
        """Begin empty."""
        self._calls: deque[LoggedCall] = deque(maxlen=MOST_CALLS_KEPT)

    def begin(self, call: LoggedCall) -> LoggedCall:
        """Write down that a call was made; what comes of it is filled in."""
        self._calls.append(call)
        return call

    def calls(self, system: str | None = None) -> list[LoggedCall]:
        """Return the calls for one system, or all."""
        return [call for call in self._calls if system is None or call.system == system]

    def of_system(self, system: str) -> list[dict[str, Any]]:
        """Return the calls for one system as plain data."""
        return [call.to_json() for call in self.calls(system)]


def system_of(*names: str) -> str | None:
    """Return the id of a system that is part of a name, if any is."""
    for name in names:
        match = _SYSTEM.search(name)
        if match:
            return match[0]
    return None


def purpose(value: str | None) -> str | None:
    """Return what a header says, if it is fit to be kept."""
    if value is None or len(value) > _LONGEST_PURPOSE or not value.isprintable():
        return None
    return value or None
