"""Speaking AT with an nRF91 board: commands, refusals, what is secret in them, and what is to be put back.

Sources: nrfcloud fact sheet, sections 5 and 7.
"""

from __future__ import annotations

import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from harness.console.zephyr_shell import is_refusal
from harness.errors import BoardFault, BoardLost, CommandRefused, ConsoleTimeout, HarnessError
from harness.evidence import reported_as, step
from harness.redaction import SHORTEST_SECRET
from harness_nordic.driver_dialect import error_code, secrets_in, without_content
from harness_nordic.driver_line import AtLine, ShellComplained
from harness_nordic.driver_safety import SEC_TAGS, BoardState, SecTagGuard, Slot
from harness_nordic.driver_shell import NotTypable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.console import Reply
    from harness.inventory.leased_board import LeasedBoard

COMMAND_SECONDS = 10.0
RESET_SECONDS = 30.0

_HEALTH_SECONDS = 3.0
_BOOT_SECONDS = 0.5
_REBOOT = "kernel reboot warm"
_UNLOCKED_MODES = frozenset({0, 4})
_ERROR_MODE = re.compile(r"AT\+CMEE=([01])", re.IGNORECASE)
_ENTRY = re.compile(r'%CMNG: ([0-9]{1,10}),([0-9]{1,3}),"([0-9A-F]{64})"')
_NUMBER = re.compile(r"[0-9]{1,10}")
_SHOWN = 60
_STATE = "board-state"


class AtSession:
    """Speaks AT with a leased nRF91 board. Before its first command it switches error numbers on.

    :ivar sec_tags: the security tags that suites may use.
    :ivar line: in which discipline the board takes commands.
    """

    sec_tags: range = SEC_TAGS

    def __init__(self, board: LeasedBoard) -> None:
        """Speak with a board; nothing is sent yet."""
        self._board = board
        if board.settings.sec_tags is not None:
            self.sec_tags = board.settings.sec_tags
        restricted = not board.description.virtual and not board.settings.allow_destructive
        self._guard = SecTagGuard(board.id, self.sec_tags, restricted=restricted)
        self._looked = False
        self._found: BoardState | None = None
        self._account: int | None = None
        self._wants_numbers = True
        console = board.description.endpoints.get("console")
        self.line = AtLine("" if console is None else console.discipline)

    # -- commands -----------------------------------------------------------------------------------------

    def at(self, command: str, timeout: float = COMMAND_SECONDS) -> list[str]:
        """Run any AT command and return its data lines.

        :param command: the command, with ``AT``.
        :param timeout: seconds to wait for the end of the reply.
        :raises CommandRefused: the modem answered with an error; its ``code`` is the number, if it has one.
        :raises ConsoleTimeout: the modem did not answer in time.
        :raises UsageError: it would change credentials that are not ours.
        """
        self._prepare()
        self._guard.check(command)
        match = _ERROR_MODE.fullmatch(command)
        try:
            lines = self._run(command, timeout)
        except CommandRefused as refusal:
            if refusal.code is not None or not self._lost_numbers():
                raise
            # The board booted meanwhile and forgot: what was refused without a number is asked once more.
            self._run("AT+CMEE=1", COMMAND_SECONDS)
            lines = self._run(command, timeout)
        if match is not None:
            self._wants_numbers = match[1] == "1"
        return lines

    def answer(self, command: str, timeout: float) -> str:
        """Run an AT command and return the modem's complete text, also when it is an error.

        What a shell cannot be told, or makes nothing of, is not executed; the text says so, and does not end
        as a modem's does.

        :raises ConsoleTimeout: the modem did not answer in time.
        :raises UsageError: it would change credentials that are not ours.
        """
        self._prepare()
        self._guard.check(command)
        try:
            reply = self._exchange(command, timeout)
        except (NotTypable, ShellComplained) as error:
            return f"{error}\r\n"
        return "".join(f"{line}\r\n" for line in (*reply.lines, reply.final.strip()))

    def check_allowed(self, commands: Iterable[str]) -> None:
        """Refuse a batch of commands of which one may not be executed.

        :raises UsageError: it would change credentials that are not ours.
        """
        self._prepare()
        for command in commands:
            self._guard.check(command)

    @reported_as("The board is reset")
    def reset(self, timeout: float = RESET_SECONDS) -> None:
        """Restart the board by its firmware's own command, and wait until it answers again.

        Where the firmware is the USB device too, the board goes away meanwhile and comes back.

        :param timeout: seconds for all of it.
        :raises CommandRefused: the firmware has no such command.
        :raises ConsoleTimeout: it does not answer any more, or it never began to restart.
        :raises BoardLost: it went away and did not come back.
        """
        self._prepare()
        deadline = time.monotonic() + timeout
        self._run("AT+CMEE=1", COMMAND_SECONDS)  # what a boot forgets: so it is seen that there was one
        with suppress(BoardLost):
            if self.line.is_shell:
                self._reboot_by_shell()
            else:
                self._run("AT#XRESET", COMMAND_SECONDS)
        while not self._has_booted(deadline):
            self._wait_for_boot()
        if self._wants_numbers:
            self._run("AT+CMEE=1", COMMAND_SECONDS)

    def _reboot_by_shell(self) -> None:
        """Order a restart, and wait a moment until the firmware says that it boots.

        :raises CommandRefused: the shell says that it cannot.
        """
        console = self._board.console
        console.forget_unsolicited(_tells_of_boot)  # what earlier boots have said is not about this one
        console.write(f"{_REBOOT}\r\n".encode())
        self._wait_for_boot()

    def _wait_for_boot(self) -> None:
        """Wait a moment until the firmware says that it boots.

        :raises CommandRefused: the shell says that it cannot.
        """
        with suppress(ConsoleTimeout, BoardLost):
            said = self._board.console.wait_unsolicited(_tells_of_boot, timeout=_BOOT_SECONDS)
            if is_refusal(said):
                raise CommandRefused(_REBOOT, said)

    def _has_booted(self, deadline: float) -> bool:
        late = time.monotonic() >= deadline
        try:
            booted = not self._number(self._run("AT+CMEE?", _BOOT_SECONDS), "+CMEE")
        except (ConsoleTimeout, BoardLost):
            if late or self._board.lost is not None:
                raise
            return False
        if late and not booted:
            raise ConsoleTimeout(f"{self._board.id} took the order to restart, and did not")
        return booted

    def health(self) -> bool:
        """Tell whether the board answers."""
        try:
            self._run("AT", _HEALTH_SECONDS)
        except HarnessError:
            return False
        return True

    def _prepare(self) -> None:
        """See how the board is, write down what is to be put back, and only then change anything."""
        if self._found is not None:
            return
        numbers = self._number(self._run("AT+CMEE?", COMMAND_SECONDS), "+CMEE")
        mode = self._number(self._run("AT+CFUN?", COMMAND_SECONDS), "+CFUN")
        if self._guard.restricted and not self._looked:
            self._guard.note_found(slot for slot, _digest in self._list_credentials(""))
            self._looked = True
        found = BoardState(
            error_numbers=bool(numbers), mode=mode, sec_tags=self.sec_tags, kept=self._guard.kept
        )
        self._account = self._board.accounts.note(_STATE, self._board.id, **found.details())
        self._run("AT+CMEE=1", COMMAND_SECONDS)
        self._found = found
        self._wants_numbers = True

    def _lost_numbers(self) -> bool:
        return self._wants_numbers and not self._number(self._run("AT+CMEE?", COMMAND_SECONDS), "+CMEE")

    def _run(self, command: str, timeout: float) -> list[str]:
        reply = self._exchange(command, timeout)
        final = reply.final.strip()
        if final != "OK":
            raise CommandRefused(without_content(command), final, error_code(final))
        return list(reply.lines)

    def _exchange(self, command: str, timeout: float) -> Reply:
        shown = without_content(command)
        self._hide(command)
        with step(shown):  # a plain AT host echoes nothing: only here a report shows it
            reply = self.line.exchange(
                self._board.console,
                command,
                timeout=timeout,
                reason=f"AT command on {self._board.id}",
                shown=shown,
            )
        self._hide("\n".join(reply.lines))
        return reply

    def _hide(self, text: str) -> None:
        for value, label in secrets_in(text):
            if len(value) >= SHORTEST_SECRET:
                self._board.register_secret(value, label)

    def _list_credentials(self, filters: str) -> list[tuple[Slot, str]]:
        """Return slots and digests.

        :raises BoardFault: a line of the list cannot be read.
        """
        entries: list[tuple[Slot, str]] = []
        for line in self._run(f"AT%CMNG=1{filters}", COMMAND_SECONDS):
            match = _ENTRY.fullmatch(line)
            if match is None:
                raise BoardFault(f"{self._board.id}: no entry of a credential list: {line[:_SHOWN]!r}")
            entries.append(((int(match[1]), int(match[2])), match[3]))
        return entries

    # -- afterwards ---------------------------------------------------------------------------------------

    def restore(self) -> None:
        """Delete what lies under :attr:`sec_tags`; put functional mode and error numbers back as found.

        A modem's clock that the agent on the host has set cannot be taken back.

        :raises HarnessError: something could not be put back; the rest was tried all the same.
        """
        found = self._found
        if found is None:
            return
        steps: list[Any] = [lambda: self._empty(found), lambda: self._set_mode(found.mode)]
        if not found.error_numbers:
            steps.append(lambda: self._run("AT+CMEE=0", COMMAND_SECONDS))
        faults: list[HarnessError] = []
        for put_back in steps:
            try:
                put_back()
            except HarnessError as fault:
                faults.append(fault)
                if not isinstance(fault, CommandRefused):
                    break  # the board is silent or gone: asking for more only takes time
        if faults:
            raise faults[0]
        self._found = None
        if self._account is not None:
            self._board.accounts.settle(self._account)
            self._account = None

    def recover(self, details: Mapping[str, str]) -> None:
        """Put back what a session left that died with this board in hand.

        :param details: of its account of the board.
        :raises UsageError: they cannot be read.
        """
        self._found = BoardState.from_details(details)
        self._wants_numbers = True
        self._run("AT+CMEE=1", COMMAND_SECONDS)
        self.restore()

    def _empty(self, found: BoardState) -> None:
        slots = [slot for slot, _digest in self._list_credentials("")]
        ours = [slot for slot in slots if slot[0] in found.sec_tags and slot not in found.kept]
        if ours and self._mode() not in _UNLOCKED_MODES:
            self._set_mode(4)
        refusals: list[CommandRefused] = []
        for tag, kind in ours:
            try:
                self._run(f"AT%CMNG=3,{tag},{kind}", COMMAND_SECONDS)
            except CommandRefused as refusal:
                refusals.append(refusal)
        if refusals:
            raise refusals[0]

    def _mode(self) -> int:
        return self._number(self._run("AT+CFUN?", COMMAND_SECONDS), "+CFUN")

    def _set_mode(self, mode: int) -> None:
        if self._mode() != mode:
            self._run(f"AT+CFUN={mode}", COMMAND_SECONDS)

    # -- reading answers ----------------------------------------------------------------------------------

    def _line(self, command: str) -> str:
        lines = self.at(command)
        if not lines:
            raise BoardFault(f"{self._board.id}: {command} was answered OK without a word")
        return lines[-1].strip()

    def _value(self, command: str, prefix: str, timeout: float = COMMAND_SECONDS) -> str:
        return self._read(self.at(command, timeout), prefix).strip('"')

    def _number(self, lines: list[str], prefix: str) -> int:
        text = self._read(lines, prefix)
        if _NUMBER.fullmatch(text) is None:
            raise BoardFault(f"{self._board.id}: {prefix} is no number: {text[:_SHOWN]!r}")
        return int(text)

    def _read(self, lines: list[str], prefix: str) -> str:
        for line in lines:
            if line.startswith(f"{prefix}:"):
                return line.removeprefix(f"{prefix}:").strip()
        shown = [line[:_SHOWN] for line in lines]
        raise BoardFault(f"{self._board.id}: no {prefix} in the answer {shown!r}")


def _tells_of_boot(line: str) -> bool:
    """Tell whether firmware says that it boots, or a shell that it cannot."""
    return line == "Ready" or line.startswith("*** Booting") or is_refusal(line)
