"""Live consoles with ``-s``: what boards say appears line by line, each with the name of its board."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from harness.pytest_plugin.state import SESSION_KEY

if TYPE_CHECKING:
    import pytest

    from harness.console import Console
    from harness.inventory.leased_board import LeasedBoard


class LiveConsole:
    """Writes consoles to the terminal as they speak.

    To standard error: in a worker of xdist standard output belongs to xdist.
    """

    def __init__(self, config: pytest.Config) -> None:
        """Write nothing yet."""
        self._config = config

    def show(self, board: LeasedBoard, role: str, console: Console) -> None:
        """Follow a console that was just opened."""
        stream = self._config.stash[SESSION_KEY].redactor.stream()
        name = board.id if role == "console" else f"{board.id} {role}"
        pending = bytearray()

        def observe(chunk: bytes) -> None:
            pending.extend(stream.feed(chunk))
            *lines, rest = bytes(pending).splitlines(keepends=True) or [b""]
            if rest.endswith((b"\n", b"\r")):
                lines.append(rest)
                rest = b""
            pending[:] = rest
            for line in lines:
                text = line.decode("utf-8", "backslashreplace").rstrip("\r\n")
                if text:
                    sys.stderr.write(f"[{name}] {text}\n")

        console.add_observer(observe)
