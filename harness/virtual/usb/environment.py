"""The environment in which a process sees the devices of a USB lab."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

PRELOAD = "libumockdev-preload.so.0"
PRELOAD_VARIABLE = "LD_PRELOAD"
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
    preload = ":".join([PRELOAD, *_other_preloads(os.environ)])
    return {PRELOAD_VARIABLE: preload, DIRECTORY_VARIABLE: str(place)}


def outside_labs(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without any lab: a bench that is started in one has no use for it.

    :param environment: of whoever starts a process.
    """
    outside = {key: value for key, value in environment.items() if key != DIRECTORY_VARIABLE}
    if PRELOAD_VARIABLE in outside:
        outside[PRELOAD_VARIABLE] = ":".join(_other_preloads(outside))
    return outside


def _other_preloads(environment: Mapping[str, str]) -> list[str]:
    named = environment.get(PRELOAD_VARIABLE, "").split(":")
    return [each for each in named if each and each != PRELOAD]


def refuse_half_a_lab(environment: Mapping[str, str]) -> None:
    """Refuse an environment of a lab in which a process sees the hardware of the host.

    It would be taken for a lab, and what is done to it for play.

    :param environment: the variables of this process.
    :raises UsageError: one of the two variables is missing, or the lab is gone.
    """
    root = environment.get(DIRECTORY_VARIABLE)
    if root is None:
        return
    if PRELOAD not in environment.get(PRELOAD_VARIABLE, ""):
        raise UsageError(
            f"without {PRELOAD_VARIABLE} this process would see the hardware of the host and not the USB lab",
            key=DIRECTORY_VARIABLE,
            value=root,
            expected=f"{PRELOAD_VARIABLE}={PRELOAD} with it, or neither",
        )
    if not Path(root).is_dir():
        raise UsageError(
            "this USB lab is gone; what is seen now is the hardware of the host",
            key=DIRECTORY_VARIABLE,
            value=root,
            expected=f"the directory of a lab that runs (harness bench up --usb), or no {DIRECTORY_VARIABLE}",
        )
