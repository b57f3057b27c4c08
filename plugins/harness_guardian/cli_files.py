"""The files that a technician carries, read whole; how they are written: :mod:`harness.files`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

#: Nothing that is carried is larger (guardian fact sheet, section 10.3); what is, is another file.
LARGEST = 64 * 1024


def read_file(path: Path) -> bytes:
    """Read a file.

    :raises UsageError: it cannot be read, is empty, or is too large to be what is meant.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", file=path) from error
    if not 0 < len(content) <= LARGEST:
        raise UsageError(
            "is empty" if not content else "is too large", file=path, expected=f"1 to {LARGEST} bytes"
        )
    return content
