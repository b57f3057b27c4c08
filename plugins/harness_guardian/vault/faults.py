"""Faults to order: which call is to go wrong, how, for whom, and how often.

A call meets one fault at most, the oldest that is meant for it. What Guardian makes of each: guardian fact
sheet, section 11.3.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from harness_guardian.vault.call_log import VaultCall
from harness_guardian.vault.serials import parse_serial, same_serial

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_FAULTS = 1000
ANY_CALL = "any"
LONGEST_DELAY = 3600.0


class VaultFaultKind(StrEnum):
    """How a call goes wrong."""

    STATUS = "status"
    WRONG_KEY = "wrong-key"
    WRONG_SUBJECT = "wrong-subject"
    BAD_SIGNATURE = "bad-signature"
    DELAY = "delay"
    HANG_UP = "hang-up"
    NOT_FOUND = "not-found"
    UNKNOWN_ISSUER = "unknown-issuer"


FAULTY_CALLS = frozenset(
    {VaultCall.SIGN, VaultCall.SIGN_PROFILE, VaultCall.READ_ISSUER, VaultCall.READ_CERTIFICATE}
)
"""The calls that ``any`` stands for: those of a provisioning request, not those that set a system up."""

_FORGERIES = {
    VaultFaultKind.WRONG_KEY: frozenset({VaultCall.SIGN}),
    VaultFaultKind.WRONG_SUBJECT: frozenset({VaultCall.SIGN}),
    VaultFaultKind.BAD_SIGNATURE: frozenset({VaultCall.SIGN, VaultCall.SIGN_PROFILE}),
    VaultFaultKind.UNKNOWN_ISSUER: frozenset({VaultCall.SIGN, VaultCall.READ_ISSUER}),
}


_WITH_SERIAL = frozenset({VaultCall.READ_CERTIFICATE, VaultCall.REVOKE})
"""The calls that name a certificate."""


@dataclass(slots=True, kw_only=True)
class VaultFault:
    """One fault that was ordered.

    :ivar concerns: tells of the id of a system whether the fault is meant for it.
    :ivar calls: which calls it may strike.
    :ivar serial: the only certificate whose calls it strikes; ``None``: any.
    :ivar orderer: whose test ordered it.
    :ivar left: how often it will strike yet; ``None``: until it is removed.
    :ivar removed: set when it is taken away, which also ends its delays.
    """

    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    concerns: Callable[[str], bool]
    calls: frozenset[VaultCall]
    kind: VaultFaultKind
    serial: str | None
    status: int
    errors: tuple[str, ...]
    seconds: float
    left: int | None
    orderer: str
    struck: int = 0
    removed: asyncio.Event = field(default_factory=asyncio.Event)

    def is_for(self, call: VaultCall, system: str | None, serial: str | None) -> bool:
        """Tell whether a call may meet it."""
        return (
            self.left != 0
            and call in self.calls
            and (self.serial is None or (serial is not None and same_serial(self.serial, serial)))
            and system is not None
            and self.concerns(system)
        )


class VaultFaults:
    """The faults that are ordered now."""

    def __init__(self) -> None:
        """Begin without any."""
        self._ordered: dict[str, VaultFault] = {}

    def order(  # noqa: PLR0913 - a keyword for each thing that can be ordered
        self,
        *,
        concerns: Callable[[str], bool],
        call: str,
        kind: str,
        serial: str | None = None,
        status: int | None = None,
        errors: tuple[str, ...] | None = None,
        seconds: float = 0.0,
        times: int | None = 1,
        orderer: str = "",
    ) -> str:
        """Let a fault wait for its calls.

        :param concerns: tells of the id of a system whether the fault is meant for it.
        :param call: ``sign``, ``sign-profile``, ``read-issuer``, ``read-certificate``, ``revoke`` or ``any``.
        :param kind: see :class:`VaultFaultKind`.
        :param serial: of the one certificate that a call has to name.
        :param status: of the answer, with the kind ``status``; 500 unless given.
        :param errors: texts of that answer.
        :param seconds: of a delay.
        :param times: how often it strikes; ``None``: until it is removed.
        :return: its id.
        :raises ValueError: it makes no sense; the text says what is wrong and what was expected.
        """
        names = [*(call.value for call in FAULTY_CALLS | {VaultCall.REVOKE}), ANY_CALL]
        if call not in names:
            raise ValueError(f"call: {call!r}; expected one of {', '.join(sorted(names))}")
        if kind not in set(VaultFaultKind):
            raise ValueError(f"kind: {kind!r}; expected one of {', '.join(sorted(VaultFaultKind))}")
        chosen = VaultFaultKind(kind)
        calls = FAULTY_CALLS if call == ANY_CALL else frozenset({VaultCall(call)})
        possible = calls & _FORGERIES.get(chosen, calls)
        if not possible:
            raise ValueError(f"kind: {kind!r} cannot happen to {call!r}")
        if status is not None and not 400 <= status <= 599:  # noqa: PLR2004 - statuses of errors
            raise ValueError(f"status: {status}; expected 400 to 599")
        if not 0 <= seconds <= LONGEST_DELAY:
            raise ValueError(f"seconds: {seconds}; expected 0 to {LONGEST_DELAY:g}")
        if chosen is VaultFaultKind.DELAY and not seconds:
            raise ValueError("seconds: expected with a delay")
        if serial is not None and not possible & _WITH_SERIAL:
            raise ValueError(f"serial: {call!r} is about no certificate that has one yet")
        if serial is not None and parse_serial(serial) is None:
            raise ValueError(f"serial: {serial[:80]!r}; expected pairs of hexadecimal digits")
        if times is not None and times < 1:
            raise ValueError(f"times: {times}; expected 1 or more, or nothing")
        if len(self._ordered) >= MOST_FAULTS:
            raise ValueError(f"{MOST_FAULTS} faults are ordered, which is the most")
        fault = VaultFault(
            concerns=concerns,
            calls=possible,
            kind=chosen,
            serial=serial,
            status=status or 500,
            errors=("ordered by a test",) if errors is None else errors,
            seconds=seconds,
            left=times,
            orderer=orderer,
        )
        self._ordered[fault.id] = fault
        return fault.id

    def remove(self, identifier: str) -> bool:
        """Take a fault back, and tell whether it was there."""
        fault = self._ordered.pop(identifier, None)
        if fault is not None:
            fault.removed.set()
        return fault is not None

    def remove_all_of(self, orderer: str) -> int:
        """Take back what one orderer's tests ordered, and return how many that were."""
        gone = [fault.id for fault in self._ordered.values() if fault.orderer == orderer]
        return sum(self.remove(identifier) for identifier in gone)

    def ordered(self) -> list[dict[str, Any]]:
        """Return what is ordered as plain data."""
        return [
            {"id": fault.id, "kind": fault.kind.value, "left": fault.left, "struck": fault.struck}
            for fault in self._ordered.values()
        ]

    def strike(self, call: VaultCall, system: str | None, serial: str | None) -> VaultFault | None:
        """Return the fault that a call meets, if any, and count it."""
        for fault in self._ordered.values():
            if fault.is_for(call, system, serial):
                fault.struck += 1
                if fault.left is not None:
                    fault.left -= 1
                return fault
        return None
