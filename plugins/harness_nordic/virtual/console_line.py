"""The console of the board: AT host or shell, and what a test lets go wrong on it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from harness_nordic.virtual import faults
from harness_nordic.virtual.agent_settings import AT_SHELL
from harness_nordic.virtual.at_host import AtHost
from harness_nordic.virtual.shell import ZephyrShell
from harness_nordic.virtual.shell_firmware import ZEPHYR, FirmwareCommands

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.virtual.contract import BoardHost, Timer
    from harness_nordic.virtual.agent import Agent
    from harness_nordic.virtual.faults import Disturbance
    from harness_nordic.virtual.modem import Modem
    from harness_nordic.virtual.tls_credentials import TlsCredentials

_ROLE = "console"
_LINE_END = b"\r\n"
_READY = b"Ready\r\n"


class ConsoleLine:
    """Runs what is typed, and sends the replies: late, in pieces or with foreign bytes when it was told to.

    As on the real firmware the next command is not looked at before the reply of the last one is out.
    """

    def __init__(
        self,
        host: BoardHost,
        modem: Modem,
        agent: Agent,
        tls_credentials: TlsCredentials,
        *,
        terminator: str,
        reboot: Callable[[], None],
    ) -> None:
        """Connect the console to the modem.

        :param host: carries bytes and gives timers.
        :param modem: executes.
        :param agent: what the shell's ``nrf_provisioning`` controls; its settings say what is spoken.
        :param tls_credentials: what the credential shells work on.
        :param terminator: a name of :data:`~harness_nordic.virtual.at_host.TERMINATORS`.
        :param reboot: boots the board anew, as soon as may be.
        """
        self._host = host
        self._modem = modem
        self._agent = agent
        self._at_host = AtHost(self._execute, self._reply, terminator=terminator)
        self._shell = ZephyrShell(self._send, agent.settings)
        self._firmware = FirmwareCommands(
            self._shell,
            modem,
            agent,
            tls_credentials,
            execute=self._execute,
            reply=self._reply,
            reboot=reboot,
        )
        self._spoken: AtHost | ZephyrShell = self._at_host
        self._met: list[Disturbance] = []
        self._timer: Timer | None = None

    @property
    def _speaks_shell(self) -> bool:
        return self._spoken is self._shell

    def boot(self) -> None:
        """Speak what the firmware speaks from now on."""
        self._firmware.boot()
        self._shell.commands = self._firmware.commands
        self._spoken = self._shell if self._agent.settings.discipline == AT_SHELL else self._at_host

    def greet(self) -> None:
        """Say that the board has booted."""
        if self._speaks_shell:
            sdk = self._agent.settings.sdk
            self._send(
                f"*** Booting nRF Connect SDK v{sdk} ***\r\n*** Using Zephyr OS v{ZEPHYR} ***\r\n".encode()
            )
            self._shell.boot()
        else:
            self._send(_READY)

    def receive(self, data: bytes) -> None:
        """Take bytes.

        :raises PowerLost: the power went at one of the commands in them.
        """
        self._spoken.receive(data)

    def clear(self) -> None:
        """Lose power: what was typed and what was to be sent is forgotten."""
        self._met = []
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._at_host.clear()
        self._shell.clear()

    def notify(self, line: str) -> None:
        """Send a notification of the modem; a shell prints it for whoever has asked for that."""
        if not self._speaks_shell:
            self.announce(line)
        elif self._firmware.events:
            self._shell.log(f"AT event handler:\n{line}\n")

    def announce(self, line: str) -> None:
        """Send an unsolicited line of the application, which a shell does not have."""
        if not self._speaks_shell:
            self._send(_unsolicited(line))

    def log(self, line: str) -> None:
        """Print a line of the log, which a shell shares the console with."""
        if self._speaks_shell:
            self._shell.log(line)

    def _send(self, data: bytes) -> None:
        self._host.send(_ROLE, data)

    def _execute(self, command: str) -> str | None:
        self._met = self._modem.faults.take(
            command, faults.SLOW, faults.SPLIT, faults.UNSOLICITED, faults.GARBAGE
        )
        reply = self._modem.execute(command)
        if reply is None:
            self._met = []
        return reply

    def _reply(self, data: bytes, behind: bytes = b"") -> None:
        """Send a reply as the disturbances have it.

        :param behind: what follows it in any case.
        """
        met, self._met = self._met, []
        late = sum(each.seconds for each in met if each.how == faults.SLOW)
        for each in met:
            if each.how == faults.GARBAGE:
                data = random.Random(each.seed).randbytes(each.size) + data  # noqa: S311 - noise, not secrecy
            elif each.how == faults.UNSOLICITED:
                data = _with_line_inside(data, each.text) if each.inside else _unsolicited(each.text) + data
        data += behind
        split = next((each for each in met if each.how == faults.SPLIT), None)
        if split is not None:
            pieces = [data[at : at + split.size] for at in range(0, len(data), split.size)]
            self._send_later(late, split.seconds, pieces)
        elif late:
            self._send_later(late, 0.0, [data])
        else:
            self._send(data)

    def _send_later(self, seconds: float, gap: float, pieces: list[bytes]) -> None:
        self._spoken.hold()

        def send() -> None:
            self._timer = None
            self._send(pieces[0])
            if len(pieces) > 1:
                self._send_later(gap, gap, pieces[1:])
            else:
                self._spoken.release()

        self._timer = self._host.call_later(seconds, send)


def _unsolicited(line: str) -> bytes:
    return _LINE_END + line.encode() + _LINE_END


def _with_line_inside(reply: bytes, line: str) -> bytes:
    """Put a line before the last one of a reply."""
    *before, last = reply.removesuffix(_LINE_END).split(_LINE_END)
    return _LINE_END.join([*before, line.encode(), last]) + _LINE_END
