"""Executing a batch of provisioning commands over a console (nrfcloud fact sheet, section 3.6, step 5)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from harness_nordic.enums import DeviceReportType
from harness_nordic.host_agent.wire import AtCommand, ConfigCommand, FinishedCommand, Report

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping, Sequence

    from harness_nordic.host_agent.options import HostAgentOptions
    from harness_nordic.host_agent.wire import Command

_CME_ERROR = re.compile(r"\+CME ERROR: ?([0-9]{1,9})")
_KEYGEN = re.compile(r"AT%KEYGEN\b", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"')
_LINE_ENDS = re.compile(r"[\r\n\0]")


class Modem(Protocol):
    """A board's modem, as the agent sees it."""

    def answer(self, command: str, timeout: float) -> str:
        """Run an AT command and return the complete text of the answer, also when it is an error.

        :raises ConsoleTimeout: the modem is silent.
        :raises BoardLost: the console went away.
        """

    def check_allowed(self, commands: Iterable[str]) -> None:
        """Refuse a batch that holds a command which may not be executed on this board.

        :raises UsageError: it would change what is not ours.
        """


@dataclass(slots=True)
class Executed:
    """What became of a batch.

    :ivar reports: of the commands that were executed, in order, and of ``finished`` at the very end.
    :ivar last: id of the last command that was processed.
    :ivar finished: whether ``finished`` is acknowledged: it was there and nothing failed.
    """

    reports: list[Report] = field(default_factory=list)
    last: str = ""
    finished: bool = False


def too_long(commands: Iterable[Command], room: int) -> int | None:
    """Return the size of an AT command that does not fit, its NUL included; ``None`` if all fit."""
    sizes = (len(command.line.encode()) + 1 for command in commands if isinstance(command, AtCommand))
    return next((size for size in sizes if size > room), None)


def execute(
    commands: Sequence[Command],
    modem: Modem,
    settings: MutableMapping[str, str],
    options: HostAgentOptions,
) -> Executed:
    """Execute commands in order and stop at the first that fails; the modem is offline.

    The library's rule for keys whose answer exceeds its buffer has no place here: a host has room enough.

    :param settings: where configuration goes.
    :raises ConsoleTimeout: the modem fell silent; what was executed before is not reported.
    :raises BoardLost: the console went away; the same holds.
    """
    done = Executed()
    finished: FinishedCommand | None = None
    for command in commands:
        done.last = command.id
        if isinstance(command, FinishedCommand):
            finished = command
            continue
        if isinstance(command, ConfigCommand):
            settings.update(command.pairs)
            done.reports.append(Report(id=command.id, type=DeviceReportType.CONFIG_DONE))
            continue
        report = _run(command, modem, options)
        done.reports.append(report)
        if report.type is DeviceReportType.FAILED:
            return done
    if finished is not None:
        done.reports.append(Report(id=finished.id, type=DeviceReportType.FINISHED))
        done.finished = True
    return done


def _run(command: AtCommand, modem: Modem, options: HostAgentOptions) -> Report:
    if _LINE_ENDS.search(_QUOTED.sub("", command.line)):
        # A line end outside quotes would end the command and begin another.
        return _failed(command, 0, "the command cannot be sent over a console")
    timeout = options.keygen_timeout if _KEYGEN.match(command.line) else options.at_timeout
    return judge(command, modem.answer(command.line, timeout))


def judge(command: AtCommand, answer: str) -> Report:
    """Make the report of an answer; a plain ``ERROR`` counts as done, as it does in the library."""
    lines = answer.splitlines()
    final = lines[-1] if lines else ""
    error = _CME_ERROR.fullmatch(final)
    if error is not None:
        number = int(error[1])
        # Error number 0 counts as ignored too, as it does for a plain ERROR.
        if number and number not in command.ignored:
            return _failed(command, number, answer)
    elif final not in {"OK", "ERROR"}:
        return _failed(command, 0, answer)
    return Report(id=command.id, type=DeviceReportType.AT_DONE, message=answer)


def _failed(command: AtCommand, number: int, message: str) -> Report:
    return Report(id=command.id, type=DeviceReportType.FAILED, cme_error=number, message=message)
