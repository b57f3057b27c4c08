"""Whether ModemManager leaves boards alone: it sends AT commands of its own to every port of a modem."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.doctor.findings import Finding, Level, fine
from harness.doctor.udev import INSTALLING_COMMANDS

if TYPE_CHECKING:
    from collections.abc import Collection

CHECK = "ModemManager"
# /proc/PID/comm holds the first 15 bytes of a name; this one has 12.
_NAME = "ModemManager"


def is_running(proc: Path = Path("/proc")) -> bool:
    """Tell whether a process of that name runs."""
    for file in proc.glob("[0-9]*/comm"):
        try:
            if file.read_text(encoding="utf-8", errors="replace").strip() == _NAME:
                return True
        except OSError:  # it has ended meanwhile
            continue
    return False


def judge(
    *, running: bool, vendors: Collection[int], ignored: Collection[int], plugged: Collection[int]
) -> list[Finding]:
    """Say whether it disturbs boards.

    :param running: whether it runs.
    :param vendors: USB vendors of the boards that are known.
    :param ignored: USB vendors that udev's rules have it ignore.
    :param plugged: USB vendors of the serial ports that are there now.
    """
    exposed = set(vendors) - set(ignored)
    if not running:
        return [fine(CHECK, "does not run")]
    if not exposed:
        return [fine(CHECK, "runs, and is told to leave boards alone")]
    names = ", ".join(f"{vendor:04x}" for vendor in sorted(exposed))
    return [
        Finding(
            check=CHECK,
            level=Level.PROBLEM if exposed & set(plugged) else Level.WARNING,
            what=f"runs, and takes boards of USB vendor {names} for modems of the host",
            why="For some seconds after a board was plugged in or reset it sends AT commands to its ports;"
            " their replies turn up in tests.",
            advice="Let udev mark boards as none of its business; plug them in again afterwards.",
            commands=INSTALLING_COMMANDS,
        )
    ]
