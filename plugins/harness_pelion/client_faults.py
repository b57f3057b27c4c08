"""What only a fake does on order: faults, another clock, other limits, users; and its servers' own log.

Everything ordered here is gone when the test ends, or with the block of the ``with`` statement.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from harness.backends.answers import parse_answer
from harness.backends.orders import Order
from harness.errors import BackendFault
from harness_pelion.client_door import CREATED, NO_CONTENT, OK
from harness_pelion.client_models import FakeUser, LogEntry, OrderedRecord

if TYPE_CHECKING:
    from harness.backends.http import ServiceHttp
    from harness_pelion.client_world import World

LOG_SECONDS, LOG_PAUSE = 15.0, 0.02
"""How long to wait for a note of the servers, and the pause between two looks at their log."""

_NOTES = TypeAdapter(list[LogEntry])


class FaultCalls(ABC):
    """What only a fake does on order; part of :class:`~harness_pelion.client.PelionClient`."""

    world: World

    @abstractmethod
    def fake_control(self, what: str) -> ServiceHttp:
        """Return the way to the fake's control socket.

        :param what: what is wanted of it, for the message.
        :raises UsageError: the service is no fake.
        """

    def fault(
        self, part: str, kind: str, *, step: str | None = None, times: int = 1, skip: int = 0, **details: Any
    ) -> Order:
        """Order something to go wrong; it is in force at once.

        :param part: ``api``, ``bootstrap`` or ``lwm2m``.
        :param kind: what, for example ``status``, ``hang_up``, ``close`` or ``refuse``.
        :param step: where, for example ``GET /v3/devices/{id}`` or ``finish``; ``None``: at the next one.
        :param times: how often it strikes.
        :param skip: how many such steps go well before.
        :param details: what the kind needs besides, for example ``status`` or ``code``.
        :raises RequestRefused: the fake cannot do this wrong.
        :raises UsageError: the service is no fake.
        """
        step = step and step.rstrip("/")  # a path counts the same with and without a slash at its end
        wanted = {"part": part, "kind": kind, "step": step, "times": times, "skip": skip, **details}
        response = self._order("a fault", "/faults", wanted)
        identifier = parse_answer(OrderedRecord, response, "order a fault").id
        return Order(self.fake_control("a fault"), "/faults", identifier)

    def shift_clock(self, seconds: float) -> None:
        """Let the account's clock be so much ahead of the host's, until the test ends."""
        self.world.clock_shifted = True
        self._order("another clock", "/clock", {"offset_seconds": seconds})

    def set_limits(
        self, *, devices_per_certificate: int | None = None, certificates: int | None = None
    ) -> None:
        """Let the account have other limits, until the test ends; ``None`` leaves one as it is."""
        limits = {"devices_per_certificate": devices_per_certificate, "certificates": certificates}
        body = {name: value for name, value in limits.items() if value is not None}
        self._order("other limits", f"/accounts/{self.world.account_id}/limits", body)

    def _order(self, what: str, place: str, wanted: dict[str, Any]) -> Any:
        control = self.fake_control(what)
        self.world.ordered = True
        return control.request(
            "POST",
            place,
            operation=f"order {what}",
            accept=CREATED | NO_CONTENT,
            json={"account": self.world.account_id, **wanted} if place in {"/faults", "/clock"} else wanted,
        )

    def new_user(self, name: str, group: str = "developers") -> FakeUser:
        """Make a further user of the account (capability ``users``); the user's key is a secret.

        :param group: ``administrators`` or ``developers``.
        """
        operation = "make a user"
        control = self.fake_control(operation)
        response = control.request(
            "POST",
            f"/accounts/{self.world.account_id}/users",
            operation=operation,
            accept=CREATED,
            json={"name": name, "group": group},
        )
        user = parse_answer(FakeUser, response, operation)
        self.world.users.append(name)
        self.world.session.register_secret(user.api_key, "Pelion API key")
        return user

    def server_log(self, what: str | None = None) -> list[LogEntry]:
        """Return what the fake's servers noted of this account, oldest first (capability ``server-log``).

        :param what: only notes of this kind.
        """
        return self._log(self.world.account_id, what)

    def strangers_log(self, what: str | None = None) -> list[LogEntry]:
        """Return what the servers noted of connections that belong to no account: refused handshakes."""
        return self._log("", what)

    def _log(self, account: str, what: str | None) -> list[LogEntry]:
        operation = "read the servers' log"
        control = self.fake_control("the servers' log")
        response = control.request("GET", "/log", operation=operation, accept=OK, params={"account": account})
        try:
            body = response.json()
            notes = _NOTES.validate_python(body["items"] if isinstance(body, dict) else body)
        except (ValidationError, ValueError, KeyError) as error:
            raise BackendFault(f"{operation}: the fake does not answer with notes") from error
        return [note for note in notes if what is None or note.what == what]

    def wait_for_log(self, what: str, count: int = 1, timeout: float = LOG_SECONDS) -> list[LogEntry]:
        """Wait until the servers noted something so often; strangers' connections count, too.

        :raises BackendFault: they did not in time.
        """
        deadline = time.monotonic() + timeout
        while True:
            notes = self.server_log(what) + self.strangers_log(what)
            if len(notes) >= count:
                return notes
            left = deadline - time.monotonic()
            if left <= 0 or self.world.closing.pause(min(LOG_PAUSE, left)):
                raise BackendFault(
                    f"the servers were to note {what!r} {count} times within {timeout:g} s;"
                    f" they did {len(notes)} times"
                )

    def undo_orders(self) -> None:
        """Take back what the running test ordered. Does nothing where there is nothing."""
        if self.world.ordered:
            self.take_orders_back()

    def take_orders_back(self) -> None:
        """Take back every order of this account, also those of a worker that had it before."""
        control = self.fake_control("orders")
        path = f"/accounts/{self.world.account_id}/orders"
        control.request("DELETE", path, operation="take orders back", accept=NO_CONTENT)
        self.world.ordered = False

    def remove_users(self) -> None:
        """Remove the users that the running test made; their keys are revoked."""
        for name in self.world.users:
            path = f"/accounts/{self.world.account_id}/users/{quote(name, safe='')}"
            self.fake_control("users").request(
                "DELETE", path, operation="remove a user", accept=NO_CONTENT | {404}
            )
        self.world.users.clear()

    def forget_devices(self) -> None:
        """Let the fake forget every device of the account."""
        control = self.fake_control("forgetting devices")
        path = f"/accounts/{self.world.account_id}/devices"
        control.request("DELETE", path, operation="forget devices", accept=NO_CONTENT)
