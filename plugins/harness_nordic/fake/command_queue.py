"""The commands of one claimed device: their order, what is handed out, and what reports do to them.

The state machine of the nrfcloud fact sheet, sections 2.5, 3.6 and 3.7.
"""

from __future__ import annotations

import logging
import re
import uuid
from itertools import chain
from typing import TYPE_CHECKING, Any

from harness_nordic.enums import (
    AfterError,
    CommandStatus,
    CommandType,
    DeviceReportType,
    DeviceStatus,
    KeygenOutput,
)
from harness_nordic.fake.batches import Batch, exceeds, why_it_never_fits
from harness_nordic.fake.choices import FAKE
from harness_nordic.fake.command_mapping import KEYGEN_OUTPUTS, device_commands
from harness_nordic.fake.commands import Command
from harness_nordic.fake.refusals import BadRequest, Conflict, NotFound, TokenRefused
from harness_nordic.fake.wire import AtCommand, ConfigCommand, join_commands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from harness_nordic.fake.batches import DeviceLimits
    from harness_nordic.fake.choices import Choices
    from harness_nordic.fake.wire import DeviceCommand, DeviceReport

MOST_OPEN_COMMANDS = 20
_SEQUENCE_BITS = 0xFFFFFF  # six hex digits and ".s" fill the eight characters that an id has left
_KEYGEN_TEXT = re.compile(r'%KEYGEN: ?"([^"]*)"')
_KEYGEN_FIELDS = {KeygenOutput.CSR: "csr", KeygenOutput.PUBLIC_KEY: "publicKey"}
_LINE_END = re.compile(r"\r?\n")
_CME_TEXT = re.compile(r"\+CME ERROR: ?(\d{1,9})")

log = logging.getLogger(__name__)


class CommandQueue:
    """The commands of one claimed device in the order of their creation.

    :ivar device_status: READY, PENDING, PROVISIONED or ERROR.
    :ivar last_batch: what was handed out last; empty before.
    :ivar after_error: what becomes of the commands behind one that failed (section 3.7).
    :ivar on_success: called with the id of every command that succeeds.
    """

    def __init__(
        self, verify_keygen: Callable[[str, int, KeygenOutput], None], choices: Choices = FAKE
    ) -> None:
        """Begin empty.

        :param verify_keygen: checks KEYGEN output for a security tag and kind of output; raises
            :class:`~harness_nordic.fake.refusals.TokenRefused`.
        :param choices: what to do where nobody knows what the real service does.
        """
        self._choices = choices
        self.device_status = DeviceStatus.READY
        self.after_error = AfterError.WITHHOLD
        self.last_batch = Batch()
        self._was_provisioned = False
        self._made = 0
        self._commands: dict[str, Command] = {}
        self._steps: dict[str, Command] = {}
        self._served_and_gone: dict[str, int] = {}
        self._verify_keygen = verify_keygen
        self.on_success: Callable[[str], None] = lambda _identifier: None

    def add(
        self, command_type: CommandType, fields: dict[str, Any], *, description: str, created_at: str
    ) -> Command:
        """Append a command.

        A device in ERROR stays there: its queue is withheld until somebody resets or discards it.

        :raises BadRequest: 20 commands are open.
        """
        if self.room < 1:
            raise BadRequest(f"the device has {MOST_OPEN_COMMANDS} open commands, which is the most")
        identifier = str(uuid.uuid4())
        self._made += 1
        step_uuid = str(uuid.uuid4()) if self._choices.own_step_ids else identifier
        step_id = f"{step_uuid}.{self._made & _SEQUENCE_BITS:x}"
        command = Command(
            id=identifier,
            sequence=self._made,
            type=command_type,
            fields=fields,
            description=description,
            created_at=created_at,
            steps=device_commands(command_type, self._as_written(fields), step_id),
        )
        self._commands[identifier] = command
        self._steps.update((step.id, command) for step in command.steps)
        if self.device_status is not DeviceStatus.ERROR:
            self.device_status = DeviceStatus.PENDING
        return command

    @property
    def room(self) -> int:
        """How many commands can be added now."""
        counted = self.commands() if self._choices.finished_count else self._open()
        return MOST_OPEN_COMMANDS - len(counted)

    def _as_written(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return the fields with the line ends that reach the device."""
        if self._choices.line_end is None or "content" not in fields:
            return fields
        return {**fields, "content": _LINE_END.sub(self._choices.line_end, fields["content"])}

    def command(self, identifier: str) -> Command:
        """Return a command by its id.

        :raises NotFound: the device has no such command.
        """
        try:
            return self._commands[identifier]
        except KeyError:
            raise NotFound("the device has no such command") from None

    def commands(self) -> list[Command]:
        """Return every command in the order of creation."""
        return list(self._commands.values())

    def delete(self, identifier: str) -> None:
        """Delete a command that waits or is final (fake choice).

        ERROR is left by a reset or a discard only, also when the command that failed is deleted.

        :raises NotFound: the device has no such command.
        :raises Conflict: the device has it in hand, and is going to report it.
        """
        command = self.command(identifier)
        if command.status is CommandStatus.IN_PROGRESS:
            raise Conflict("the device has the command in hand; reset or discard the queue first")
        self._drop([command])
        if self.device_status is DeviceStatus.PENDING:
            self._settle()

    def reset(self) -> None:
        """Let the device try again: what failed or is in progress waits anew (section 2.8: fake choice).

        :raises BadRequest: more commands would be open then than may be.
        """
        commands = self._commands.values()
        if sum(command.status is not CommandStatus.SUCCEEDED for command in commands) > MOST_OPEN_COMMANDS:
            raise BadRequest(f"a reset would open more than {MOST_OPEN_COMMANDS} commands; delete some first")
        for command in commands:
            if command.status in {CommandStatus.FAILED, CommandStatus.IN_PROGRESS}:
                command.status = CommandStatus.PENDING
                command.response = None
        self._settle()

    def discard(self) -> None:
        """Drop every command that is not final (section 2.8: fake choice)."""
        self._drop(self._open())
        self._settle()

    def _open(self) -> list[Command]:
        return [command for command in self._commands.values() if command.open]

    def _drop(self, commands: Iterable[Command]) -> None:
        """Forget commands, but not that the device got them: it may report them yet, or name one in after."""
        for command in commands:
            del self._commands[command.id]
            for step in command.steps:
                del self._steps[step.id]
                if command.served:
                    self._served_and_gone[step.id] = command.sequence

    def _settle(self) -> None:
        """Show what the queue without an error means for the device."""
        if self._open():
            self.device_status = DeviceStatus.PENDING
        elif self._was_provisioned:
            self.device_status = DeviceStatus.PROVISIONED
        else:
            self.device_status = DeviceStatus.READY

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
        room = limits.room
        for command in self._still_to_serve(after):
            unfit = why_it_never_fits(command, limits, room)
            if unfit and not batch:
                log.error("command %s of type %s: %s", command.id, command.type.value, unfit)
                if self._choices.unfit_fails:
                    self._fail(command, 0, unfit)
                return Batch()
            steps += len(command.steps)
            length = len(command.encoded)
            if unfit or steps > limits.commands or exceeds(length, room):
                break
            if room is not None:
                room -= length
            command.status = CommandStatus.IN_PROGRESS
            command.served = True
            batch.append(command)
        ids = tuple(chain.from_iterable(command.step_ids for command in batch))
        if not ids:
            return Batch()
        self.last_batch = Batch(ids=ids, body=join_commands(len(ids), [command.encoded for command in batch]))
        return self.last_batch

    def _still_to_serve(self, after: str) -> list[Command]:
        last = self._steps[after].sequence if after in self._steps else self._served_and_gone.get(after, 0)
        return [
            command
            for command in self._open()
            if command.status is CommandStatus.PENDING or command.sequence > last
        ]

    def take_reports(self, reports: Sequence[DeviceReport]) -> None:
        """Let a device's reports count, all of them or none.

        A report of a command that is final already, or gone since the device got it, changes nothing.

        :raises BadRequest: a report is of a command that this device does not have or was never given, or
            is not of the command's kind.
        """
        for report in reports:
            self._check(report)
        ended = False
        for report in reports:
            command = self._steps.get(report.id)  # gone as well when one before it failed just now
            if command is not None and command.status is CommandStatus.IN_PROGRESS:
                self._apply(command, report)
                ended = ended or not command.open
        if ended and self.device_status is not DeviceStatus.ERROR:
            self._was_provisioned = self._was_provisioned or self._is_provisioned()
            self._settle()

    def _is_provisioned(self) -> bool:
        done = self._choices.provisioned_without_finished or any(
            command.type is CommandType.FINISHED and command.status is CommandStatus.SUCCEEDED
            for command in self.commands()
        )
        return done and not self._open()

    def _check(self, report: DeviceReport) -> None:
        if report.id in self._served_and_gone:
            return
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
        if lines == ["ERROR"] and not self._choices.plain_error_fails:
            self._succeed(command, {"message": "ERROR"})
        elif not lines or lines[-1] != "OK":
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
        field = "message" if self._choices.csr_as_message else _KEYGEN_FIELDS[output]
        self._succeed(command, {field: exported})

    def _succeed(self, command: Command, result: dict[str, Any]) -> None:
        command.status = CommandStatus.SUCCEEDED
        command.response = {command.type.value: result}
        self.on_success(command.id)

    def _fail(self, command: Command, cme_error: int, message: str) -> None:
        """Fail a command; those behind it were not executed: they wait again, or are gone (section 3.7)."""
        command.status = CommandStatus.FAILED
        detailed = {"error": {"cmeError": cme_error, "message": message}}
        result = detailed if self._choices.error_details else {"message": message}
        command.response = {command.type.value: result}
        self.device_status = DeviceStatus.ERROR
        later = [each for each in self._open() if each.sequence > command.sequence]
        if self.after_error is AfterError.DROP:
            self._drop(later)
            return
        for each in later:
            each.status = CommandStatus.PENDING


def _done_type(step: DeviceCommand) -> DeviceReportType:
    if isinstance(step, AtCommand):
        return DeviceReportType.AT_DONE
    return DeviceReportType.CONFIG_DONE if isinstance(step, ConfigCommand) else DeviceReportType.FINISHED
