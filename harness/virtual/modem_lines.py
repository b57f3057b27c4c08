"""The modem control lines of one serial port, as the kernel keeps them and as clients set them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Bits and requests of <asm/termbits.h> and <asm-generic/ioctls.h>.
TIOCMGET, TIOCMBIS, TIOCMBIC, TIOCMSET = 0x5415, 0x5416, 0x5417, 0x5418
DTR, RTS, CTS, CARRIER, DSR = 0x002, 0x004, 0x020, 0x040, 0x100

# What our end of the cable holds: ready, clear to send, and connected.
_FROM_BOARD = CTS | CARRIER | DSR


class ModemLines:
    """DTR and RTS of one port, and who hears of them."""

    def __init__(self, heard: Callable[[bool, bool], None]) -> None:
        """Start with both lines low.

        :param heard: called with DTR and RTS whenever one has changed.
        """
        self._heard = heard
        self._lines = 0

    @property
    def bits(self) -> int:
        """What ``TIOCMGET`` answers."""
        return self._lines | _FROM_BOARD

    def change(self, request: int, bits: int) -> None:
        """Do what ``TIOCMBIS``, ``TIOCMBIC`` or ``TIOCMSET`` asks for."""
        bits &= DTR | RTS
        if request == TIOCMBIS:
            self._set(self._lines | bits)
        elif request == TIOCMBIC:
            self._set(self._lines & ~bits)
        else:
            self._set(bits)

    def client_came(self) -> None:
        """Raise both lines, as the kernel does at the first open."""
        self._set(DTR | RTS)

    def client_went(self, *, hang_up: bool) -> None:
        """Drop both lines at the last close, if ``HUPCL`` is set."""
        if hang_up:
            self._set(0)

    def _set(self, lines: int) -> None:
        if lines != self._lines:
            self._lines = lines
            self._heard(bool(lines & DTR), bool(lines & RTS))
