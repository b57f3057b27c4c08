"""Files that commands write for people: whole or not at all, and private from the first byte."""

from __future__ import annotations

import os
import secrets
import stat
from typing import TYPE_CHECKING

from harness.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

#: Mode of a file that its owner alone can read and write.
PRIVATE = 0o600
#: Mode of any other file, from which the user's umask takes away as usual.
USUAL = 0o666

_LONGEST_NAME = 100


def check_target(path: Path, *, force: bool, key: str = "--output") -> None:
    """See whether a file may be written, before anything is asked of anybody.

    :param force: it may replace one that exists.
    :param key: option that names the file, for messages.
    :raises UsageError: it exists, is no file, or its directory is not there.
    """
    try:
        if not path.parent.is_dir():
            raise UsageError("there is no such directory", file=path.parent, key=key)
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:  # of either: its directory may lie in one that we may not enter
        raise UsageError(f"cannot be seen: {error.strerror}", file=path, key=key) from error
    if not stat.S_ISREG(mode):
        raise UsageError("is no ordinary file", file=path, key=key, expected="a new file")
    if not force:
        raise UsageError("exists", file=path, key=key, expected="a new file, or --force")


def write_file(
    path: Path, content: bytes, *, force: bool, private: bool = False, key: str = "--output"
) -> None:
    """Write a file, whole or not at all; it is on the disk when this returns.

    :param force: replace one that exists.
    :param private: for its owner alone from the first byte, whatever the umask is and whoever could read the
        one that it replaces.
    :param key: option that names the file, for messages.
    :raises UsageError: it exists, or cannot be written.
    """
    check_target(path, force=force, key=key)
    unfinished = path.with_name(f".{path.name[:_LONGEST_NAME]}.{secrets.token_hex(4)}")
    try:
        try:
            _write_new(unfinished, content, PRIVATE if private else USUAL)
            if force:
                unfinished.replace(path)
            else:
                path.hardlink_to(unfinished)  # unlike a rename it never replaces what came meanwhile
        finally:
            unfinished.unlink(missing_ok=True)
    except FileExistsError as error:
        raise UsageError("exists", file=error.filename2 or error.filename, key=key) from error
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", file=path, key=key) from error


def _write_new(path: Path, content: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
