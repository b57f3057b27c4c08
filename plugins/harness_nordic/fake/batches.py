"""What one answer to a device may hold: its limits, and why a command would never fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness_nordic.fake.commands import Command

HEADER_RESERVE = 400
"""Bytes of the device's receive buffer that status line and headers may take (section 3.2)."""

_ARRAY_HEAD = 3  # bytes that the outer array's head takes at most


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLimits:
    """What a device says it can take in one answer (nrfcloud fact sheet, section 3.2).

    :ivar commands: number of commands.
    :ivar receive_bytes: its whole receive buffer, headers included; ``None`` when it does not say.
    :ivar command_bytes: its buffer for the text of one AT command; ``None`` when it does not say.
    :ivar reserve: bytes of its receive buffer that the protocol takes besides the commands.
    """

    commands: int = 5
    receive_bytes: int | None = None
    command_bytes: int | None = None
    reserve: int = HEADER_RESERVE

    @property
    def room(self) -> int | None:
        """Bytes that the commands of one answer must stay below; ``None`` when the device does not say."""
        return None if self.receive_bytes is None else self.receive_bytes - self.reserve - _ARRAY_HEAD


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What a device is to execute now.

    :ivar ids: correlation ids, in order; empty when there is nothing to do.
    :ivar body: the encoded commands.
    """

    ids: tuple[str, ...] = ()
    body: bytes = b""


def why_it_never_fits(command: Command, limits: DeviceLimits, room: int | None) -> str | None:
    """Say why a command could not even be served alone (sections 3.5 and 3.6).

    Asked of the first command of a batch ``room`` is all the room there is; of a later one it may be less,
    and the answer only ends the batch.
    """
    if len(command.steps) > limits.commands:
        return f"command takes {len(command.steps)} steps in one batch, the device takes {limits.commands}"
    if exceeds(len(command.encoded), room):
        return "command does not fit device buffer"
    if limits.command_bytes is not None and command.longest_text > limits.command_bytes:
        return "command does not fit the device's buffer for AT commands"
    return None


def exceeds(length: int, room: int | None) -> bool:
    """Tell whether so many bytes are too many; nothing is when the device did not say."""
    return room is not None and length >= room
