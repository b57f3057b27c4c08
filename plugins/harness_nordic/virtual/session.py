"""One run of the provisioning agent: fetch, execute, report, until finished or nothing is left."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from harness_nordic.enums import CredentialType
from harness_nordic.virtual import power, radio, wire
from harness_nordic.virtual.cbor import DecodeError
from harness_nordic.virtual.exchange import Answer, ExchangeFailed, ServiceLink
from harness_nordic.virtual.execution import CommandRunner
from harness_nordic.virtual.faults import SLOW
from harness_nordic.virtual.power import PowerLost

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from harness.virtual.contract import BoardHost
    from harness_nordic.virtual.agent_log import AgentLog
    from harness_nordic.virtual.agent_settings import AgentSettings
    from harness_nordic.virtual.firmware_settings import FirmwareSettings
    from harness_nordic.virtual.modem import Modem

T = TypeVar("T")

FETCH_PATH = "/v1/provisioning/commands"
REPORT_PATH = "/v1/provisioning/response"

_OK, _NO_CONTENT = 200, 204
_ZEPHYR, _ZEPHYR_BUILD = "4.1", "v4.1.99-ncs1"
# What the library makes of a refusal (nrfcloud fact sheet, section 3.1); whatever is not here is FAILED.
_EVENTS = {401: "FAILED_DEVICE_NOT_CLAIMED"}
_QUOTED = re.compile(r'"([^"]*)"')


class Abandoned(Exception):
    """The board lost its power."""


class Stopped(Exception):
    """The run ends with an event of the library."""

    def __init__(self, event: str, reason: str) -> None:
        """Keep both."""
        self.event = event
        super().__init__(reason)


class Session:
    """A run, on a thread of its own.

    :ivar after: correlation id of the last command that was processed.
    """

    def __init__(
        self,
        host: BoardHost,
        modem: Modem,
        stored: FirmwareSettings,
        settings: AgentSettings,
        log: AgentLog,
        *,
        after: str,
        announce: Callable[[str], None],
        changed: threading.Condition,
    ) -> None:
        """Prepare a run; see :class:`~harness_nordic.virtual.agent.Agent` for the parts."""
        self.after = after
        self._host = host
        self._modem = modem
        self._points = modem.points
        self._settings = settings
        self._log = log
        self._announce = announce
        self._changed = changed
        self._abandoned = False
        self._link = ServiceLink(
            settings.service,
            rx_size=settings.rx_size,
            timeout=settings.http_timeout,
            trusted=self._trusted,
            answered=partial(self._pass_by, power.REQUEST_SENT),
        )
        self._runner = CommandRunner(
            self.at,
            lambda key, value: self._on_loop(partial(stored.save, key, value)),
            buffer_size=max(settings.tx_size, settings.at_size),
            go_offline=self._go_offline,
        )

    def abandon(self) -> None:
        """Break off, from any thread."""
        with self._changed:
            self._abandoned = True
            self._changed.notify_all()
        self._link.tear_down()

    def run(self) -> str | None:
        """Provision and return the event at the end; ``None`` if the run was abandoned."""
        self._log.event("START")
        try:
            self._provide_root_ca()
            self._wait(lambda: self._modem.radio.registered, self._settings.time_wait)
            return self._rounds()
        except Abandoned:
            return None
        except Stopped as stopped:
            self._log.problem(str(stopped))
            return stopped.event

    def at(self, line: str) -> str | None:
        """Run an AT command on the loop thread; ``None`` if the modem did not answer.

        :raises Abandoned: the power went.
        """
        late = 0.0

        def execute() -> str | None:
            nonlocal late
            late = sum(slow.seconds for slow in self._modem.faults.take(line, SLOW))
            return self._modem.execute(line)

        reply = self._on_loop(execute)
        if reply is None or late:
            patience = self._settings.at_timeout
            self._wait(lambda: False, patience if reply is None else min(late, patience))
            reply = None if late >= patience else reply
        self._log.at(line, reply)
        return reply

    def _on_loop(self, action: Callable[[], T]) -> T:
        """Do something on the loop's thread, where the power goes too, and return what came of it.

        :raises Abandoned: the power went.
        """
        done = False
        results: list[T] = []
        errors: list[Exception] = []

        def act() -> None:
            nonlocal done
            try:
                if not self._abandoned:
                    results.append(action())
            except PowerLost:
                pass  # whoever waits sees that the run was abandoned
            except Exception as error:  # noqa: BLE001 - raised again where the result is waited for
                errors.append(error)
            with self._changed:
                done = True
                self._changed.notify_all()

        self._host.call_soon(act)
        with self._changed:
            self._changed.wait_for(lambda: done or self._abandoned)
        if self._abandoned:
            raise Abandoned
        if errors:
            raise errors[0]
        return results[0]

    def _pass_by(self, point: str, detail: str) -> None:
        """Pass a point at which the power may go.

        :raises Abandoned: it went.
        """
        if self._points.armed:
            self._on_loop(lambda: self._points.pass_by(point, detail))
        else:
            self._points.note(point, detail)

    # -- rounds -------------------------------------------------------------------------------------------

    def _rounds(self) -> str:
        for _round in range(self._settings.most_rounds):
            body = self._fetch()
            if body is None:
                return "NO_COMMANDS"
            responses, finished = self._process(body)
            if self._report(responses) and finished:
                return "DONE"
        raise Stopped("FAILED", f"gave up after {self._settings.most_rounds} fetches")

    def _fetch(self) -> bytes | None:
        version = self._ask("AT%SHORTSWVER").removeprefix("%SHORTSWVER: ")
        settings = self._settings
        target = (
            f"{FETCH_PATH}?after={self.after}&rxMaxSize={settings.rx_size}&txMaxSize={settings.tx_size}"
            f"&mver={version}&cver={settings.sdk}&limit={settings.limit}"
        )
        headers = [("Accept", "application/cbor"), self._authorization(), ("Content-Type", "*/*")]
        try:
            answer = self._exchange("GET", target, headers)
        except ExchangeFailed as error:
            event = "FAILED_WRONG_ROOT_CA" if error.refused else "FAILED"
            raise Stopped(event, str(error)) from error
        if answer.status == _NO_CONTENT:
            return None
        if answer.status != _OK:
            event = _EVENTS.get(answer.status, "FAILED")
            if event == "FAILED_DEVICE_NOT_CLAIMED":
                self.at("AT%ATTESTTOKEN")  # the library's event carries a fresh token
            raise Stopped(event, f"the service answered {answer.status}")
        return answer.body

    def _process(self, body: bytes) -> tuple[list[wire.Response], bool]:
        """Execute a batch; the second result says that it held ``finished`` and nothing failed."""
        try:
            commands = wire.decode_commands(
                body, limit=self._settings.limit, canonical=self._settings.canonical
            )
        except wire.TooManyCommands as error:
            raise Stopped("FAILED_TOO_MANY_COMMANDS", str(error)) from error
        except DecodeError as error:
            raise Stopped("FAILED", f"decoding commands failed: {error}") from error
        numbers_were_off = self._ask("AT+CMEE?") == "+CMEE: 0"
        if numbers_were_off:
            self.at("AT+CMEE=1")
        longest = self._runner.too_long(commands)
        if longest is not None:
            # The real library dereferences a null pointer here (nrfcloud fact sheet, section 3.6). [design]
            raise Stopped("FATAL_ERROR", f"AT command of {longest} bytes does not fit the buffer")
        responses, last, finished = self._runner.run(commands)
        self.after = last or self.after
        if numbers_were_off:
            self.at("AT+CMEE=0")
        self._go_online()
        return responses, finished

    def _report(self, responses: list[wire.Response]) -> bool:
        """Post a report; a refusal is logged, and the run goes on with the next fetch."""
        body = wire.encode_responses(responses, canonical=self._settings.canonical)
        if len(body) > max(self._settings.tx_size, self._settings.at_size):
            raise Stopped("FAILED", f"the report of {len(body)} bytes does not fit the TX buffer")
        headers = [("Content-Type", "application/cbor"), ("Accept", "*/*"), self._authorization()]
        try:
            answer = self._exchange("POST", REPORT_PATH, headers, body)
        except ExchangeFailed as error:
            self._log.problem(f"the report was not taken: {error}")
            return False
        if answer.status != _OK:
            self._log.problem(f"the report was answered {answer.status}")
        return answer.status == _OK

    def _exchange(
        self, method: str, target: str, headers: list[tuple[str, str]], body: bytes | None = None
    ) -> Answer:
        agent = f"Zephyr/{_ZEPHYR} ({_ZEPHYR_BUILD} {self._settings.board})"
        headers = [*headers, ("User-Agent", agent), ("Connection", "close")]
        self._pass_by(power.BEFORE_EXCHANGE, f"{method} {target}")
        try:
            answer = self._link.exchange(method, target, headers, body)
        except ExchangeFailed as error:
            if self._abandoned:
                raise Abandoned from error
            self._log.exchange(method, target, error.status, 0)
            raise
        self._log.exchange(method, target, answer.status, answer.size)
        self._pass_by(power.AFTER_EXCHANGE, f"{method} {target}")
        return answer

    def _authorization(self) -> tuple[str, str]:
        if not self._has_time():
            self._wait(lambda: self._modem.clock.valid, self._settings.time_wait)
            if not self._has_time():
                raise Stopped("FAILED_NO_VALID_DATETIME", "the modem has no time")
        token = _QUOTED.search(self._ask('AT%JWT=0,300,"",""'))
        if token is None:
            raise Stopped("FAILED", "the modem made no JWT")
        return "Authorization", f"Bearer {token[1]}"

    # -- whom the board trusts ---------------------------------------------------------------------------

    def _trusted(self) -> str:
        entries = self._on_loop(
            lambda: self._modem.store.entries(self._settings.root_ca_tag, CredentialType.ROOT_CA)
        )
        return "".join(entry.content for entry in entries)

    def _provide_root_ca(self) -> None:
        """Write the root CA that the firmware was built with where there is none (section 3.6, step 1)."""
        certificate, tag = self._settings.root_ca, self._settings.root_ca_tag
        slot = f"{tag},{CredentialType.ROOT_CA:d}"
        if not certificate or self._ask(f"AT%CMNG=1,{slot}") != "OK":
            return
        self._go_offline()
        self._ask(f'AT%CMNG=0,{slot},"{certificate}"')
        self._go_online()

    # -- the modem ----------------------------------------------------------------------------------------

    def _has_time(self) -> bool:
        return (self.at("AT%CCLK?") or "").startswith("%CCLK:")

    def _ask(self, line: str) -> str:
        """Run a command and return the first line of its answer."""
        reply = self.at(line)
        if reply is None or not reply.endswith("OK\r\n"):
            raise Stopped("FAILED", f"{line} failed")
        return reply.splitlines()[0]

    def _go_offline(self) -> None:
        if self._ask("AT+CFUN?") == f"+CFUN: {radio.OFFLINE}":
            return
        self._log.event("NEED_LTE_DEACTIVATED")
        self._announce("NEED_LTE_DEACTIVATED")
        if self._settings.lte_control == "board":
            self.at(f"AT+CFUN={radio.OFFLINE}")
        if not self._wait(lambda: self._modem.radio.mode == radio.OFFLINE, self._settings.state_wait):
            raise Stopped("FAILED", "the modem was not taken offline")

    def _go_online(self) -> None:
        self._log.event("NEED_LTE_ACTIVATED")
        self._announce("NEED_LTE_ACTIVATED")
        if self._settings.lte_control == "board" and self._modem.radio.mode != radio.FULL:
            self.at(f"AT+CFUN={radio.FULL}")
        if not self._wait(lambda: self._modem.radio.registered, self._settings.state_wait):
            raise Stopped("FAILED", "the modem did not come online")

    def _wait(self, fulfilled: Callable[[], bool], seconds: float) -> bool:
        """Wait until something is so, and tell whether it is.

        :raises Abandoned: the power went.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._abandoned or fulfilled(), seconds)
        if self._abandoned:
            raise Abandoned
        return fulfilled()
