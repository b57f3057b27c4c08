"""What a console said: every byte in a file, with an index of when it came.

The file keeps the raw bytes; a second file beside it keeps a record of (time, offset) a chunk, little-endian
``double`` and ``uint64``: seconds since the epoch, and where the chunk begins. Both are readable by their
owner only.
"""

from __future__ import annotations

import os
import struct
import tempfile
import time
from pathlib import Path
from typing import IO

_RECORD = struct.Struct("<dQ")
_RECORDS_KEPT = 512


class Capture:
    """Appends chunks, reads slices. The caller sees to it that one thread at a time is inside."""

    def __init__(self, directory: Path | None, name: str) -> None:
        """Begin a capture.

        :param directory: where ``NAME.raw`` and ``NAME.index`` are kept, appended to if they exist; ``None``
            keeps both in temporary files without a name.
        """
        self._raw = _open(directory, f"{name}.raw")
        self._index = _open(directory, f"{name}.index")
        self._fd = self._raw.fileno()
        self._records: list[bytes] = []
        #: Offset behind the last byte; a console opened anew goes on where the file ended.
        self.size = os.lseek(self._fd, 0, os.SEEK_END)

    def append(self, data: bytes) -> None:
        """Append a chunk that has just come."""
        self._records.append(_RECORD.pack(time.time(), self.size))
        written = os.write(self._fd, data)
        while written < len(data):
            written += os.write(self._fd, data[written:])
        self.size += len(data)
        if len(self._records) >= _RECORDS_KEPT:
            self._write_index()

    def slice(self, start: int, end: int) -> bytes:
        """Return the bytes from one offset to another."""
        return os.pread(self._fd, max(0, end - start), start)

    def lines_with_times(self, start: int, end: int) -> list[tuple[float, bytes]]:
        """Return each line of a slice with the time at which its first byte came, without line ends."""
        self._write_index()
        data = self.slice(start, end)
        index = os.pread(self._index.fileno(), os.fstat(self._index.fileno()).st_size, 0)
        records = [record for record in _RECORD.iter_unpack(index) if record[1] < end]
        lines: list[tuple[float, bytes]] = []
        at, number = start, 0
        for line in data.splitlines(keepends=True):
            while number + 1 < len(records) and records[number + 1][1] <= at:
                number += 1
            lines.append((records[number][0] if records else 0.0, line.rstrip(b"\r\n")))
            at += len(line)
        return lines

    def close(self) -> None:
        """Write what is still in memory and close both files; idempotent."""
        if not self._raw.closed:
            self._write_index()
            self._raw.close()
            self._index.close()

    def _write_index(self) -> None:
        if self._records:
            self._index.write(b"".join(self._records))
            self._index.flush()
            self._records.clear()


def captured_size(directory: Path, name: str) -> int:
    """Return how many bytes are in a capture, which nobody may have begun yet: where it would go on.

    :param directory: as of :class:`Capture`.
    :param name: as of :class:`Capture`.
    """
    try:
        return (directory / f"{name}.raw").stat().st_size
    except FileNotFoundError:
        return 0


def _open(directory: Path | None, name: str) -> IO[bytes]:
    if directory is None:
        return tempfile.TemporaryFile()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(Path(directory) / name, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "ab+")
