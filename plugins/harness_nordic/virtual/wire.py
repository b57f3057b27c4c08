"""Provisioning commands and responses as they travel (nrfcloud fact sheet, section 3.4).

The decoder refuses what Nordic's generated decoder refuses. One case is ours: an id of more than 45
characters is refused, where the library overruns its buffer by a byte without complaint.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness_nordic.virtual import cbor
from harness_nordic.virtual.cbor import DecodeError, Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAX_ID_LENGTH = 45
MAX_IGNORED = 6
MAX_PAIRS = 10

_AT, _CONFIG, _FINISHED = 0, 1, 2
_FAILED, _AT_DONE, _CONFIG_STORED, _FINISHED_ACK = 99, 100, 101, 102


class TooManyCommands(DecodeError):
    """More commands than the record limit of the build (zcbor error 4)."""


@dataclass(frozen=True, slots=True)
class AtCommand:
    """``[id, 0, set_command, parameters, [ignored CME codes]]``."""

    id: str
    set_command: str
    parameters: str
    ignored: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ConfigCommand:
    """``[id, 1, {key: value}]``."""

    id: str
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class FinishedCommand:
    """``[id, 2]``."""

    id: str


Command = AtCommand | ConfigCommand | FinishedCommand


@dataclass(frozen=True, slots=True)
class Failed:
    """``[id, 99, cme_error, message]``."""

    id: str
    cme_error: int
    message: str

    def encoded(self) -> list[bytes]:
        """Return the encoded elements."""
        return [
            cbor.text(self.id),
            cbor.unsigned(_FAILED),
            cbor.unsigned(self.cme_error),
            cbor.text(self.message),
        ]


@dataclass(frozen=True, slots=True)
class AtDone:
    """``[id, 100, message]``."""

    id: str
    message: str

    def encoded(self) -> list[bytes]:
        """Return the encoded elements."""
        return [cbor.text(self.id), cbor.unsigned(_AT_DONE), cbor.text(self.message)]


@dataclass(frozen=True, slots=True)
class ConfigStored:
    """``[id, 101]``."""

    id: str

    def encoded(self) -> list[bytes]:
        """Return the encoded elements."""
        return [cbor.text(self.id), cbor.unsigned(_CONFIG_STORED)]


@dataclass(frozen=True, slots=True)
class FinishedAck:
    """``[id, 102]``."""

    id: str

    def encoded(self) -> list[bytes]:
        """Return the encoded elements."""
        return [cbor.text(self.id), cbor.unsigned(_FINISHED_ACK)]


Response = Failed | AtDone | ConfigStored | FinishedAck


def encode_responses(responses: Sequence[Response], *, canonical: bool = True) -> bytes:
    """Encode a report; a build that is not canonical sends indefinite lengths at both levels."""
    elements = [cbor.array(response.encoded(), indefinite=not canonical) for response in responses]
    return cbor.array(elements, indefinite=not canonical)


def decode_commands(data: bytes, *, limit: int, canonical: bool = True) -> list[Command]:
    """Decode what a fetch answered; bytes behind the outer array are ignored.

    :param data: the body.
    :param limit: the record limit of the build.
    :param canonical: whether the build refuses indefinite lengths and integers that are not the shortest.
    :raises TooManyCommands: more elements than the limit.
    :raises DecodeError: the grammar does not allow it.
    """
    reader = Reader(data, canonical=canonical)
    commands: list[Command] = []
    for _element in reader.elements(cbor.ARRAY):
        if len(commands) == limit:
            raise TooManyCommands(f"more than {limit} commands")
        commands.append(_command(reader))
    if not commands:
        raise DecodeError("no command at all")
    return commands


def _command(reader: Reader) -> Command:
    announced = reader.open_array()
    identifier = reader.text()
    if len(identifier.encode("utf-8", "surrogateescape")) > MAX_ID_LENGTH:
        raise DecodeError(f"an id of more than {MAX_ID_LENGTH} characters")
    kind = reader.unsigned()
    if kind not in _READ:
        raise DecodeError(f"unknown command type {kind}")
    read, elements = _READ[kind]
    command = read(identifier, reader)
    reader.close_array(announced, elements)
    return command


def _read_at(identifier: str, reader: Reader) -> Command:
    set_command, parameters = reader.text(), reader.text()
    ignored: list[int] = []
    for _code in reader.elements(cbor.ARRAY):
        if len(ignored) == MAX_IGNORED:
            raise DecodeError(f"more than {MAX_IGNORED} ignored codes")
        ignored.append(reader.unsigned())
    return AtCommand(identifier, set_command, parameters, tuple(ignored))


def _read_config(identifier: str, reader: Reader) -> Command:
    pairs: list[tuple[str, str]] = []
    for _pair in reader.elements(cbor.MAP):
        if len(pairs) == MAX_PAIRS:
            raise DecodeError(f"more than {MAX_PAIRS} pairs")
        pairs.append((reader.text(), reader.text()))
    return ConfigCommand(identifier, tuple(pairs))


def _read_finished(identifier: str, _reader: Reader) -> Command:
    return FinishedCommand(identifier)


_READ: dict[int, tuple[Callable[[str, Reader], Command], int]] = {
    _AT: (_read_at, 5),
    _CONFIG: (_read_config, 3),
    _FINISHED: (_read_finished, 2),
}
