"""What the provisioning agent did: kept for tests, and told on the trace endpoint as firmware logs do.

The lines of the trace are ours [design]; event names are the library's (nrfcloud fact sheet, section 3.9).
No key, pre-shared key, token or JWT gets in here.
"""

from __future__ import annotations

import re
import time
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_KEPT = 4000
_SECRET_CONTENT = re.compile(r'(AT%CMNG=[^"]*,\s*0*[23]\s*,)\s*".*', re.DOTALL | re.IGNORECASE)
_SECRET_REPLY = re.compile(r"AT%(JWT|ATTESTTOKEN)", re.IGNORECASE)


def without_secret(command: str) -> str:
    """Return an AT command without the key or pre-shared key that it writes."""
    return _SECRET_CONTENT.sub(r'\1"..."', command)


class AgentLog:
    """Events, AT commands and exchanges, in order. Safe to use from any thread."""

    def __init__(self, transmit: Callable[[bytes], None], print_line: Callable[[str], None]) -> None:
        """Log to the trace endpoint.

        :param transmit: sends bytes on it.
        :param print_line: prints a line wherever else the firmware logs.
        """
        self._transmit = transmit
        self._print_line = print_line
        self._entries: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self._boot = time.monotonic()

    def entries(self) -> list[dict[str, Any]]:
        """Return what happened, oldest first."""
        return list(self._entries)

    def clear(self) -> None:
        """Forget what happened."""
        self._entries.clear()

    def booted(self) -> None:
        """Begin a new boot: log times start at zero."""
        self._boot = time.monotonic()
        self._transmit(b"*** Booting nRF Connect SDK ***\r\n")

    def event(self, name: str) -> None:
        """Log an event of the library."""
        self._entries.append({"event": name})
        self.line("inf", "nrf_provisioning", f"event {name}")

    def problem(self, text: str) -> None:
        """Log why the library gives up or goes on differently."""
        self._entries.append({"problem": text})
        self.line("err", "nrf_provisioning", text)

    def at(self, command: str, reply: str | None) -> None:
        """Log an AT command of the agent or of the application around it."""
        shown = reply
        if reply is not None and _SECRET_REPLY.match(command):
            shown = reply.splitlines()[-1] + "\r\n"
        self._entries.append({"at": without_secret(command), "reply": shown})

    def exchange(
        self, method: str, target: str, status: int | None, size: int, *, variant: str = "http"
    ) -> None:
        """Log an exchange; without a status there was no answer.

        :param variant: ``http`` or ``coap``; of CoAP the status is the code as it is written, 401 for 4.01.
        """
        self._entries.append({"exchange": method, "target": target, "status": status, "size": size})
        path = target.partition("?")[0]
        outcome = "no answer" if status is None else f"status {status}"
        self.line("inf", f"nrf_provisioning_{variant}", f"{method} {path} {outcome}")

    def repeated(self, request: str) -> None:
        """Log that a datagram is sent again since nothing answered it in time."""
        self._entries.append({"repeated": request})
        self.line("wrn", "nrf_provisioning_coap", f"{request} is sent again")

    def line(self, level: str, module: str, text: str) -> None:
        """Write one line to the trace endpoint."""
        seconds = time.monotonic() - self._boot
        stamp = time.strftime("%H:%M:%S", time.gmtime(seconds))
        fraction = f"{int(seconds % 1 * 1_000_000):06}"
        stamp = f"[{stamp}.{fraction[:3]},{fraction[3:]}]"
        line = f"{stamp} <{level}> {module}: {text}"
        self._transmit(f"{line}\r\n".encode())
        self._print_line(line)
