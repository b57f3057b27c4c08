"""What only a fake does on order: faults of its Vault, states that are held, dwell, clock; and Vault's log.

Everything ordered here is gone when the test ends, or with the block of the ``with`` statement.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from harness.backends.answers import parse_answer
from harness.backends.orders import Order
from harness.errors import BackendFault
from harness_guardian.client_models import OrderedRecord, VaultCall, VaultCalls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.backends.http import ServiceHttp
    from harness_guardian.client_door import Closing
    from harness_guardian.enums import Status

LOG_SECONDS, LOG_PAUSE = 10.0, 0.02
"""How long to wait for a call of Vault, and the pause between two looks at its log."""


class VaultOrders:
    """What a fake's own Vault does on order, and what it was asked (capability ``faults``)."""

    def __init__(self, calls: FaultCalls) -> None:
        """Speak for a client."""
        self._calls = calls

    def fault(
        self,
        system: str | None,
        *,
        call: str,
        kind: str,
        serial: str | None = None,
        status: int | None = None,
        errors: Sequence[str] = (),
        seconds: float | None = None,
        times: int | None = None,
    ) -> Order:
        """Order something to go wrong; it is in force at once.

        :param system: name; ``None``: all systems of the organisation.
        :param call: ``sign``, ``sign-profile``, ``read-issuer``, ``read-certificate`` or ``any``.
        :param kind: ``status``, ``wrong-key``, ``wrong-subject``, ``bad-signature``, ``delay``, ``hang-up``,
            ``not-found`` or ``unknown-issuer``.
        :param serial: of the one certificate that it is about.
        :param status: of the answer, for ``status``.
        :param errors: texts of the answer.
        :param seconds: for ``delay``.
        :param times: how many calls it strikes; ``None``: all.
        :raises RequestRefused: this kind makes no sense there.
        :raises UsageError: the service is no fake.
        """
        wanted = {
            "system": system,
            "call": call,
            "serial": serial,
            "kind": kind,
            "status": status,
            "errors": list(errors),
            "seconds": seconds,
            "times": times,
        }
        return self._calls.order("/vault/faults", "a fault of Vault", wanted)

    def log(self, system: str) -> list[VaultCall]:
        """Return what Vault was asked for a system, oldest first."""
        operation = "read Vault's log"
        control = self._calls.fake_control("Vault's log")
        response = control.request(
            "GET", "/vault/log", operation=operation, accept={200}, params={"system": system}
        )
        return list(parse_answer(VaultCalls, response, operation).items)

    def wait_for_calls(
        self, system: str, call: str, count: int, timeout: float = LOG_SECONDS
    ) -> list[VaultCall]:
        """Wait until Vault was asked for something so often, and return its log.

        The control socket keeps no question open, so it is asked again and again.

        :raises BackendFault: it was not in time.
        """
        deadline = time.monotonic() + timeout
        while True:
            log = self.log(system)
            seen = sum(each.call == call for each in log)
            if seen >= count:
                return log
            left = deadline - time.monotonic()
            if left <= 0 or self._calls.closing.pause(min(LOG_PAUSE, left)):
                raise BackendFault(
                    f"Vault was to be asked to {call} {count} times for {system} within {timeout:g} s;"
                    f" it was {seen} times"
                )

    def forget(self, serial: str, system: str) -> None:
        """Let Vault know a certificate no more."""
        self._about("DELETE", f"/vault/certificates/{quote(serial, safe='')}", system)

    def revoke(self, serial: str, system: str) -> None:
        """Revoke a certificate behind the service's back."""
        self._about("POST", f"/vault/certificates/{quote(serial, safe='')}/revoke", system)

    def _about(self, method: str, path: str, system: str) -> None:
        control = self._calls.fake_control("a change in Vault")
        control.request(method, path, operation="change Vault", accept={200, 204}, params={"system": system})


@dataclass(slots=True)
class Ordered:
    """What the running test ordered.

    :ivar something: whether there is anything that its end has to take back.
    :ivar clock_shifted: whether the service's clock is, or was, not the host's.
    """

    something: bool = False
    clock_shifted: bool = False


class FaultCalls(ABC):
    """What only a fake does on order; part of :class:`~harness_guardian.client.GuardianClient`."""

    ordered: Ordered
    closing: Closing

    @property
    @abstractmethod
    def organisation(self) -> str:
        """The name of this client's organisation at the fake."""

    @abstractmethod
    def fake_control(self, what: str) -> ServiceHttp:
        """Return the way to the fake's control socket.

        :param what: what is wanted of it, for the message.
        :raises UsageError: the service is no fake.
        """

    @property
    def vault(self) -> VaultOrders:
        """The Vault behind the service."""
        return VaultOrders(self)

    def order(self, place: str, what: str, wanted: dict[str, Any]) -> Order:
        """Order something in the name of this organisation.

        :param place: path of the control socket.
        """
        control = self.fake_control(what)
        operation = f"order {what}"
        self.ordered.something = True
        response = control.request(
            "POST",
            place,
            operation=operation,
            accept={200, 201},
            json={"organisation": self.organisation, **wanted},
        )
        return Order(control, place, parse_answer(OrderedRecord, response, operation).id)

    def hold(self, system: str, status: Status) -> Order:
        """Let every request of a system that comes into a state stay in it, until the block ends.

        :param system: name.
        :param status: a state that a request leaves by itself.
        """
        return self.order("/holds", "a hold", {"system": system, "status": status.value})

    def dwell(self, seconds: float) -> None:
        """Let each passing state last so long, until the test ends."""
        self._put("dwell", {"seconds": seconds})

    def shift_clock(self, seconds: float) -> None:
        """Let the fake's clock be so much ahead for this organisation, until the test ends."""
        self.ordered.clock_shifted = True
        self._put("clock", {"offset_seconds": seconds})

    def _put(self, what: str, body: dict[str, Any]) -> None:
        control = self.fake_control(f"another {what}")
        self.ordered.something = True
        control.request(
            "PUT",
            f"/organisations/{self.organisation}/{what}",
            operation=f"order another {what}",
            accept={200, 204},
            json=body,
        )

    def undo_orders(self) -> None:
        """Take back every order of this organisation: the end of a test. Does nothing where there is none."""
        if self.ordered.something:
            self.take_orders_back()

    def take_orders_back(self) -> None:
        """Take back every order of this organisation, also those of a worker that had it before."""
        control = self.fake_control("orders")
        path = f"/organisations/{self.organisation}/orders"
        control.request("DELETE", path, operation="take orders back", accept={200, 204})
        self.ordered.something = False
