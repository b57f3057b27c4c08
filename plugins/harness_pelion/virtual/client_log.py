"""What the client writes into its log, and the errors that it names there.

Source: pelion fact sheet, section 6.1. The texts are those of the client, the numbers those of Mbed Linux
OS's own list of errors; how a line begins (time, level, component) is our own choice.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

_KEPT = 2000
_DROPPED = 500
_LONGEST_TEXT = 300


class Clock(Protocol):
    """The board's clock."""

    def now(self) -> datetime:
        """Return the time, with a zone."""


class ErrorName(IntEnum):
    """Names of errors and their codes, as the client logs them."""

    ConnectBootstrapFailed = 0x0101
    ConnectInvalidParameters = 0x0102
    ConnectNotRegistered = 0x0103
    ConnectTimeout = 0x0104
    ConnectNetworkError = 0x0105
    ConnectUnknownError = 0x0107
    ConnectSecureConnectionFailed = 0x010A
    ConnectDnsResolvingFailed = 0x010B
    ConnectorFailedToReadCredentials = 0x010C
    ConnectorInvalidCredentials = 0x010D
    ConnectorFailedToStoreCredentials = 0x010E


class ClientFailure(Exception):
    """The client could not do something.

    :ivar name: what the client calls it.
    :ivar details: why, in words that may be logged; never a secret.
    :ivar hopeless: it does not pass by waiting; somebody has to provision the board and start the client.
    :ivar healed: what caused it is gone: it is worth while to try again soon.
    """

    def __init__(self, name: ErrorName, details: str, *, hopeless: bool = False) -> None:
        """Describe what happened."""
        super().__init__(f"{name.name}: {details}")
        self.name = name
        self.details = printable(details)
        self.hopeless = hopeless
        self.healed = False


class ClientLog:
    """The text of ``/var/log/mbl-cloud-client.log``. Used on the loop's thread only.

    :ivar lines: without line ends, oldest first; the oldest go when there are too many.
    """

    def __init__(self, clock: Clock) -> None:
        """Be empty.

        :param clock: tells when a line is written.
        """
        self.lines: list[str] = []
        self._clock = clock

    def text(self) -> str:
        """Return the whole file."""
        return "".join(f"{line}\n" for line in self.lines)

    def clear(self) -> None:
        """Forget every line."""
        self.lines.clear()

    def info(self, text: str) -> None:
        """Write what happened."""
        self._write("INFO", text)

    def warn(self, text: str) -> None:
        """Write what is not as it should be."""
        self._write("WARN", text)

    def registered(self, endpoint_name: str, device_id: str) -> None:
        """Write that the device is registered, and as whom."""
        self.info("Client registered")
        self.info(f"Endpoint Name: {endpoint_name}")
        self.info(f"Device Id: {device_id}")

    def failed(self, failure: ClientFailure) -> None:
        """Write what went wrong."""
        self._write("ERR ", f"Error occurred : {failure.name.name}")
        self._write("ERR ", f"Error code : {failure.name.value}")
        self._write("ERR ", f"Error details : {failure.details}")

    def _write(self, level: str, text: str) -> None:
        if len(self.lines) >= _KEPT:
            del self.lines[:_DROPPED]
        when = self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        self.lines.append(f"{when} [{level}][mbl]: {printable(text)}")


def printable(text: str) -> str:
    """Return a text in one line of printable characters, cut when it is long: it may come from outside."""
    shown = "".join(each if each.isprintable() else "?" for each in text)
    return shown if len(shown) <= _LONGEST_TEXT else f"{shown[:_LONGEST_TEXT]}..."
