"""One run of the provisioning agent: fetch, execute, report, until finished or nothing is left."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from harness.virtual.loop_calls import Abandoned, LoopCalls
from harness_nordic.enums import CredentialType
from harness_nordic.virtual import radio, wire
from harness_nordic.virtual.cbor import DecodeError
from harness_nordic.virtual.coap_variant import CoapVariant
from harness_nordic.virtual.execution import CommandRunner
from harness_nordic.virtual.faults import SLOW
from harness_nordic.virtual.http_variant import HttpVariant
from harness_nordic.virtual.variants import Stopped

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from harness.virtual.contract import BoardHost
    from harness_nordic.virtual.agent_log import AgentLog
    from harness_nordic.virtual.agent_settings import AgentSettings
    from harness_nordic.virtual.firmware_settings import FirmwareSettings
    from harness_nordic.virtual.modem import Modem
    from harness_nordic.virtual.variants import Variant

T = TypeVar("T")

_QUOTED = re.compile(r'"([^"]*)"')


class Session:
    """A run, on a thread of its own.

    :ivar after: correlation id of the last command that was processed.
    :ivar settings: how the firmware was built.
    :ivar log: where the run says what it does.
    :ivar busy: it ended because the service was too busy to answer, or did not answer in time.
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
        self._modem = modem
        self._points = modem.points
        self.settings = settings
        self.log = log
        self._announce = announce
        self._calls = LoopCalls(host, changed)
        self.busy = False
        self._variant: Variant = (
            CoapVariant(self, modem.radio.datagrams) if settings.transport == "coap" else HttpVariant(self)
        )
        self._runner = CommandRunner(
            self.at,
            lambda key, value: self._on_loop(partial(stored.save, key, value)),
            buffer_size=max(settings.tx_size, settings.at_size),
            go_offline=self._go_offline,
        )

    @property
    def abandoned(self) -> bool:
        """Whether the board lost its power."""
        return self._calls.abandoned

    def abandon(self) -> None:
        """Break off, from any thread."""
        self._calls.abandon()
        self._variant.tear_down()

    def run(self) -> str | None:
        """Provision and return the event at the end; ``None`` if the run was abandoned."""
        self.log.event("START")
        try:
            self._provide_root_ca()
            self._wait(lambda: self._modem.radio.registered, self.settings.time_wait)
            return self._rounds()
        except Abandoned:
            return None
        except Stopped as stopped:
            self.log.problem(str(stopped))
            self.busy = stopped.busy
            return stopped.event
        finally:
            self._variant.close()

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
            patience = self.settings.at_timeout
            self._wait(lambda: False, patience if reply is None else min(late, patience))
            reply = None if late >= patience else reply
        self.log.at(line, reply)
        return reply

    def _on_loop(self, action: Callable[[], T]) -> T:
        """Do something on the loop's thread, where the power goes too, and return what came of it.

        :raises Abandoned: the power went.
        """
        return self._calls.call(action)

    def pass_by(self, point: str, detail: str) -> None:
        """Pass a point at which the power may go.

        :raises Abandoned: it went.
        """
        self._calls.pass_by(self._points, point, detail)

    # -- rounds -------------------------------------------------------------------------------------------

    def _rounds(self) -> str:
        for _round in range(self.settings.most_rounds):
            body = self._fetch()
            if body is None:
                return "NO_COMMANDS"
            responses, finished = self._process(body)
            if self._report(responses) and finished:
                return "DONE"
        raise Stopped("FAILED", f"gave up after {self.settings.most_rounds} fetches")

    def _fetch(self) -> bytes | None:
        return self._variant.fetch(self.after)

    def _process(self, body: bytes) -> tuple[list[wire.Response], bool]:
        """Execute a batch; the second result says that it held ``finished`` and nothing failed."""
        try:
            commands = wire.decode_commands(
                body, limit=self.settings.limit, canonical=self.settings.canonical
            )
        except wire.TooManyCommands as error:
            raise Stopped("FAILED_TOO_MANY_COMMANDS", str(error)) from error
        except DecodeError as error:
            raise Stopped("FAILED", f"decoding commands failed: {error}") from error
        numbers_were_off = self.ask("AT+CMEE?") == "+CMEE: 0"
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
        body = wire.encode_responses(responses, canonical=self.settings.canonical)
        if len(body) > max(self.settings.tx_size, self.settings.at_size):
            raise Stopped("FAILED", f"the report of {len(body)} bytes does not fit the TX buffer")
        return self._variant.report(body)

    # -- who the board is and whom it trusts --------------------------------------------------------------

    def jwt(self) -> str:
        """Return a fresh JWT of the modem's.

        :raises Stopped: the modem has no time, or made none.
        """
        if not self._has_time():
            self._wait(lambda: self._modem.clock.valid, self.settings.time_wait)
            if not self._has_time():
                raise Stopped("FAILED_NO_VALID_DATETIME", "the modem has no time")
        token = _QUOTED.search(self.ask('AT%JWT=0,300,"",""'))
        if token is None:
            raise Stopped("FAILED", "the modem made no JWT")
        return token[1]

    def trusted(self) -> str:
        """Return the certificates (PEM) of whom the board trusts."""
        entries = self._on_loop(
            lambda: self._modem.store.entries(self.settings.root_ca_tag, CredentialType.ROOT_CA)
        )
        return "".join(entry.content for entry in entries)

    def _provide_root_ca(self) -> None:
        """Write the root CA that the firmware was built with where there is none (section 3.6, step 1)."""
        certificate, tag = self.settings.root_ca, self.settings.root_ca_tag
        slot = f"{tag},{CredentialType.ROOT_CA:d}"
        if not certificate or self.ask(f"AT%CMNG=1,{slot}") != "OK":
            return
        self._go_offline()
        self.ask(f'AT%CMNG=0,{slot},"{certificate}"')
        self._go_online()

    # -- the modem ----------------------------------------------------------------------------------------

    def _has_time(self) -> bool:
        return (self.at("AT%CCLK?") or "").startswith("%CCLK:")

    def ask(self, line: str) -> str:
        """Run a command and return the first line of its answer."""
        reply = self.at(line)
        if reply is None or not reply.endswith("OK\r\n"):
            raise Stopped("FAILED", f"{line} failed")
        return reply.splitlines()[0]

    def _go_offline(self) -> None:
        if self.ask("AT+CFUN?") == f"+CFUN: {radio.OFFLINE}":
            return
        self.log.event("NEED_LTE_DEACTIVATED")
        self._announce("NEED_LTE_DEACTIVATED")
        if self.settings.lte_control == "board":
            self.at(f"AT+CFUN={radio.OFFLINE}")
        if not self._wait(lambda: self._modem.radio.mode == radio.OFFLINE, self.settings.state_wait):
            raise Stopped("FAILED", "the modem was not taken offline")

    def _go_online(self) -> None:
        self.log.event("NEED_LTE_ACTIVATED")
        self._announce("NEED_LTE_ACTIVATED")
        if self.settings.lte_control == "board" and self._modem.radio.mode != radio.FULL:
            self.at(f"AT+CFUN={radio.FULL}")
        if not self._wait(lambda: self._modem.radio.registered, self.settings.state_wait):
            raise Stopped("FAILED", "the modem did not come online")

    def _wait(self, fulfilled: Callable[[], bool], seconds: float) -> bool:
        """Wait until something is so, and tell whether it is.

        :raises Abandoned: the power went.
        """
        return self._calls.wait(fulfilled, seconds)
