"""Which files of a directory this process has open: other threads open and close others meanwhile."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def open_below(directory: Path) -> list[str]:
    """Return the files below a directory that are open, once for each time; removed and nameless ones too."""
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found.append(str(descriptor.readlink()))
    return sorted(each for each in found if each.startswith(f"{directory.resolve()}/"))
