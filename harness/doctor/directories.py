"""Whether the directories of this user's sessions are there, private, and good for what is put there."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.config import runtime_directory
from harness.doctor.findings import Finding, Level, fine
from harness.errors import UsageError
from harness.state_directory import state_directory
from harness.virtual import wire

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CHECK = "directories"
# sun_path of unix(7) has 108 bytes with its closing zero.
MOST_SOCKET_PATH = 107
# The longest path that a session makes a socket at: its id has eight characters.
_LONGEST_SOCKET = Path("s", "01234567", "bench", wire.SOCKET_NAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryFacts:
    """What is known of a directory.

    :ivar title: what it is for.
    :ivar variable: the environment variable that puts it elsewhere.
    :ivar complaint: why it cannot be used at all; ``None``: it can.
    :ivar mode: its permissions.
    :ivar holds_sockets: whether sockets are made in it, whose paths must be short.
    """

    title: str
    variable: str
    path: Path | None = None
    complaint: str | None = None
    mode: int = 0o700
    holds_sockets: bool = False


def look() -> list[DirectoryFacts]:
    """Look at the runtime directory and the state directory; they are made if they do not exist."""
    return [
        _look("runtime directory", "HARNESS_RUNTIME_DIR", runtime_directory, holds_sockets=True),
        _look("state directory", "HARNESS_STATE_DIR", state_directory, holds_sockets=False),
    ]


def _look(title: str, variable: str, find: Callable[[], Path], *, holds_sockets: bool) -> DirectoryFacts:
    try:
        path = find()
        mode = stat.S_IMODE(path.stat().st_mode)
        complaint = None if os.access(path, os.W_OK | os.X_OK) else f"{path} cannot be written to"
    except (UsageError, OSError) as error:
        return DirectoryFacts(title=title, variable=variable, complaint=str(error))
    return DirectoryFacts(
        title=title, variable=variable, path=path, complaint=complaint, mode=mode, holds_sockets=holds_sockets
    )


def judge(directories: Sequence[DirectoryFacts]) -> list[Finding]:
    """Say what is wrong with them."""
    return [_judge(facts) for facts in directories]


def _judge(facts: DirectoryFacts) -> Finding:
    if facts.complaint is not None or facts.path is None:
        return Finding(
            check=CHECK,
            level=Level.PROBLEM,
            what=f"the {facts.title} cannot be used: {facts.complaint}",
            why="No session can start.",
            advice=f"Name another one in {facts.variable}.",
        )
    if facts.mode & 0o077:
        return Finding(
            check=CHECK,
            level=Level.WARNING,
            what=f"the {facts.title} {facts.path} is open to other users (mode {facts.mode:04o})",
            why="They could reach sockets and captures of your sessions.",
            commands=(f"chmod 700 {facts.path}",),
            fixable=True,
        )
    length = len(os.fsencode(facts.path / _LONGEST_SOCKET))
    if facts.holds_sockets and length > MOST_SOCKET_PATH:
        return Finding(
            check=CHECK,
            level=Level.PROBLEM,
            what=f"the path of the {facts.title} {facts.path} is {length - MOST_SOCKET_PATH} bytes too long",
            why="Paths of sockets have a limit of the system; no virtual bench can start there.",
            advice=f"Name a shorter one in {facts.variable}.",
        )
    return fine(CHECK, f"the {facts.title} {facts.path} is yours alone")


def mend(directories: Sequence[DirectoryFacts]) -> list[str]:
    """Close to others what is ours.

    :return: what was done.
    """
    done = []
    for facts in directories:
        if facts.path is not None and facts.complaint is None and facts.mode & 0o077:
            facts.path.chmod(0o700)
            done.append(f"gave {facts.path} mode 0700")
    return done
