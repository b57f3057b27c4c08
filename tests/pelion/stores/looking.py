"""What the tests of the stores keep there, and how they look at it."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

KEY = "ak_1MDE2YzQ1ZjU3MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA"


def mode(path: Path) -> str:
    """A path's mode, as chmod takes it."""
    return f"{stat.S_IMODE(path.stat().st_mode):04o}"
