"""An environment of a USB lab that shows the hardware of the host is refused."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import UsageError
from harness.virtual.usb.environment import PRELOAD, refuse_half_a_lab

if TYPE_CHECKING:
    from pathlib import Path

    Lab = Any


def test_lab_without_its_preload(tmp_path: Path) -> None:
    """The directory alone shows nothing of the lab."""
    with pytest.raises(UsageError, match="without LD_PRELOAD this process would see the hardware"):
        refuse_half_a_lab({"UMOCKDEV_DIR": str(tmp_path), "LD_PRELOAD": "libother.so"})


def test_lab_that_is_gone(tmp_path: Path) -> None:
    """A lab that ended leaves the hardware of the host to see."""
    with pytest.raises(UsageError, match="this USB lab is gone"):
        refuse_half_a_lab({"UMOCKDEV_DIR": str(tmp_path / "gone"), "LD_PRELOAD": PRELOAD})


def test_no_lab(tmp_path: Path) -> None:
    """Without the variable there is no lab, and with both there is one."""
    refuse_half_a_lab({"LD_PRELOAD": PRELOAD})
    refuse_half_a_lab({"UMOCKDEV_DIR": str(tmp_path), "LD_PRELOAD": PRELOAD})


def test_command_line_says_it(usb_lab: Lab) -> None:
    """The command line lists the boards of a lab, and says of half a lab what is wrong, in one message."""
    harness = [sys.executable, "-m", "harness.cli", "boards"]
    there = usb_lab.run(harness)
    half = usb_lab.run(["env", "-u", "LD_PRELOAD", *harness])

    assert there.returncode == 0, there.stderr
    assert half.returncode == 4
    assert half.stderr.startswith("harness: UMOCKDEV_DIR: without LD_PRELOAD")
    assert os.linesep not in half.stderr.strip()
