"""The virtual lamp: what the firmware of a lamp does, behind a real tty of the virtual bench."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.virtual.contract import BoardHost, VirtualBoardSpec


class VirtualLamp:
    """One lamp. The badge is in flash: it survives power cycles."""

    def __init__(self, host: BoardHost, spec: VirtualBoardSpec) -> None:
        """Make a lamp that was just produced."""
        self._host = host
        self._serial_number = f"LAMP-{spec.number:04}"
        self._badge = ""
        self._received = b""

    def power_on(self) -> None:
        """Boot."""
        self._received = b""
        self._host.send("console", b"boot\r\n")

    def power_off(self) -> None:
        """Lose power."""

    def reset(self) -> None:
        """Boot anew."""
        self.power_on()

    def receive(self, role: str, data: bytes) -> None:
        """Collect lines and answer each."""
        *lines, self._received = (self._received + data).split(b"\n")
        for line in lines:
            self._host.send(role, self._answer(*line.decode(errors="replace").split()).encode())

    def _answer(self, command: str = "", *arguments: str) -> str:
        match command, arguments:
            case "who", ():
                return f"{self._serial_number}\r\n.\r\n"
            case "badge", () if self._badge:
                return f"{self._badge}\r\n.\r\n"
            case "wear", ():
                self._badge = ""
                return ".\r\n"
            case "wear", (badge,):
                self._badge = badge
                return ".\r\n"
        return "!\r\n"

    def clear_faults(self) -> None:
        """It has none."""

    def describe(self) -> Mapping[str, str]:
        """Facts for the inventory."""
        return {"serial": self._serial_number}

    def call(self, method: str, params: Mapping[str, Any]) -> Any:
        """No controls of its own."""
        raise ValueError(f"a lamp has no control {method!r}")

    def close(self) -> None:
        """Nothing runs."""
