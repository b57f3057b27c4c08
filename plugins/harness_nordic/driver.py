"""The driver ``nrf91``: what suites ask of an nRF91 board, in AT commands.

Sources: nrfcloud fact sheet, sections 5 and 7.
"""

from __future__ import annotations

import re
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import BoardFault, CommandRefused, ConsoleTimeout, HarnessError
from harness.evidence import reported_as, step
from harness_nordic import driver_provisioning as provisioning
from harness_nordic.driver_dialect import AtDialect, error_code, without_content
from harness_nordic.enums import CmeError, CredentialType

if TYPE_CHECKING:
    from harness.console import Console
    from harness.inventory.leased_board import LeasedBoard
    from harness_nordic.driver_provisioning import ProvisionOutcome

#: Tags that suites may use: far from the default tag 16842753 and from every tag of Nordic's samples.
SEC_TAGS = tuple(range(910_000_000, 910_000_010))
COMMAND_SECONDS = 10.0
KEYGEN_SECONDS = 30.0

_FULL, _OFFLINE = 1, 4
_UNLOCKED_MODES = frozenset({0, _OFFLINE})
_HEALTH_SECONDS = 3.0
_LOG_SECONDS = 2.0
_ERROR_MODE = re.compile(r"AT\+CMEE=([01])", re.IGNORECASE)
_TYPES = frozenset(map(int, CredentialType))
_ENTRY = re.compile(r'%CMNG: (\d+),(\d+),"([0-9A-F]{64})"')


@dataclass(frozen=True, slots=True)
class CredentialEntry:
    """One line of the credential list.

    :ivar tag: security tag.
    :ivar type: what it is.
    :ivar digest: upper-case SHA-256 of its content.
    """

    tag: int
    type: CredentialType
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardIdentity:
    """Who a board says it is."""

    imei: str
    uuid: str
    model: str
    firmware: str


@dataclass(slots=True)
class _Found:
    """The modem as the driver found it, to be put back."""

    error_numbers: bool
    mode: int


class Nrf91Driver:
    """Speaks AT with a leased nRF91 board. Before its first command it switches error numbers on.

    :ivar sec_tags: the security tags that suites may use.
    """

    sec_tags: tuple[int, ...] = SEC_TAGS

    def __init__(self, board: LeasedBoard) -> None:
        """Drive a board; nothing is sent yet."""
        self._board = board
        self._found: _Found | None = None
        self._wants_numbers = True

    # -- commands -----------------------------------------------------------------------------------------

    def at(self, command: str, timeout: float = COMMAND_SECONDS) -> list[str]:
        """Run any AT command and return its data lines.

        :param command: the command, with ``AT``.
        :param timeout: seconds to wait for the end of the reply.
        :raises CommandRefused: the modem answered with an error; its ``code`` is the number, if it has one.
        :raises ConsoleTimeout: the modem did not answer in time.
        """
        if self._found is None:
            self._prepare()
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

    def _prepare(self) -> None:
        numbers = self._number(self._run("AT+CMEE?", COMMAND_SECONDS), "+CMEE")
        mode = self._number(self._run("AT+CFUN?", COMMAND_SECONDS), "+CFUN")
        self._run("AT+CMEE=1", COMMAND_SECONDS)
        self._found = _Found(bool(numbers), mode)
        self._wants_numbers = True

    def _lost_numbers(self) -> bool:
        return self._wants_numbers and not self._number(self._run("AT+CMEE?", COMMAND_SECONDS), "+CMEE")

    def _run(self, command: str, timeout: float) -> list[str]:
        with step(without_content(command)):  # a plain AT host echoes nothing: only here a report shows it
            reply = self._board.console.command(
                command, AtDialect(command), timeout=timeout, reason=f"AT command on {self._board.id}"
            )
            final = reply.final.strip()
            if final != "OK":
                raise CommandRefused(without_content(command), final, error_code(final))
            return list(reply.lines)

    # -- identification -----------------------------------------------------------------------------------

    def identity(self) -> BoardIdentity:
        """Ask the board who it is."""
        return BoardIdentity(
            imei=self.imei(), uuid=self.device_uuid(), model=self.model(), firmware=self.modem_firmware()
        )

    def imei(self) -> str:
        """Return the IMEI, fifteen digits."""
        return self._line("AT+CGSN")

    def model(self) -> str:
        """Return the model, for example ``nRF9151-LACA``."""
        return self._line("AT+CGMM")

    def modem_firmware(self) -> str:
        """Return the modem firmware, for example ``mfw_nrf91x1_2.0.2``."""
        return self._line("AT+CGMR")

    def device_uuid(self) -> str:
        """Return the device UUID, which is also its id in the Provisioning Service."""
        return self._value("AT%DEVICEUUID", "%DEVICEUUID")

    def health(self) -> bool:
        """Tell whether the board answers."""
        try:
            self._run("AT", _HEALTH_SECONDS)
        except HarnessError:
            return False
        return True

    # -- functional mode ----------------------------------------------------------------------------------

    def functional_mode(self) -> int:
        """Return what ``+CFUN?`` says: 1 full, 4 offline, 0 off."""
        return self._number(self.at("AT+CFUN?"), "+CFUN")

    def offline(self) -> None:
        """Take the modem offline, so that credentials may be changed."""
        self.at(f"AT+CFUN={_OFFLINE}")

    def online(self) -> None:
        """Bring the modem to full function."""
        self.at(f"AT+CFUN={_FULL}")

    def _unlock(self) -> None:
        if self.functional_mode() not in _UNLOCKED_MODES:
            self.offline()

    # -- tokens and keys ----------------------------------------------------------------------------------

    @reported_as("The board signs an attestation token")
    def attestation_token(self, challenge: bytes | None = None) -> str:
        """Return a fresh attestation token.

        :param challenge: sixteen bytes that become its nonce.
        """
        wanted = "" if challenge is None else f'="{challenge.hex()}"'
        return self._value(f"AT%ATTESTTOKEN{wanted}", "%ATTESTTOKEN")

    @reported_as("The board makes a key")
    def generate_key(
        self,
        tag: int,
        *,
        key_type: CredentialType = CredentialType.CLIENT_KEY,
        public_key: bool = False,
        attributes: str = "",
        key_usage: str = "",
    ) -> str:
        """Make a key under a tag and return what ``%KEYGEN`` exports, ``<body>.<cose>``.

        The modem is taken offline for it and stays so.

        :param tag: security tag.
        :param key_type: client or endorsement key.
        :param public_key: export the public key instead of a certificate signing request.
        :param attributes: subject of the request, ``CN=...,O=...``; the device UUID without it.
        :param key_usage: nine characters ``0`` or ``1``.
        :raises CommandRefused: 519 when the tag holds a key.
        """
        self._unlock()
        command = f"AT%KEYGEN={tag},{key_type:d},{int(public_key)}"
        if attributes or key_usage:
            command += f',"{attributes}"'
        if key_usage:
            command += f',"{key_usage}"'
        return self._value(command, "%KEYGEN", timeout=KEYGEN_SECONDS)

    @reported_as("The board signs a JWT")
    def jwt(
        self,
        tag: int | None = None,
        *,
        key_type: CredentialType = CredentialType.CLIENT_KEY,
        expiry: int = 0,
        subject: str = "",
        audience: str = "",
    ) -> str:
        """Return a JWT, signed by the identity key or by the key of a tag.

        :param tag: security tag of the key; ``None`` is the identity key.
        :param key_type: client or endorsement key.
        :param expiry: seconds that it is valid; 0 leaves times out of it, and needs no clock.
        :param subject: its ``sub``.
        :param audience: its ``aud``.
        :raises CommandRefused: 513 no such key, 525 no time.
        """
        command = f'AT%JWT=0,{expiry},"{subject}","{audience}"'
        if tag is not None:
            command += f",{tag},{key_type:d}"
        return self._value(command, "%JWT")

    # -- credentials --------------------------------------------------------------------------------------

    @reported_as("The board lists its credentials")
    def credentials(self, tag: int | None = None, type: int | None = None) -> list[CredentialEntry]:  # noqa: A002 - the modem's own word
        """List credentials, all or those of a tag, or of a tag and a type.

        :raises BoardFault: a line of the list cannot be read.
        """
        filters = "".join(f",{value:d}" for value in (tag, type) if value is not None)
        entries: list[CredentialEntry] = []
        for line in self.at(f"AT%CMNG=1{filters}"):
            match = _ENTRY.fullmatch(line)
            if match is None or int(match[2]) not in _TYPES:
                raise BoardFault(f"{self._board.id}: no entry of a credential list: {line!r}")
            entries.append(CredentialEntry(int(match[1]), CredentialType(int(match[2])), match[3]))
        return entries

    def credential_digest(self, tag: int, type: int) -> str:  # noqa: A002 - the modem's own word
        """Return the digest of one credential, comparable with :func:`harness_nordic.digests.pem_digest`.

        :raises CommandRefused: 513, there is none.
        """
        entries = self.credentials(tag, type)
        if not entries:
            raise CommandRefused(f"AT%CMNG=1,{tag},{type:d}", "an empty list", int(CmeError.NOT_FOUND))
        return entries[0].digest

    @reported_as("A credential is written to the board")
    def write_credential(self, tag: int, type: int, content: str, password: str | None = None) -> None:  # noqa: A002 - the modem's own word
        """Write a credential; the modem is taken offline for it and stays so.

        :raises CommandRefused: 519 the slot holds a generated key, 527 no certificate, 515 no room.
        """
        self._unlock()
        tail = "" if password is None else f',"{password}"'
        self.at(f'AT%CMNG=0,{tag},{type:d},"{content}"{tail}')

    @reported_as("A credential is deleted from the board")
    def delete_credential(self, tag: int, type: int) -> None:  # noqa: A002 - the modem's own word
        """Delete a credential; the modem is taken offline for it and stays so.

        :raises CommandRefused: 513, there is none.
        """
        self._unlock()
        self.at(f"AT%CMNG=3,{tag},{type:d}")

    # -- provisioning -------------------------------------------------------------------------------------

    @reported_as("The board's agent provisions")
    def provision(self, timeout: float = 30.0) -> ProvisionOutcome:
        """Let the board's own agent provision, and wait until it says how that ended.

        :param timeout: seconds for the whole run.
        :raises ConsoleTimeout: the agent did not end in time.
        :raises CommandRefused: the firmware has no agent.
        """
        if self.functional_mode() != _FULL:
            self.online()
        console = self._board.console
        log: Console | None = None
        if "trace" in self._board.description.endpoints:
            log = self._board.endpoint("trace")
        start = log.position if log is not None else 0
        self._forget_notifications(console)
        deadline = time.monotonic() + timeout
        self.at(provisioning.TRIGGER)
        number = self._follow(console, deadline, timeout)
        told = None if log is None else self._read_log(log, start)
        return told or provisioning.read_notification(number)

    @staticmethod
    def _forget_notifications(console: Console) -> None:
        with suppress(ConsoleTimeout):
            while True:
                console.wait_unsolicited(provisioning.NOTIFICATION, timeout=0)

    def _follow(self, console: Console, deadline: float, timeout: float) -> int:
        """Wait for the last notification; take LTE down and up when the firmware leaves that to the host."""
        while True:
            line = console.wait_unsolicited(
                provisioning.NOTIFICATION,
                timeout=max(0.0, deadline - time.monotonic()),
                reason=f"the end of the provisioning that was started, {timeout:g} s at most",
            )
            match = provisioning.NOTIFICATION.fullmatch(line)
            number = int(match[1]) if match else 0
            if number == provisioning.TAKE_OFFLINE:
                self.offline()
            elif number == provisioning.TAKE_ONLINE:
                self.online()
            elif match:
                return number

    @staticmethod
    def _read_log(log: Console, start: int) -> ProvisionOutcome | None:
        """Read the run's log, which may lag behind the console; real firmware may log nothing of it."""
        deadline = time.monotonic() + _LOG_SECONDS
        while True:
            outcome = provisioning.read_log(log.slice(start, log.position))
            if outcome is not None:
                return outcome
            try:
                log.expect(provisioning.TERMINAL_EVENT, timeout=max(0.0, deadline - time.monotonic()))
            except ConsoleTimeout:
                return None

    # -- afterwards ---------------------------------------------------------------------------------------

    def restore(self) -> None:
        """Delete what lies under :attr:`sec_tags`; put functional mode and error numbers back as found."""
        found = self._found
        if found is None:
            return
        for entry in self.credentials():
            if entry.tag in self.sec_tags:
                self.delete_credential(entry.tag, entry.type)
        if self.functional_mode() != found.mode:
            self.at(f"AT+CFUN={found.mode}")
        if not found.error_numbers:
            self._run("AT+CMEE=0", COMMAND_SECONDS)
        self._found = None

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
        if not text.isdecimal():
            raise BoardFault(f"{self._board.id}: {prefix} is no number: {text!r}")
        return int(text)

    def _read(self, lines: list[str], prefix: str) -> str:
        for line in lines:
            if line.startswith(f"{prefix}:"):
                return line.removeprefix(f"{prefix}:").strip()
        raise BoardFault(f"{self._board.id}: no {prefix} in the answer {lines!r}")
