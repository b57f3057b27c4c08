"""Executing a batch of provisioning commands (nrfcloud fact sheet, section 3.6, steps 5 to 7)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness_nordic.virtual import wire
from harness_nordic.virtual.firmware_settings import SettingRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_KEYGEN = re.compile(r"AT%KEYGEN=(\d+),(\d+)")
_FIRST_REPLY_SIZE, _LAST_REPLY_SIZE = 1024, 4096
_CME_ERROR = "+CME ERROR: "
_UNSIGNED = 1 << 32


class CommandRunner:
    """Executes commands in order and stops at the first that fails."""

    def __init__(
        self,
        at: Callable[[str], str | None],
        store: Callable[[str, str], None],
        *,
        buffer_size: int,
        go_offline: Callable[[], None],
    ) -> None:
        """Know the modem and the settings.

        :param at: runs an AT command and returns its complete answer; ``None`` if the modem is silent.
        :param store: stores a pair of the configuration; raises :class:`SettingRefused`.
        :param buffer_size: room for an AT command and its NUL.
        :param go_offline: called before each AT command; returns when the modem is offline.
        """
        self._at = at
        self._store_pair = store
        self._buffer_size = buffer_size
        self._go_offline = go_offline

    def too_long(self, commands: Iterable[wire.Command]) -> int | None:
        """Return the size of a command that does not fit the buffer, ``None`` if all fit."""
        for command in commands:
            if isinstance(command, wire.AtCommand):
                size = len(_line(command).encode("utf-8", "surrogateescape")) + 1
                if size > self._buffer_size:
                    return size
        return None

    def run(self, commands: Sequence[wire.Command]) -> tuple[list[wire.Response], str, bool]:
        """Execute a batch.

        ``finished`` is acknowledged at the very end wherever it stood, and not after an error.

        :return: the responses in order, the id of the last command that was processed, and whether
            ``finished`` is acknowledged.
        """
        responses: list[wire.Response] = []
        finished: wire.FinishedCommand | None = None
        last = ""
        for command in commands:
            last = command.id
            if isinstance(command, wire.FinishedCommand):
                finished = command
                continue
            response = self.execute(command)
            responses.append(response)
            if isinstance(response, wire.Failed):
                return responses, last, False
        if finished is not None:
            responses.append(wire.FinishedAck(finished.id))
        return responses, last, finished is not None

    def execute(self, command: wire.AtCommand | wire.ConfigCommand) -> wire.Response:
        """Execute one command."""
        if isinstance(command, wire.ConfigCommand):
            return self._store(command)
        self._go_offline()
        return _judge(command, self._answer(_line(command)))

    def _answer(self, line: str) -> str | None:
        """Run a command; a KEYGEN whose answer does not fit is undone and repeated with a larger buffer."""
        keygen = _KEYGEN.match(line)
        size = _FIRST_REPLY_SIZE if keygen else _LAST_REPLY_SIZE
        while True:
            reply = self._at(line)
            if reply is None or len(reply) < size:
                return reply
            if keygen:
                self._at(f"AT%CMNG=3,{keygen[1]},{keygen[2]}")
            if size == _LAST_REPLY_SIZE:
                return None
            size *= 2

    def _store(self, command: wire.ConfigCommand) -> wire.Response:
        for index, (key, value) in enumerate(command.pairs):
            try:
                self._store_pair(key, value)
            except SettingRefused as error:
                return wire.Failed(
                    command.id,
                    _UNSIGNED - error.number,
                    f"Unable to store [{index}](0-indexed) key-value-pair",
                )
        return wire.ConfigStored(command.id)


def _line(command: wire.AtCommand) -> str:
    return f"AT{command.set_command}={command.parameters}"


def _judge(command: wire.AtCommand, reply: str | None) -> wire.Response:
    """Make the response of an answer; a plain ``ERROR`` counts as filtered and looks like success."""
    if reply is None:
        return wire.Failed(command.id, 0, "")
    final = reply.splitlines()[-1]
    if final.startswith(_CME_ERROR):
        number = int(final.removeprefix(_CME_ERROR))
        # Error number 0 counts as filtered too, as it does for a plain ERROR.
        if number and number not in command.ignored:
            return wire.Failed(command.id, number, reply)
    return wire.AtDone(command.id, reply)
