"""What the fake is ordered to do wrong: once or a few times, for one account, until the test ends.

Each part of the fake asks :meth:`Faults.next` at each of its steps whether something is ordered there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness_pelion.fake.records import new_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

API = "api"
BOOTSTRAP = "bootstrap"
LWM2M = "lwm2m"

_BOOTSTRAP_STEPS = ("handshake", "request", "delete", "security", "server", "device", "finish")
_LWM2M_STEPS = ("handshake", "register", "update", "deregister", "vendor", "class")

_API_KINDS = ("status", "hang_up", "answer_lost", "garbage")
"""status: answered with `status` (and `retry_after`) instead; hang_up: no answer, nothing done; answer_lost:
done, but no answer; garbage: done, but the answer is no JSON."""

_EVERYWHERE = ("refuse", "close", "hold")
"""refuse: the code `code` ("5.03", by default "4.03") instead of an answer, in the handshake an alert; close:
the connection ends instead of the step; hold: nothing is said any more."""

_KINDS: Mapping[str, Mapping[str, Sequence[str]]] = {
    BOOTSTRAP: {
        **dict.fromkeys(_EVERYWHERE, _BOOTSTRAP_STEPS),
        # What the device is given is cut short; it gets a certificate of another key; the authority that it
        # is told to trust is not the LwM2M server's, so that it must refuse that one.
        "damaged-tlv": ("security", "server", "device"),
        "wrong-device-certificate": ("security",),
        "wrong-server-certificate": ("security",),
    },
    LWM2M: dict.fromkeys(_EVERYWHERE, _LWM2M_STEPS),
}
"""What each server can do wrong, and at which steps."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """One thing to do wrong.

    :ivar account_id: whose calls and devices meet it.
    :ivar part: ``api``, ``bootstrap`` or ``lwm2m``.
    :ivar kind: what; one of :meth:`Faults.kinds` of the part.
    :ivar step: where; ``None``: at the next step whatever it is. Steps of the API are called like
        ``POST /v3/developer-certificates`` and ``GET /v3/devices/{id}``.
    :ivar skip: how many such steps go well before.
    :ivar left: how often it strikes yet.
    :ivar details: what the kind needs besides, for example ``status``.
    """

    id: str = field(default_factory=new_id)
    account_id: str
    part: str
    kind: str
    step: str | None = None
    skip: int = 0
    left: int = 1
    details: dict[str, Any] = field(default_factory=dict)


class Faults:
    """What is ordered now, for all accounts."""

    def __init__(self) -> None:
        """Begin without any."""
        self._ordered: dict[str, Fault] = {}
        self._calls: dict[str, None] = {}

    def served(self, call: str) -> None:
        """Take note of a step of the API, for example ``GET /v3/devices/{id}``."""
        self._calls[call] = None

    def kinds(self, part: str) -> list[str]:
        """Return what a part can do wrong."""
        return sorted(_API_KINDS if part == API else _KINDS[part])

    def steps(self, part: str, kind: str) -> Sequence[str]:
        """Return the steps of a part at which something can go wrong so."""
        return tuple(self._calls) if part == API else _KINDS[part][kind]

    def order(self, fault: Fault) -> None:
        """Let a fault wait for its step."""
        self._ordered[fault.id] = fault

    def remove(self, identifier: str) -> bool:
        """Take one back, and tell whether it was still there."""
        return self._ordered.pop(identifier, None) is not None

    def remove_all_of(self, account_id: str) -> None:
        """Take back all that was ordered for an account."""
        for fault in [each for each in self._ordered.values() if each.account_id == account_id]:
            del self._ordered[fault.id]

    def waiting(self, account_id: str) -> list[Fault]:
        """Return what is ordered for an account and has not struck as often as it shall."""
        return [fault for fault in self._ordered.values() if fault.account_id == account_id]

    def next(self, part: str, account_id: str, step: str) -> Fault | None:
        """Return what goes wrong at a step, if anything, and count it.

        :param part: ``api``, ``bootstrap`` or ``lwm2m``.
        :param step: what is being done, in the part's own words.
        """
        for fault in self._ordered.values():
            if fault.part != part or fault.account_id != account_id or not self._is_at(fault, step):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.left -= 1
            if fault.left <= 0:
                del self._ordered[fault.id]
            return fault
        return None

    def _is_at(self, fault: Fault, step: str) -> bool:
        """Tell whether a fault is for a step: the one that it names, else any at which its kind shows."""
        return step == fault.step if fault.step is not None else step in self.steps(fault.part, fault.kind)
