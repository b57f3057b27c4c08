"""The commands of the firmware's shell: the modem's, the kernel's, the provisioning library's.

Sources: nrfcloud fact sheet, sections 3.9 and 6.2; documentation of the libraries "AT shell" and "nRF Cloud
device provisioning"; Zephyr documentation, "Shell".
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from harness_nordic.virtual.shell import as_printed
from harness_nordic.virtual.shell_commands import ShellCommand, listing
from harness_nordic.virtual.shell_credentials import CredentialShell

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness_nordic.virtual.agent import Agent
    from harness_nordic.virtual.modem import Modem
    from harness_nordic.virtual.shell import ZephyrShell
    from harness_nordic.virtual.tls_credentials import TlsCredentials

ZEPHYR = "4.1.99"

_CREDENTIAL_WRITE = re.compile(r"\s*AT%CMNG\s*=\s*0\s*,", re.IGNORECASE)
_NUMBER = re.compile(r"\s*([+-]?[0-9]{1,10})")
_QUOTED = re.compile(r'"([^"]*)"')


class FirmwareCommands:
    """What the commands of the firmware do.

    :ivar events: whether the modem's notifications are printed.
    """

    def __init__(
        self,
        shell: ZephyrShell,
        modem: Modem,
        agent: Agent,
        store: TlsCredentials,
        *,
        execute: Callable[[str], str | None],
        reply: Callable[[bytes, bytes], None],
        reboot: Callable[[], None],
    ) -> None:
        """Know the parts of the firmware.

        :param execute: runs an AT command that was typed; ``None`` for silence.
        :param reply: sends the modem's reply, and what comes behind it.
        :param reboot: boots the board anew, as soon as may be.
        """
        self.events = False
        self._shell = shell
        self._modem = modem
        self._agent = agent
        self._execute = execute
        self._reply = reply
        self._reboot = reboot
        self._booted = time.monotonic()
        self._credentials = CredentialShell(store, modem.identity.uuid, shell)

    def boot(self) -> None:
        """Forget what is not kept without power."""
        self.events = False
        self._booted = time.monotonic()
        self._credentials.clear()

    def commands(self) -> list[ShellCommand]:
        """Return the commands of the firmware as it is built now."""
        modes = tuple(
            ShellCommand(name=name, help=f"{name.capitalize()} reboot.", run=self._restart)
            for name in ("cold", "warm")
        )
        kernel = (
            ShellCommand(name="reboot", help="Reboot.", subcommands=modes),
            ShellCommand(name="uptime", help="Kernel uptime.", run=self._uptime, words=1),
            ShellCommand(name="version", help="Kernel version.", run=self._version, words=1),
        )
        provisioning = (
            ShellCommand(name="now", help="Do provisioning now", run=self._provision),
            ShellCommand(name="token", help="Get the attestation token", run=self._token),
            ShellCommand(name="uuid", help="Get device UUID", run=self._uuid),
            ShellCommand(name="interval", help="Set provisioning interval", run=self._interval),
        )
        made = [
            ShellCommand(name="at", help="Execute an AT command", run=self._at),
            ShellCommand(name="help", help="Prints the help message.", run=self._help),
            ShellCommand(name="kernel", help="Kernel commands", subcommands=kernel),
            *self._credentials.commands(),
        ]
        if self._agent.settings.agent:
            made.append(
                ShellCommand(
                    name="nrf_provisioning", help="nRF Provisioning commands", subcommands=provisioning
                )
            )
        return sorted(made, key=lambda command: command.name)

    def _help(self, _words: list[str]) -> None:
        self._shell.print("Call a command with -h or --help for more information.")
        self._shell.print("\nAvailable commands:")
        for line in listing(self.commands()):
            self._shell.print(line)

    # -- at -----------------------------------------------------------------------------------------------

    def _at(self, words: list[str]) -> bool | None:
        if len(words) == 1:
            self._shell.print("Usage: at <subcommand>\n\nSubcommands:")
            self._shell.print("  events_enable     Print notifications of the modem")
            self._shell.print("  events_disable    Print them no more\n")
            self._shell.print("Any other subcommand is an AT command and goes to the modem.")
            return None
        if words[1] in {"events_enable", "events_disable"}:
            self.events = words[1] == "events_enable"
            self._shell.print(f"AT command event handler {'enabled' if self.events else 'disabled'}")
            return None
        self._shell.flush()
        reply = self._execute(_as_written(words[1]))
        if reply is not None:
            self._reply(as_printed(reply), as_printed("\n") + self._shell.prompt)
        return True

    # -- kernel -------------------------------------------------------------------------------------------

    def _restart(self, _words: list[str]) -> bool:
        self._shell.hold()
        self._reboot()
        return True

    def _uptime(self, _words: list[str]) -> None:
        self._shell.print(f"Uptime: {int((time.monotonic() - self._booted) * 1000)} ms")

    def _version(self, _words: list[str]) -> None:
        self._shell.print(f"Zephyr version {ZEPHYR}")

    # -- nrf_provisioning ---------------------------------------------------------------------------------

    def _provision(self, _words: list[str]) -> None:
        self._agent.start()

    def _token(self, _words: list[str]) -> None:
        self._print_quoted("AT%ATTESTTOKEN", "token")

    def _uuid(self, _words: list[str]) -> None:
        self._shell.print(f"{self._modem.identity.uuid}\n")

    def _print_quoted(self, command: str, what: str) -> None:
        reply = self._modem.execute(command) or ""
        found = _QUOTED.search(reply)
        self._shell.print(f"{found[1]}\n" if found else f"Failed to get {what}, err -8\n")

    def _interval(self, words: list[str]) -> None:
        if len(words) == 1:
            self._shell.error("No interval provided")
            self._shell.print("Usage: nrf_provisioning interval <seconds>")
            return
        number = _NUMBER.match(words[1])
        self._agent.set_interval(int(number[1]) if number else 0)


def _as_written(command: str) -> str:
    r"""Return a command with the line breaks of the credential that it writes, typed as backslash and n."""
    return command.replace("\\n", "\r\n") if _CREDENTIAL_WRITE.match(command) else command
