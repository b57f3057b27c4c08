"""A device that is nobody's board: it answers nothing and remembers what was done to its ports.

A test of the harness asks it afterwards whether anybody opened it, wrote to it or changed its settings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.virtual.contract import BoardHost, VirtualBoardSpec


class Stranger:
    """Remembers; fulfils :class:`harness.virtual.contract.VirtualBoard`."""

    def __init__(self) -> None:
        """Start with nothing heard."""
        self._opens = 0
        self._written = bytearray()
        self._settings = 0

    def power_on(self) -> None:
        """Do nothing."""

    def power_off(self) -> None:
        """Do nothing."""

    def reset(self) -> None:
        """Do nothing."""

    def receive(self, role: str, data: bytes) -> None:  # noqa: ARG002 - a method of the contract
        """Remember what was written."""
        self._written += data

    def client_came(self, role: str) -> None:  # noqa: ARG002 - a method of the contract
        """Count an open."""
        self._opens += 1

    def settings_changed(self, role: str) -> None:  # noqa: ARG002 - a method of the contract
        """Count a change of the line's settings."""
        self._settings += 1

    def clear_faults(self) -> None:
        """Do nothing: it has none, and it forgets nothing."""

    def describe(self) -> Mapping[str, str]:
        """Say nothing."""
        return {}

    def call(self, method: str, params: Mapping[str, Any]) -> Any:
        """Answer ``heard``.

        :raises ValueError: anything else.
        """
        if method != "heard" or params:
            raise ValueError(f"a stranger only answers 'heard', without parameters, not {method!r}")
        return {"opens": self._opens, "written": self._written.hex(), "settings": self._settings}

    def close(self) -> None:
        """Do nothing."""


def create(_host: BoardHost, _spec: VirtualBoardSpec) -> Stranger:
    """Make a stranger."""
    return Stranger()
