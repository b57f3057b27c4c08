"""The client of Acme Cloud, which gives a badge to each lamp that is registered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.backends.http import ServiceHttp

if TYPE_CHECKING:
    from harness.backends.contract import Backend, BackendSession
    from harness.backends.ledger import Entry


class AcmeClient:
    """Registers lamps, and takes back what a test registered."""

    def __init__(self, backend: Backend, session: BackendSession) -> None:
        """Connect to nothing yet."""
        self._http = ServiceHttp(backend.url, on_exchange=session.on_exchange)
        self._accounts = session.accounts
        self._registered: list[tuple[str, int]] = []

    def register(self, serial_number: str) -> str:
        """Register a lamp and return its badge."""
        number = self._accounts.note("lamp", serial_number)
        self._registered.append((serial_number, number))
        answer = self._http.request("POST", f"/lamps/{serial_number}", operation="Register", accept={201})
        return str(answer.json()["badge"])

    def lamps(self) -> list[str]:
        """Return the registered lamps."""
        return list(self._http.request("GET", "/lamps", operation="ListLamps", accept={200}).json())

    def undo(self) -> None:
        """Take back what the running test registered, newest first."""
        while self._registered:
            serial_number, number = self._registered[-1]
            self._unregister(serial_number)
            self._accounts.settle(number)
            self._registered.pop()

    def undo_entry(self, entry: Entry) -> str:
        """Take back what a dead worker or session registered."""
        return "unregistered" if self._unregister(entry.subject) else "gone already"

    def _unregister(self, serial_number: str) -> bool:
        path = f"/lamps/{serial_number}"
        answer = self._http.request("DELETE", path, operation="Unregister", accept={204, 404})
        return answer.status_code == 204

    def forget(self) -> None:
        """Leave what the running test registered."""
        self._registered.clear()

    def close(self) -> None:
        """Close connections."""
        self._http.close()
