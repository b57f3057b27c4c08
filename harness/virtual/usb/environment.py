"""The environment in which a process sees the devices of a USB lab."""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING

from harness.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

PRELOAD = "libumockdev-preload.so.0"
DIRECTORY_VARIABLE = "UMOCKDEV_DIR"

# A UNIX socket's path has 107 characters; the longest of ours is that of a tty's ioctls.
_LONGEST_ROOT = 107 - len("/ioctl//dev/ttyACM9999")


def lab_environment(root: Path) -> dict[str, str]:
    """Return the variables that show a process the lab.

    :param root: the lab's directory.
    :raises UsageError: umockdev is not installed, or the path is too long for the sockets in it.
    """
    try:
        ctypes.CDLL(PRELOAD)
    except OSError as error:
        raise UsageError(
            f"a virtual USB lab needs {PRELOAD}, which is not installed",
            expected="the package umockdev (Debian, Ubuntu: apt install umockdev)",
        ) from error
    place = root.parent.resolve() / root.name
    if len(os.fsencode(place)) > _LONGEST_ROOT:
        raise UsageError(
            "too long for a USB lab, whose sockets have paths of 107 characters",
            key="--directory",
            value=str(root.parent),
            expected=f"at most {_LONGEST_ROOT - len(root.name) - 1} characters",
        )
    others = os.environ.get("LD_PRELOAD", "").split(":")
    preload = ":".join([PRELOAD, *(each for each in others if each and each != PRELOAD)])
    return {"LD_PRELOAD": preload, DIRECTORY_VARIABLE: str(place)}
