"""What workers tell the controller of their boards between two tests, when there is no report to carry it.

Each appends lines to a file of its own in the session's directory, so that what a worker wrote that was
killed a moment later is still there.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_NAME = "health"
_TIME = len("HH:MM:SS")


class HealthNotes:
    """The notes of all processes of a session."""

    def __init__(self, directory: Path) -> None:
        """Begin, or join in.

        :param directory: the session's.
        """
        self._directory = directory / _NAME
        self._directory.mkdir(mode=0o700, exist_ok=True)
        self._read: dict[str, int] = {}

    def write(self, worker: str, line: str) -> None:
        """Tell one line.

        :param worker: id of the process that tells.
        :param line: redacted.
        """
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self._directory / worker, flags, 0o600)
        try:
            os.write(descriptor, f"{' '.join(line.split())}\n".encode(errors="backslashreplace"))
        finally:
            os.close(descriptor)

    def unread(self) -> list[str]:
        """Return the lines that were not returned yet; one that is not whole yet comes next time.

        They begin with the time of day, and come in its order, whoever wrote them.
        """
        lines: list[str] = []
        for file in sorted(self._directory.iterdir()):
            content = file.read_bytes()
            begin = self._read.get(file.name, 0)
            end = content.rfind(b"\n") + 1
            self._read[file.name] = max(begin, end)
            lines += content[begin:end].decode().splitlines()
        lines.sort(key=lambda line: line[:_TIME])
        return lines
