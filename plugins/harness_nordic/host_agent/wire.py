"""Provisioning commands and reports as they travel (nrfcloud fact sheet, section 3.4), by the library cbor2.

Read strictly, as the canonical build of Nordic's decoder does: definite lengths, shortest integers; bytes
behind the outer array do not count. Stricter than that decoder in one thing: a key may not come twice in one
configuration. [design]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cbor2

from harness_nordic.enums import DeviceCommandType, DeviceReportType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LONGEST_ID = 45
MOST_IGNORED = 6
MOST_PAIRS = 10
_LARGEST_UNSIGNED = 0xFFFFFFFF


class DecodeError(Exception):
    """The grammar does not allow it."""


class TooManyCommands(DecodeError):
    """More commands than were asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AtCommand:
    """``[id, 0, set_command, parameters, [ignored CME codes]]``."""

    id: str
    set_command: str
    parameters: str
    ignored: tuple[int, ...] = ()

    @property
    def line(self) -> str:
        """The command as the modem takes it."""
        return f"AT{self.set_command}={self.parameters}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigCommand:
    """``[id, 1, {key: value}]``."""

    id: str
    pairs: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedCommand:
    """``[id, 2]``."""

    id: str


Command = AtCommand | ConfigCommand | FinishedCommand


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of a command.

    :ivar message: the modem's text; only of an AT command and of a failure.
    :ivar cme_error: number of a failure, 0 when it is none of the modem's.
    """

    id: str
    type: DeviceReportType
    message: str = ""
    cme_error: int = 0

    @property
    def element(self) -> list[Any]:
        """The element as CBOR knows it."""
        head = [self.id, int(self.type)]
        if self.type is DeviceReportType.FAILED:
            return [*head, self.cme_error, self.message]
        return [*head, self.message] if self.type is DeviceReportType.AT_DONE else head


def encode_reports(reports: Sequence[Report]) -> bytes:
    """Encode what became of a batch: definite lengths, shortest integers."""
    return cbor2.dumps([report.element for report in reports])


def decode_commands(body: bytes, *, limit: int) -> list[Command]:
    """Decode what a fetch was answered.

    :param limit: the number of commands that was asked for.
    :raises TooManyCommands: there are more.
    :raises DecodeError: the grammar does not allow it.
    """
    try:
        elements = cbor2.loads(body, max_depth=8)
        canonical = cbor2.dumps(elements)
    except (cbor2.CBORError, ValueError, TypeError, OverflowError) as error:
        raise DecodeError(f"no CBOR: {error}") from error
    if not isinstance(elements, list) or not elements:
        raise DecodeError("no array of at least one command")
    if not body.startswith(canonical):
        raise DecodeError("indefinite lengths, long integers or a key twice")
    if len(elements) > limit:
        raise TooManyCommands(f"{len(elements)} commands, {limit} were asked for")
    return [_command(number, element) for number, element in enumerate(elements)]


def _command(number: int, element: Any) -> Command:
    if not isinstance(element, list) or len(element) < 2:  # noqa: PLR2004 - id and type at least
        raise DecodeError(f"command {number} is no array of an id and a type")
    identifier, kind, *rest = element
    if not isinstance(identifier, str) or len(identifier.encode()) > LONGEST_ID:
        raise DecodeError(f"command {number} has no id of at most {LONGEST_ID} characters")
    if type(kind) is not int or kind not in _READERS:
        raise DecodeError(f"command {number} is of an unknown type")
    command = _READERS[kind](identifier, rest)
    if command is None:
        raise DecodeError(f"command {number} does not hold what a command of type {kind} holds")
    return command


def _at_command(identifier: str, rest: list[Any]) -> Command | None:
    match rest:
        case [str(set_command), str(parameters), list(ignored)]:
            fits = len(ignored) <= MOST_IGNORED and all(_is_unsigned(code) for code in ignored)
        case _:
            return None
    if not fits:
        return None
    return AtCommand(id=identifier, set_command=set_command, parameters=parameters, ignored=tuple(ignored))


def _config_command(identifier: str, rest: list[Any]) -> Command | None:
    if len(rest) != 1 or not isinstance(rest[0], Mapping) or len(rest[0]) > MOST_PAIRS:
        return None
    pairs = rest[0]
    if not all(isinstance(text, str) for pair in pairs.items() for text in pair):
        return None
    return ConfigCommand(id=identifier, pairs=dict(pairs))


def _finished_command(identifier: str, rest: list[Any]) -> Command | None:
    return None if rest else FinishedCommand(id=identifier)


def _is_unsigned(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _LARGEST_UNSIGNED


_READERS: dict[int, Callable[[str, list[Any]], Command | None]] = {
    DeviceCommandType.AT: _at_command,
    DeviceCommandType.CONFIG: _config_command,
    DeviceCommandType.FINISHED: _finished_command,
}
