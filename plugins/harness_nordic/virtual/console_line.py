"""The console of the board: the AT host, and what a test lets go wrong between it and whoever listens."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from harness_nordic.virtual import faults
from harness_nordic.virtual.at_host import AtHost

if TYPE_CHECKING:
    from harness.virtual.contract import BoardHost, Timer
    from harness_nordic.virtual.faults import Disturbance
    from harness_nordic.virtual.modem import Modem

_ROLE = "console"
_LINE_END = b"\r\n"


class ConsoleLine:
    """Runs what is typed, and sends the replies: late, in pieces or with foreign bytes when it was told to.

    As on the real firmware the next command is not looked at before the reply of the last one is out.
    """

    def __init__(self, host: BoardHost, modem: Modem, *, terminator: str) -> None:
        """Connect the console to the modem.

        :param host: carries bytes and gives timers.
        :param modem: executes.
        :param terminator: a name of :data:`~harness_nordic.virtual.at_host.TERMINATORS`.
        """
        self._host = host
        self._modem = modem
        self._at_host = AtHost(self._execute, self._reply, terminator=terminator)
        self._met: list[Disturbance] = []
        self._timer: Timer | None = None

    def receive(self, data: bytes) -> None:
        """Take bytes.

        :raises PowerLost: the power went at one of the commands in them.
        """
        self._at_host.receive(data)

    def clear(self) -> None:
        """Lose power: what was typed and what was to be sent is forgotten."""
        self._met = []
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._at_host.clear()

    def announce(self, line: str) -> None:
        """Send an unsolicited line."""
        self._host.send(_ROLE, _unsolicited(line))

    def _execute(self, command: str) -> str | None:
        self._met = self._modem.faults.take(
            command, faults.SLOW, faults.SPLIT, faults.UNSOLICITED, faults.GARBAGE
        )
        reply = self._modem.execute(command)
        if reply is None:
            self._met = []
        return reply

    def _reply(self, data: bytes) -> None:
        """Send a reply as the disturbances have it."""
        met, self._met = self._met, []
        late = sum(each.seconds for each in met if each.how == faults.SLOW)
        for each in met:
            if each.how == faults.GARBAGE:
                data = random.Random(each.seed).randbytes(each.size) + data  # noqa: S311 - noise, not secrecy
            elif each.how == faults.UNSOLICITED:
                data = _with_line_inside(data, each.text) if each.inside else _unsolicited(each.text) + data
        split = next((each for each in met if each.how == faults.SPLIT), None)
        if split is not None:
            pieces = [data[at : at + split.size] for at in range(0, len(data), split.size)]
            self._send_later(late, split.seconds, pieces)
        elif late:
            self._send_later(late, 0.0, [data])
        else:
            self._host.send(_ROLE, data)

    def _send_later(self, seconds: float, gap: float, pieces: list[bytes]) -> None:
        self._at_host.hold()

        def send() -> None:
            self._timer = None
            self._host.send(_ROLE, pieces[0])
            if len(pieces) > 1:
                self._send_later(gap, gap, pieces[1:])
            else:
                self._at_host.release()

        self._timer = self._host.call_later(seconds, send)


def _unsolicited(line: str) -> bytes:
    return _LINE_END + line.encode() + _LINE_END


def _with_line_inside(reply: bytes, line: str) -> bytes:
    """Put a line before the last one of a reply."""
    *before, last = reply.removesuffix(_LINE_END).split(_LINE_END)
    return _LINE_END.join([*before, line.encode(), last]) + _LINE_END
