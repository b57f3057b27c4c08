"""How a run of the board's provisioning agent ended, read from its console and its log.

The command and its notifications are those of the Serial Modem application (its documentation, "nRF
Provisioning AT commands"): ``AT#XNRFPROV`` starts a run, ``#XNRFPROV: <n>`` tells what becomes of it. The log
lines on the trace endpoint, which name the event and the HTTP status of each exchange, are our virtual
board's [design]; without them the outcome is what the notification says.

Firmware with a shell is told ``nrf_provisioning now`` (nrfcloud fact sheet, section 3.9), and notifies
nobody: only its log says how a run ended, on the trace endpoint or, where there is none, on the console.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import CommandRefused, ConsoleTimeout

if TYPE_CHECKING:
    from harness.console import Console
    from harness_nordic.driver import Nrf91Driver

TRIGGER = "AT#XNRFPROV"
NOW = "nrf_provisioning now"
NOTIFICATION = re.compile(r"#XNRFPROV: (-?[0-9]{1,9})")
TAKE_OFFLINE, TAKE_ONLINE = 1, 2
#: A line of the log that ends a run.
TERMINAL_EVENT = re.compile(
    rb"nrf_provisioning: event (DONE|NO_COMMANDS|FAILED\w*|FATAL_ERROR)(?:\x1b\[[0-9;]*m)*\r?\n"
)

_EXCHANGE = re.compile(rb"nrf_provisioning_(?:http|coap): (GET|POST) (\S+) (?:status (\d{3})|no answer)")
_EVENTS = {
    0: "DONE",
    -1: "FAILED",
    -2: "FAILED_DEVICE_NOT_CLAIMED",
    -3: "FAILED_WRONG_ROOT_CA",
    -4: "FAILED_NO_VALID_DATETIME",
    -5: "FAILED_TOO_MANY_COMMANDS",
    -6: "FATAL_ERROR",
}
_NOT_CLAIMED = -2
_UNAUTHORIZED = 401
_FIRST_REFUSAL = 400
_LOG_SECONDS = 2.0
#: While the log is waited for, how often the console is heard.
_HEARD_EVERY = 0.1


@dataclass(frozen=True, slots=True)
class Exchange:
    """One HTTP exchange of the agent.

    :ivar method: ``GET`` fetches commands, ``POST`` reports.
    :ivar path: without the query.
    :ivar status: of the answer; ``None`` if there was none.
    """

    method: str
    path: str
    status: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionOutcome:
    """How a run ended.

    :ivar finished: the service said ``finished`` and the board did all of it. On a board without a log it
        may also mean that nothing was to be done: its notification does not tell the two apart.
    :ivar event: the library's event at the end (nrfcloud fact sheet, section 3.9).
    :ivar refused_with: HTTP status with which the service refused the board; ``None`` if it did not.
    :ivar exchanges: what was exchanged, in order; empty on a board without a log.
    :ivar problem: why it ended so, where the agent says more than its event; ``None`` otherwise.
    """

    finished: bool
    event: str
    refused_with: int | None
    exchanges: tuple[Exchange, ...] = ()
    problem: str | None = None


def read_notification(number: int) -> ProvisionOutcome:
    """Return the outcome as the notification alone tells it."""
    event = _EVENTS.get(number, f"UNKNOWN {number}")
    return ProvisionOutcome(
        finished=event == "DONE",
        event=event,
        refused_with=_UNAUTHORIZED if number == _NOT_CLAIMED else None,
    )


def read_log(log: bytes) -> ProvisionOutcome | None:
    """Return the outcome of the last run in a piece of log, ``None`` if no run ends in it."""
    ends = list(TERMINAL_EVENT.finditer(log))
    if not ends:
        return None
    event = ends[-1][1].decode()
    exchanges = tuple(
        Exchange(
            match[1].decode(), match[2].decode(errors="backslashreplace"), int(match[3]) if match[3] else None
        )
        for match in _EXCHANGE.finditer(log, 0, ends[-1].start())
    )
    last = exchanges[-1].status if exchanges else None
    return ProvisionOutcome(
        finished=event == "DONE",
        event=event,
        refused_with=last if last is not None and last >= _FIRST_REFUSAL else None,
        exchanges=exchanges,
    )


def run_board_agent(
    driver: Nrf91Driver, console: Console, log: Console | None, timeout: float
) -> ProvisionOutcome:
    """Let a board's own agent provision, and wait until it says how that ended.

    :param log: where the firmware logs; ``None`` if it has no such endpoint.
    :param timeout: seconds for the whole run.
    :raises ConsoleTimeout: the agent did not end in time.
    :raises CommandRefused: the firmware has no agent.
    """
    source = console if log is None else log
    start = source.position
    deadline = time.monotonic() + timeout
    if driver.line.is_shell and _told_shell(driver, console, timeout):
        return _wait_for_end(source, console, start, deadline, timeout)
    console.forget_unsolicited(NOTIFICATION)  # what an earlier run has said is not about this one
    driver.at(TRIGGER)
    number = _follow(driver, console, deadline, timeout)
    told = None if log is None else _wait_for_log(log, start)
    return told or read_notification(number)


def _told_shell(driver: Nrf91Driver, console: Console, timeout: float) -> bool:
    """Start a run by the shell; ``False`` if it has no command for that."""
    try:
        driver.line.run(console, NOW, timeout=timeout, reason="the shell is to start provisioning")
    except CommandRefused:
        return False
    return True


def _wait_for_end(
    log: Console, console: Console, start: int, deadline: float, timeout: float
) -> ProvisionOutcome:
    """Wait until the firmware's log says how a run ended; what the console must not say is heard meanwhile.

    :raises ConsoleTimeout: it does not in time.
    :raises ForbiddenOutput: the console said what is forbidden now.
    """
    while True:
        outcome = read_log(log.slice(start, log.position))
        if outcome is not None:
            return outcome
        _ = console.position  # hears
        left = deadline - time.monotonic()
        try:
            log.expect(
                TERMINAL_EVENT,
                timeout=max(0.0, min(left, _HEARD_EVERY)),
                reason=f"the end of the provisioning that was started by {NOW!r}, {timeout:g} s at most",
            )
        except ConsoleTimeout:
            if left <= _HEARD_EVERY:
                raise


def _follow(driver: Nrf91Driver, console: Console, deadline: float, timeout: float) -> int:
    """Wait for the last notification; take LTE down and up when the firmware leaves that to the host."""
    while True:
        line = console.wait_unsolicited(
            NOTIFICATION,
            timeout=max(0.0, deadline - time.monotonic()),
            reason=f"the end of the provisioning that was started, {timeout:g} s at most",
        )
        match = NOTIFICATION.fullmatch(line)
        number = int(match[1]) if match else 0
        if number == TAKE_OFFLINE:
            driver.offline()
        elif number == TAKE_ONLINE:
            driver.online()
        elif match:
            return number


def _wait_for_log(log: Console, start: int) -> ProvisionOutcome | None:
    """Read the run's log, which may lag behind the console; real firmware may log nothing of it."""
    deadline = time.monotonic() + _LOG_SECONDS
    while True:
        outcome = read_log(log.slice(start, log.position))
        if outcome is not None:
            return outcome
        try:
            log.expect(TERMINAL_EVENT, timeout=max(0.0, deadline - time.monotonic()))
        except ConsoleTimeout:
            return None
