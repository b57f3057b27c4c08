"""The file of attestation tokens for claiming many boards at once (nrfcloud fact sheet, section 2.4)."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

MOST_ROWS = 1000
LONGEST_TAG = 100


def parse_tags(text: str) -> tuple[str, ...]:
    """Parse ``a,b``.

    :raises UsageError: an empty or long tag, or one that a row of the file cannot hold.
    """
    if not text:
        return ()
    tags = tuple(tag.strip(" ") for tag in text.split(","))
    for tag in tags:
        if not 0 < len(tag) <= LONGEST_TAG or '"' in tag or not tag.isprintable():
            raise UsageError(
                "no tag",
                key="--tags",
                value=tag,
                expected=f"1 to {LONGEST_TAG} printable characters, no quotation mark",
            )
    return tags


def file_text(tokens: Iterable[str], tags: Sequence[str]) -> str:
    """Return the content: a row a token, its tags quoted behind it; no header, lines end with LF."""
    tail = f',"{",".join(tags)}"' if tags else ""
    return "".join(f"{token}{tail}\n" for token in tokens)


def check_target(path: Path, *, force: bool) -> None:
    """See whether a file may be written, before any token is made.

    :raises UsageError: it exists, is no file, or its directory is not there.
    """
    if not path.parent.is_dir():
        raise UsageError("there is no such directory", file=path.parent, key="--output")
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        raise UsageError("is no ordinary file", file=path, key="--output", expected="a new file")
    if not force:
        raise UsageError("exists", file=path, key="--output", expected="a new file, or --force")


def write_file(path: Path, text: str, *, force: bool) -> None:
    """Write a secret: whole or not at all, for its owner alone from the first byte.

    :param force: replace a file that exists.
    :raises UsageError: it exists, or cannot be written.
    """
    check_target(path, force=force)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if force:
                unfinished.replace(path)
            else:
                path.hardlink_to(unfinished)  # unlike a rename it never replaces what came meanwhile
        finally:
            unfinished.unlink(missing_ok=True)
    except FileExistsError as error:
        raise UsageError("exists", file=error.filename2 or error.filename, key="--output") from error
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", file=path, key="--output") from error
