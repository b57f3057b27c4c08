"""The commands of one claimed device: their order, what is handed out, and what reports do to them.

The state machine of the nrfcloud fact sheet, sections 2.5, 3.6 and 3.7.
"""

from __future__ import annotations

import logging
import re
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness_nordic.enums import CommandStatus, CommandType, DeviceReportType, DeviceStatus, KeygenOutput
from harness_nordic.fake.command_mapping import KEYGEN_OUTPUTS, device_commands
from harness_nordic.fake.refusals import BadRequest, NotFound, TokenRefused
from harness_nordic.fake.wire import (
    AtCommand,
    ConfigCommand,
    DeviceCommand,
    DeviceReport,
    encode_commands,
    join_commands,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MOST_OPEN_COMMANDS = 20
HEADER_RESERVE = 400
"""Bytes of the device's receive buffer that status line and headers may take (section 3.2)."""

_OPEN = frozenset({CommandStatus.PENDING, CommandStatus.IN_PROGRESS})
_SEQUENCE_BITS = 0xFFFFFF  # six hex digits and ".s" fill the eight characters that an id has left
_ARRAY_HEAD = 3  # bytes that the outer array's head takes at most
_KEYGEN_TEXT = re.compile(r'%KEYGEN: ?"([^"]*)"')
_KEYGEN_FIELDS = {KeygenOutput.CSR: "csr", KeygenOutput.PUBLIC_KEY: "publicKey"}
_CME_TEXT = re.compile(r"\+CME ERROR: ?(\d{1,9})")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLimits:
    """What a device says it can take in one answer.

    :ivar commands: number of commands.
    :ivar receive_bytes: its whole receive buffer, headers included; ``None`` when it does not say.
    :ivar command_bytes: its buffer for the text of one AT command; ``None`` when it does not say.
    """

    commands: int = 5
    receive_bytes: int | None = None
    command_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What a device is to execute now.

    :ivar ids: correlation ids, in order; empty when there is nothing to do.
    :ivar body: the encoded commands.
    """

    ids: tuple[str, ...] = ()
    body: bytes = b""


@dataclass(slots=True, kw_only=True)
class Command:
    """One provisioning command of the management API, and the steps that the device makes of it."""

    id: str
    type: CommandType
    fields: dict[str, Any]
    description: str
    created_at: str
    steps: tuple[DeviceCommand, ...]
    status: CommandStatus = CommandStatus.PENDING
    response: dict[str, Any] | None = None
    encoded: bytes = field(init=False)

    def __post_init__(self) -> None:
        """Encode the steps once: every fetch needs them, or at least their length."""
        self.encoded = encode_commands(self.steps)[1:]  # without the head of the array

    @property
    def main_step(self) -> DeviceCommand:
        """The step whose outcome is the command's outcome."""
        return self.steps[-1]

    @property
    def open(self) -> bool:
        """Whether the device still has to say something of it."""
        return self.status in _OPEN

    def to_json(self) -> dict[str, Any]:
        """Return the command object of the API."""
        data: dict[str, Any] = {
            "id": self.id,
            "description": self.description,
            "request": {self.type.value: self.fields},
            "status": self.status.value,
            "createdAt": self.created_at,
        }
        if self.response is not None:
            data["response"] = self.response
        return data


class CommandQueue:
    """The commands of one claimed device in the order of their creation.

    :ivar device_status: READY, PENDING, PROVISIONED or ERROR.
    """

    def __init__(self, verify_keygen: Callable[[str, int, KeygenOutput], None]) -> None:
        """Begin empty.

        :param verify_keygen: checks KEYGEN output for a security tag and kind of output; raises
            :class:`~harness_nordic.fake.refusals.TokenRefused`.
        """
        self.device_status = DeviceStatus.READY
        self._commands: dict[str, Command] = {}
        self._steps: dict[str, Command] = {}
        self._verify_keygen = verify_keygen

    def add(
        self, command_type: CommandType, fields: dict[str, Any], *, description: str, created_at: str
    ) -> Command:
        """Append a command.

        A device in ERROR stays there: its queue is withheld until somebody resets or discards it.

        :raises BadRequest: 20 commands are open.
        """
        if sum(command.open for command in self._commands.values()) >= MOST_OPEN_COMMANDS:
            raise BadRequest(f"the device has {MOST_OPEN_COMMANDS} open commands, which is the most")
        identifier = str(uuid.uuid4())
        sequence = (len(self._commands) + 1) & _SEQUENCE_BITS
        command = Command(
            id=identifier,
            type=command_type,
            fields=fields,
            description=description,
            created_at=created_at,
            steps=device_commands(command_type, fields, f"{identifier}.{sequence:x}"),
        )
        self._commands[identifier] = command
        self._steps.update((step.id, command) for step in command.steps)
        if self.device_status is not DeviceStatus.ERROR:
            self.device_status = DeviceStatus.PENDING
        return command

    def command(self, identifier: str) -> Command:
        """Return a command by its id.

        :raises NotFound: the device has no such command.
        """
        try:
            return self._commands[identifier]
        except KeyError:
            raise NotFound("the device has no such command") from None

    def hand_out(self, after: str, limits: DeviceLimits) -> Batch:
        """Return the steps that the device is to execute now; their commands are IN_PROGRESS then.

        Nothing is handed out in ERROR. What was handed out up to ``after`` was processed by the device,
        though its report may be lost: it is not served again while the device remembers it. A device that
        forgot (``after`` empty after a reboot) gets everything that is still open.

        A command that can never fit the device fails, and the device is in ERROR.

        :param after: correlation id of the last command that the device processed, or empty.
        :param limits: what the device can take.
        """
        if self.device_status is DeviceStatus.ERROR:
            return Batch()
        batch: list[Command] = []
        steps = 0
        room = None if limits.receive_bytes is None else limits.receive_bytes - HEADER_RESERVE - _ARRAY_HEAD
        for command in self._still_to_serve(after):
            unfit = _why_it_never_fits(command, limits, room)
            if unfit and not batch:
                log.error("command %s of type %s: %s", command.id, command.type.value, unfit)
                self._fail(command, 0, unfit)
                return Batch()
            steps += len(command.steps)
            length = len(command.encoded)
            if unfit or steps > limits.commands or _over(length, room):
                break
            if room is not None:
                room -= length
            command.status = CommandStatus.IN_PROGRESS
            batch.append(command)
        ids = tuple(step.id for command in batch for step in command.steps)
        return Batch(ids=ids, body=join_commands(len(ids), [command.encoded for command in batch]))

    def _still_to_serve(self, after: str) -> list[Command]:
        still_open = [command for command in self._commands.values() if command.open]
        last = self._steps.get(after) if after else None
        if last is None:
            return still_open
        order = list(self._commands)
        processed = set(order[: order.index(last.id) + 1])
        return [
            command
            for command in still_open
            if command.status is CommandStatus.PENDING or command.id not in processed
        ]

    def take_reports(self, reports: Sequence[DeviceReport]) -> None:
        """Let a device's reports count, all of them or none.

        A report of a command that is final already changes nothing.

        :raises BadRequest: a report is of a command that this device does not have or was never given, or
            is not of the command's kind.
        """
        for report in reports:
            self._check(report)
        for report in reports:
            command = self._steps[report.id]
            if command.status is CommandStatus.IN_PROGRESS:
                self._apply(command, report)
        if self.device_status is not DeviceStatus.ERROR:
            waiting = any(command.open for command in self._commands.values())
            self.device_status = DeviceStatus.PENDING if waiting else DeviceStatus.PROVISIONED

    def _check(self, report: DeviceReport) -> None:
        command = self._steps.get(report.id)
        if command is None:
            raise BadRequest(f"{report.id!r} is no command of this device")
        if command.status is CommandStatus.PENDING:
            raise BadRequest(f"{report.id!r} was not handed to the device")
        step = next(step for step in command.steps if step.id == report.id)
        if report.type not in {DeviceReportType.FAILED, _done_type(step)}:
            raise BadRequest(f"a report of type {report.type:d} does not fit command {report.id!r}")

    def _apply(self, command: Command, report: DeviceReport) -> None:
        if report.type is DeviceReportType.FAILED:
            self._fail(command, report.cme_error, report.message.strip())
        elif report.id != command.main_step.id:
            return  # a preparatory step; what counts is the main one
        elif report.type is DeviceReportType.AT_DONE:
            self._at_done(command, report.message)
        else:
            self._succeed(command, {})

    def _at_done(self, command: Command, message: str) -> None:
        lines = message.split()
        if not lines or lines[-1] != "OK":
            cme = _CME_TEXT.search(message)
            self._fail(command, int(cme[1]) if cme else 0, message.strip())
        elif command.type in KEYGEN_OUTPUTS:
            self._key_generated(command, message)
        else:
            self._succeed(command, {"message": "OK"})

    def _key_generated(self, command: Command, message: str) -> None:
        output = KEYGEN_OUTPUTS[command.type]
        found = _KEYGEN_TEXT.search(message)
        exported = found[1] if found else ""
        try:
            self._verify_keygen(exported, command.fields["secTag"], output)
        except TokenRefused as refusal:
            self._fail(command, 0, str(refusal))
            return
        self._succeed(command, {_KEYGEN_FIELDS[output]: exported})

    def _succeed(self, command: Command, result: dict[str, Any]) -> None:
        command.status = CommandStatus.SUCCEEDED
        command.response = {command.type.value: result}

    def _fail(self, command: Command, cme_error: int, message: str) -> None:
        """Fail a command; those behind it were not executed and wait again (section 3.7)."""
        command.status = CommandStatus.FAILED
        command.response = {command.type.value: {"error": {"cmeError": cme_error, "message": message}}}
        self.device_status = DeviceStatus.ERROR
        order = list(self._commands.values())
        for later in order[order.index(command) + 1 :]:
            if later.status is CommandStatus.IN_PROGRESS:
                later.status = CommandStatus.PENDING


def _done_type(step: DeviceCommand) -> DeviceReportType:
    if isinstance(step, AtCommand):
        return DeviceReportType.AT_DONE
    return DeviceReportType.CONFIG_DONE if isinstance(step, ConfigCommand) else DeviceReportType.FINISHED


def _why_it_never_fits(command: Command, limits: DeviceLimits, room: int | None) -> str | None:
    """Say why a command could not even be served alone (sections 3.5 and 3.6).

    Asked of the first command of a batch ``room`` is all the room there is; of a later one it may be less,
    and the answer only ends the batch.
    """
    if len(command.steps) > limits.commands:
        return f"command takes {len(command.steps)} steps in one batch, the device takes {limits.commands}"
    if _over(len(command.encoded), room):
        return "command does not fit device buffer"
    longest = max(step.text_length for step in command.steps)
    if limits.command_bytes is not None and longest > limits.command_bytes:
        return "command does not fit the device's buffer for AT commands"
    return None


def _over(length: int, room: int | None) -> bool:
    return room is not None and length >= room
