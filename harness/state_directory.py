"""Where sessions of one user keep what has to outlive them: the ledger, and the locks of sessions."""

from __future__ import annotations

import os
from pathlib import Path

from harness.errors import UsageError

STATE_DIRECTORY_VARIABLE = "HARNESS_STATE_DIR"


def state_directory() -> Path:
    """Return the directory, made with mode 0700 when it does not exist.

    ``HARNESS_STATE_DIR`` if set, else ``harness`` below ``XDG_STATE_HOME`` or ``~/.local/state``. It has to
    be on a disk of this host: SQLite's write-ahead log does not work over a network.

    :raises UsageError: it cannot be made, or belongs to another user.
    """
    named = os.environ.get(STATE_DIRECTORY_VARIABLE)
    base = os.environ.get("XDG_STATE_HOME")
    if named:
        directory = Path(named).absolute()
    elif base and Path(base).is_absolute():  # the specification has relative ones ignored
        directory = Path(base) / "harness"
    else:
        directory = Path("~/.local/state").expanduser() / "harness"
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)
        found = directory.stat()
    except (OSError, RuntimeError) as error:  # RuntimeError: a user without a home
        raise UsageError(
            f"the directory for the ledger cannot be made: {error}",
            key=STATE_DIRECTORY_VARIABLE,
            value=str(directory),
            expected="a directory that you may write to, on a disk of this host",
        ) from error
    if found.st_uid != os.getuid():
        raise UsageError("belongs to another user", file=directory, key=STATE_DIRECTORY_VARIABLE)
    if found.st_mode & 0o077:
        directory.chmod(0o700)  # made by somebody's mkdir; what is inside is nobody else's business
    return directory
