"""A stand-in for the ROM boot loader of an ESP32, behind an auto-reset circuit, for esptool to judge the lab.

Only a board that was reset with its boot pin low speaks the loader's protocol; the application chatters.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.virtual.contract import BoardHost, VirtualBoardSpec

MAC = bytes.fromhex("24 0a c4 01 02 03")

_SYNC, _READ_REGISTER = 0x08, 0x0A
_SYNC_ANSWERS = 8
_REGISTERS = {
    0x40001000: 0x00F01D83,  # what tells an ESP32 from others
    0x3FF5A004: int.from_bytes(MAC[2:], "big"),
    0x3FF5A008: int.from_bytes(MAC[:2], "big"),
}
_ESCAPES = {b"\xdb\xdc": b"\xc0", b"\xdb\xdd": b"\xdb"}


class RomBoard:
    """Boots the application or the loader, as its boot pin says."""

    def __init__(self, host: BoardHost) -> None:
        """Start dark."""
        self._host = host
        self._loader = False
        self._received = bytearray()
        self._boots: list[str] = []

    def power_on(self) -> None:
        """Boot the application."""
        self.strapped_reset(boot_pin_low=False)

    def power_off(self) -> None:
        """Forget what was received."""
        self._loader = False
        self._received.clear()

    def reset(self) -> None:
        """Boot the application."""
        self.power_on()

    def strapped_reset(self, *, boot_pin_low: bool) -> None:
        """Boot what the pin says."""
        self._loader = boot_pin_low
        self._boots.append("loader" if boot_pin_low else "application")
        self._host.send("console", b"waiting for download\r\n" if boot_pin_low else b"hello\r\n")

    def receive(self, role: str, data: bytes) -> None:
        """Answer whole frames; the application hears nothing."""
        if not self._loader:
            return
        self._received += data
        *frames, rest = self._received.split(b"\xc0")
        self._received = bytearray(rest)
        for frame in frames:
            if frame:
                self._answer(bytes(frame))

    def _answer(self, frame: bytes) -> None:
        for escaped, plain in _ESCAPES.items():
            frame = frame.replace(escaped, plain)
        command, value, failed = frame[1], 0, 0
        if command == _READ_REGISTER:
            (address,) = struct.unpack_from("<I", frame, 8)
            value = _REGISTERS.get(address, 0)
        elif command != _SYNC:
            failed = 1
        answer = struct.pack("<BBHI", 1, command, 4, value) + bytes([failed, 5 * failed, 0, 0])
        for plain, escaped in ((b"\xdb", b"\xdb\xdd"), (b"\xc0", b"\xdb\xdc")):
            answer = answer.replace(plain, escaped)
        for _ in range(_SYNC_ANSWERS if command == _SYNC else 1):
            self._host.send("console", b"\xc0" + answer + b"\xc0")

    def clear_faults(self) -> None:
        """It has none."""

    def describe(self) -> Mapping[str, str]:
        """Say nothing."""
        return {}

    def call(self, method: str, params: Mapping[str, Any]) -> Any:
        """Return what was booted.

        :raises ValueError: another question.
        """
        if method != "boots" or params:
            raise ValueError(f"no such call: {method}")
        return self._boots

    def close(self) -> None:
        """End."""


def make(host: BoardHost, _spec: VirtualBoardSpec) -> RomBoard:
    """Make one."""
    return RomBoard(host)
