"""One board's agent on the host: fetch, execute, report, until finished or nothing is left.

Source: nrfcloud fact sheet, sections 3.1, 3.2, 3.6 and 3.9. It differs from the library in three things.
[design] The modem goes offline once a run and not once a batch, since the host needs no LTE to report. It
needs no network time: a modem without time is given the host's. And ``after`` is kept in memory as long as
the agent lives, which is as long as its driver; the board's power has no part in it.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from harness.errors import BackendUnreachable
from harness.evidence import attach, step
from harness_nordic.driver_provisioning import Exchange, ProvisionOutcome
from harness_nordic.host_agent.batch import execute, too_long
from harness_nordic.host_agent.link import LinkFailed
from harness_nordic.host_agent.options import HostAgentOptions
from harness_nordic.host_agent.wire import (
    AtCommand,
    DecodeError,
    TooManyCommands,
    decode_commands,
    encode_reports,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness_nordic.host_agent.batch import Modem
    from harness_nordic.host_agent.link import Answer, ServiceLink
    from harness_nordic.host_agent.wire import Command, Report

FETCH_PATH = "/v1/provisioning/commands"
REPORT_PATH = "/v1/provisioning/response"

_OK, _NO_CONTENT, _UNAUTHORIZED = 200, 204, 401
_FIRST_REFUSAL = 400
_OFFLINE = 4
_JWT_WITHOUT_TIME = "+CME ERROR: 525"
_JWT = re.compile(r'%JWT: "([^"]+)"')
_NUMBER = re.compile(r"\+C(?:MEE|FUN): ([0-9]{1,3})\b")


class _Stopped(Exception):
    """The run ends with an event of the library."""

    def __init__(self, event: str, problem: str) -> None:
        self.event = event
        super().__init__(problem)


def host_clock() -> datetime:
    """Return the host's time in UTC."""
    return datetime.now(UTC)


class HostAgent:
    """Provisions one board.

    :ivar options: how it behaves.
    :ivar settings: what configuration commands have stored; plain AT firmware has no place.
    :ivar after: correlation id of the last command whose report was sent, heard or not; empty at first.
    """

    def __init__(
        self,
        modem: Modem,
        link: ServiceLink,
        options: HostAgentOptions | None = None,
        *,
        clock: Callable[[], datetime] = host_clock,
    ) -> None:
        """Be idle.

        :param clock: the time to give a modem that has none.
        """
        self.options = options or HostAgentOptions()
        self.settings: dict[str, str] = {}
        self.after = ""
        self._processed = ""
        self._modem = modem
        self._link = link
        self._clock = clock
        self._exchanges: list[Exchange] = []
        self._found: dict[str, int] = {}
        self._deadline = 0.0

    def run(self, timeout: float) -> ProvisionOutcome:
        """Provision once.

        :param timeout: seconds for the whole run.
        :raises ConsoleTimeout: the modem fell silent; what it did of the last batch was not reported.
        :raises BoardLost: the console went away; the same holds.
        :raises BackendUnreachable: the run did not end in time.
        :raises UsageError: the service wants something changed that is not ours; nothing of it was done.
        """
        self._deadline = time.monotonic() + timeout
        self._exchanges = []
        self._found = {}
        problem: str | None = None
        try:
            event = self._rounds(timeout)
        except _Stopped as stopped:
            event, problem = stopped.event, str(stopped)
        try:
            self._put_back()
        except _Stopped as stopped:
            problem = problem or str(stopped)
        last = self._exchanges[-1].status if self._exchanges else None
        return ProvisionOutcome(
            finished=event == "DONE",
            event=event,
            refused_with=last if last is not None and last >= _FIRST_REFUSAL else None,
            exchanges=tuple(self._exchanges),
            problem=problem,
        )

    # -- rounds -------------------------------------------------------------------------------------------

    def _rounds(self, timeout: float) -> str:
        for number in range(self.options.most_rounds):
            if time.monotonic() >= self._deadline:
                raise BackendUnreachable(
                    f"the service still has commands {timeout:g} s after the run began; {number} batches done"
                )
            commands = self._fetch()
            if not commands:
                return "NO_COMMANDS"
            reports, finished = self._process(commands)
            if self._report(reports) and finished:
                return "DONE"
        raise _Stopped("FAILED", f"gave up after {self.options.most_rounds} fetches")

    def _fetch(self) -> list[Command]:
        options = self.options
        query = urlencode(
            {
                "after": self.after,
                "rxMaxSize": options.rx_size,
                "txMaxSize": options.tx_size,
                "mver": self._ask("AT%SHORTSWVER").removeprefix("%SHORTSWVER: "),
                "cver": options.sdk,
                "limit": options.limit,
            }
        )
        with step("Fetch commands in the board's name"):
            headers = {"Accept": "application/cbor", "Content-Type": "*/*", **self._authorization()}
            try:
                answer = self._exchange("GET", f"{FETCH_PATH}?{query}", headers)
            except LinkFailed as failure:
                event = "FAILED_WRONG_ROOT_CA" if failure.refused else "FAILED"
                raise _Stopped(event, str(failure)) from failure
        if answer.status == _NO_CONTENT:
            return []
        if answer.status != _OK:
            event = "FAILED_DEVICE_NOT_CLAIMED" if answer.status == _UNAUTHORIZED else "FAILED"
            raise _Stopped(event, f"the service answered {answer.status}")
        try:
            return decode_commands(answer.body, limit=options.limit)
        except TooManyCommands as error:
            raise _Stopped("FAILED_TOO_MANY_COMMANDS", str(error)) from error
        except DecodeError as error:
            raise _Stopped("FAILED", f"the commands cannot be read: {error}") from error

    def _process(self, commands: list[Command]) -> tuple[list[Report], bool]:
        """Execute a batch; the second result says that it held ``finished`` and nothing failed."""
        size = too_long(commands, self.options.tx_size)
        if size is not None:
            raise _Stopped("FATAL_ERROR", f"an AT command of {size} bytes does not fit the buffer")
        at_commands = [command for command in commands if isinstance(command, AtCommand)]
        self._modem.check_allowed(command.line for command in at_commands)
        with step(f"Execute {len(commands)} command{'' if len(commands) == 1 else 's'} over the console"):
            self._prepare(offline=bool(at_commands))
            done = execute(commands, self._modem, self.settings, self.options)
        self._processed = done.last
        return done.reports, done.finished

    def _report(self, reports: list[Report]) -> bool:
        """Post a report; one that is not taken is not repeated, the run goes on with the next fetch."""
        with step(f"Report on {len(reports)} command{'' if len(reports) == 1 else 's'}"):
            headers = {"Content-Type": "application/cbor", "Accept": "*/*", **self._authorization()}
            # Not before: when the modem dies between doing and reporting, the commands must be served again.
            self.after = self._processed
            try:
                answer = self._exchange("POST", REPORT_PATH, headers, encode_reports(reports))
            except LinkFailed:
                return False
            return answer.status == _OK

    def _exchange(
        self, method: str, target: str, headers: dict[str, str], body: bytes | None = None
    ) -> Answer:
        path = target.partition("?")[0]
        remaining = max(0.1, min(self.options.http_timeout, self._deadline - time.monotonic()))
        try:
            answer = self._link.exchange(
                method, target, headers, body=body, largest=self.options.rx_size, timeout=remaining
            )
        except LinkFailed:
            self._exchanges.append(Exchange(method, path, None))
            raise
        self._exchanges.append(Exchange(method, path, answer.status))
        attach("Exchange", f"{method} {target}\nstatus {answer.status}, {len(answer.body)} bytes")
        return answer

    # -- the modem ----------------------------------------------------------------------------------------

    def _authorization(self) -> dict[str, str]:
        """Return a header with a fresh JWT of the modem."""
        if not self._has_time():
            self._give_time()
        answer = self._at('AT%JWT=0,300,"",""')
        token = _JWT.search(answer)
        if token is None:
            final = (answer.splitlines() or [""])[-1]
            event = "FAILED_NO_VALID_DATETIME" if final == _JWT_WITHOUT_TIME else "FAILED"
            raise _Stopped(event, f"the modem made no JWT: {final}")
        return {"Authorization": f"Bearer {token[1]}"}

    def _has_time(self) -> bool:
        return self._at("AT%CCLK?").startswith("%CCLK:")

    def _give_time(self) -> None:
        """Set the modem's clock from the host's (nrfcloud fact sheet, section 5.1)."""
        with step("The modem has no time: its clock is set from the host's"):
            self._at(f'AT+CCLK="{self._clock().astimezone(UTC):%y/%m/%d,%H:%M:%S}+00"')
            if not self._has_time():
                raise _Stopped("FAILED_NO_VALID_DATETIME", "the modem has no time and takes none")

    def _prepare(self, *, offline: bool) -> None:
        """Switch error numbers on and, for AT commands, the radio off; :meth:`_put_back` undoes it."""
        numbers = self._number("AT+CMEE?")
        self._found.setdefault("CMEE", numbers)
        if not numbers:
            self._ask("AT+CMEE=1")
        if not offline:
            return
        mode = self._number("AT+CFUN?")
        self._found.setdefault("CFUN", mode)
        if mode != _OFFLINE:
            self._ask(f"AT+CFUN={_OFFLINE}")

    def _put_back(self) -> None:
        if self._found.get("CMEE") == 0:
            self._ask("AT+CMEE=0")
        if self._found.get("CFUN", _OFFLINE) != _OFFLINE:
            self._ask(f"AT+CFUN={self._found['CFUN']}")

    def _number(self, command: str) -> int:
        match = _NUMBER.match(self._ask(command))
        if match is None:
            raise _Stopped("FAILED", f"{command} was not answered with a number")
        return int(match[1])

    def _ask(self, command: str) -> str:
        """Run a command that must succeed and return the first line of its answer."""
        lines = self._at(command).splitlines()
        if not lines or lines[-1] != "OK":
            raise _Stopped("FAILED", f"{command} failed: {lines[-1] if lines else 'no answer'}")
        return lines[0]

    def _at(self, command: str) -> str:
        return self._modem.answer(command, self.options.at_timeout)
