"""What a client can order from a fake: faults, another way after an error; and where its TLS is.

Everything ordered here is gone when the test ends, or with the block of the ``with`` statement.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.backends.answers import parse_answer
from harness.backends.orders import Order
from harness_nordic.client_models import (
    FaultPage,
    FaultRecord,
    OrderedRecord,
    ServiceEvent,
    ServiceEvents,
    TlsRecord,
)
from harness_nordic.enums import AfterError, FaultKind, FaultPlace

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from harness.backends.http import ServiceHttp
    from harness_nordic.client_objects import ClaimedDevice


class SecureEndpoint(NamedTuple):
    """Where a service is reached over TLS, and the CA certificate (PEM) that is to be trusted there."""

    url: str
    ca_pem: str


class Fault(Order):
    """A fault that was ordered; how often it strikes can be read."""

    def __init__(self, control: ServiceHttp, identifier: str) -> None:
        """Hold a fault; see :meth:`FaultCalls.fault`."""
        super().__init__(control, "/faults", identifier)

    @property
    def struck(self) -> int:
        """How often it has struck; 0 also after it was taken back."""
        return self._record.struck if self._record is not None else 0

    @property
    def left(self) -> int:
        """How often it will strike yet."""
        return self._record.left if self._record is not None else 0

    @property
    def _record(self) -> FaultRecord | None:
        operation = "read the faults"
        response = self._control.request("GET", "/faults", operation=operation, accept={200})
        faults = parse_answer(FaultPage, response, operation).items
        return next((fault for fault in faults if fault.id == self.id), None)


class AnotherWay:
    """Another way after an error, until the block of the ``with`` statement ends; see ``after_error``."""

    def __init__(self, calls: FaultCalls) -> None:
        """Hold it; it is in force already."""
        self._calls = calls

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Put back what the fake was started with."""
        self._calls.order_after_error(None)


class FaultCalls(ABC):
    """What only a fake can do wrong on order; part of :class:`~harness_nordic.client.NrfCloudClient`."""

    owner_id: str
    _ordered_something: bool = False

    @abstractmethod
    def _fake_control(self, what: str) -> ServiceHttp:
        """Return the way to the fake's control socket; ``what`` is what is wanted of it."""

    def fault(
        self,
        device: ClaimedDevice | str | None,
        *,
        on: FaultPlace | str,
        kind: FaultKind | str,
        status: int | None = None,
        seconds: float = 0.0,
        times: int = 1,
    ) -> Fault:
        """Order something to go wrong (capability ``faults``); it is in force at once.

        :param device: a device, or its UUID; ``None``: whatever this team's devices and calls are.
        :param on: ``fetch`` or ``report`` of a device, or ``management``.
        :param kind: what goes wrong; see the reference page of the fake.
        :param status: of the answer, for ``status`` and ``lost-answer``; ``None`` closes the connection.
        :param seconds: for ``delay``.
        :param times: how many requests it strikes.
        :raises RequestRefused: this kind makes no sense there.
        :raises UsageError: the service is no fake.
        """
        control = self._fake_control("a fault")
        wanted: dict[str, Any] = {
            "on": FaultPlace(on).value,
            "kind": FaultKind(kind).value,
            "device": getattr(device, "id", device),
            "owner": self.owner_id if device is None else None,
            "orderer": self.owner_id,
            "status": status,
            "seconds": seconds,
            "times": times,
        }
        operation = "order a fault"
        self._ordered_something = True
        response = control.request("POST", "/faults", operation=operation, accept={201}, json=wanted)
        return Fault(control, parse_answer(OrderedRecord, response, operation).id)

    def after_error(self, after_error: AfterError | str) -> AnotherWay:
        """Decide what becomes of this team's commands behind one that failed (capability ``faults``).

        :param after_error: ``withhold`` or ``drop`` (nrfcloud fact sheet, section 3.7).
        :raises UsageError: the service is no fake.
        """
        self.order_after_error(AfterError(after_error))
        return AnotherWay(self)

    def order_after_error(self, after_error: AfterError | None) -> None:
        """Order another way after an error, or with ``None`` what the fake was started with."""
        control = self._fake_control("another way after an error")
        self._ordered_something = True
        control.request(
            "POST",
            "/after-error",
            operation="order what comes after an error",
            accept={204},
            json={"owner": self.owner_id, "after_error": after_error},
        )

    def service_events(self) -> list[ServiceEvent]:
        """Return the fake's events that belong to no device, oldest first (capability ``device-log``).

        They are faults that struck (``fault``) and TLS handshakes that failed (``tls-refused``).
        """
        operation = "read the events"
        control = self._fake_control("the events of the service")
        response = control.request("GET", "/events", operation=operation, accept={200})
        return list(parse_answer(ServiceEvents, response, operation).items)

    @property
    def secure_endpoint(self) -> SecureEndpoint:
        """Where the service is reached over TLS (capability ``tls``)."""
        operation = "read where TLS is"
        response = self._fake_control("TLS").request("GET", "/tls", operation=operation, accept={200})
        record = parse_answer(TlsRecord, response, operation)
        return SecureEndpoint(record.url, record.ca)

    def undo_orders(self) -> None:
        """Take back every order of this team: the end of a test. Does nothing where none was given."""
        if self._ordered_something:
            self.take_orders_back()

    def take_orders_back(self) -> None:
        """Take back every order of this team, also those of a worker that had it before."""
        control = self._fake_control("orders")
        whose = {"orderer": self.owner_id}
        control.request("DELETE", "/faults", operation="take faults back", accept={200}, params=whose)
        self.order_after_error(None)
        self._ordered_something = False
