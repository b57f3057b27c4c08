"""A toy board that tells what its modem lines did, and boots what its boot pin says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.virtual.contract import BoardHost, VirtualBoardSpec


class LineBoard:
    """Echoes, and remembers its lines and its boots."""

    def __init__(self, host: BoardHost) -> None:
        """Start dark."""
        self._host = host
        self._lines: list[list[Any]] = []
        self._boots: list[str] = []

    def power_on(self) -> None:
        """Boot the application."""
        self._boots.append("application")

    def power_off(self) -> None:
        """Go dark."""
        self._boots.append("dark")

    def reset(self) -> None:
        """Boot again."""

    def strapped_reset(self, *, boot_pin_low: bool) -> None:
        """Boot what the pin says."""
        self._boots.append("loader" if boot_pin_low else "application")
        self._host.send("console", f"{self._boots[-1]}\n".encode())

    def modem_lines(self, role: str, dtr: bool, rts: bool) -> None:  # noqa: FBT001 - two lines, two facts
        """Remember."""
        self._lines.append([role, dtr, rts])

    def receive(self, role: str, data: bytes) -> None:
        """Echo."""
        self._host.send(role, data)

    def clear_faults(self) -> None:
        """Forget what was seen."""
        self._lines.clear()
        self._boots.clear()

    def describe(self) -> Mapping[str, str]:
        """Say nothing."""
        return {}

    def call(self, method: str, params: Mapping[str, Any]) -> Any:
        """Return what was seen."""
        return {"lines": self._lines, "boots": self._boots}[method]

    def close(self) -> None:
        """End."""


def make(host: BoardHost, _spec: VirtualBoardSpec) -> LineBoard:
    """Make one."""
    return LineBoard(host)
