"""What the two variants of the library have in common: how a run ends, and what each is given to work with.

Source: nrfcloud fact sheet, sections 3.1 to 3.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from harness_nordic.virtual.agent_log import AgentLog
    from harness_nordic.virtual.agent_settings import AgentSettings

# What the library makes of a refusal (nrfcloud fact sheet, section 3.1); whatever is not here is FAILED.
_BUSY = 500
_EVENTS = {401: "FAILED_DEVICE_NOT_CLAIMED"}


class Stopped(Exception):
    """The run ends with an event of the library.

    :ivar event: its name.
    :ivar busy: the service was too busy, or did not answer in time: firmware that polls by itself comes back
        later (nrfcloud fact sheet, section 3.1).
    """

    def __init__(self, event: str, reason: str, *, busy: bool = False) -> None:
        """Keep them."""
        self.event = event
        self.busy = busy
        super().__init__(reason)


class Run(Protocol):
    """The run that a variant fetches and reports for."""

    @property
    def settings(self) -> AgentSettings:
        """How the firmware was built."""

    @property
    def log(self) -> AgentLog:
        """Where it says what it does."""

    @property
    def abandoned(self) -> bool:
        """Whether the board lost its power."""

    def at(self, line: str) -> str | None:
        """Run an AT command; ``None`` if the modem did not answer."""

    def ask(self, line: str) -> str:
        """Run an AT command that must succeed, and return the first line of its answer."""

    def jwt(self) -> str:
        """Return a fresh JWT of the modem's."""

    def trusted(self) -> str:
        """Return the certificates (PEM) of whom the board trusts."""

    def pass_by(self, point: str, detail: str) -> None:
        """Pass a point at which the power may go."""


class Variant(Protocol):
    """How the service is talked to."""

    def fetch(self, after: str) -> bytes | None:
        """Return the next commands, ``None`` if there are none.

        :param after: correlation id of the last command that was processed.
        :raises Stopped: the service refused, or did not answer.
        """

    def report(self, body: bytes) -> bool:
        """Send a report, and tell whether it was taken; a refusal is logged."""

    def tear_down(self) -> None:
        """Break off what is under way, and refuse what comes later. From any thread."""

    def close(self) -> None:
        """Give up what is kept between exchanges: the run is over."""


def modem_version(run: Run) -> str:
    """Return what ``mver`` says."""
    return run.ask("AT%SHORTSWVER").removeprefix("%SHORTSWVER: ")


def refused(run: Run, status: int, said: str) -> Stopped:
    """Return how a run ends that the service refused.

    :param status: the status, or the code of CoAP written as a number: 4.01 is 401.
    :param said: what a log says of it.
    """
    event = _EVENTS.get(status, "FAILED")
    if event == "FAILED_DEVICE_NOT_CLAIMED":
        run.at("AT%ATTESTTOKEN")  # the library's event carries a fresh token
    return Stopped(event, f"the service answered {said}", busy=status == _BUSY)
