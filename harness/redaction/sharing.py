"""What one process of a session registers reaches the others, without a file that could stay behind.

The controller holds some memory that looks like a file; workers append to it through the controller's entry
in ``/proc``, where only the same user gets in. It is gone with the controller, however that ends. Where the
system has no such memory it is a file (0600) in the session's private directory, which is removed.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from harness.redaction.redactor import Redactor

_APPENDING = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC


class SharedSecrets:
    """One process's access to what the processes of a session registered.

    :ivar path: by which the others open it.
    """

    def __init__(self, descriptor: int, path: str, redactor: Redactor) -> None:
        """Tell and be told; see :func:`share_secrets` and :func:`join_secrets`."""
        self.path = path
        self._descriptor: int | None = descriptor
        self._redactor = redactor
        self._read = 0
        # An alarm may strike while we take, and its error is redacted, too: in the same thread.
        self._taking = threading.RLock()
        redactor.draw_from(self._take)
        redactor.watch(self._tell)

    def close(self) -> None:
        """Neither tell nor be told any more; idempotent."""
        if self._descriptor is not None:
            self._take()
            os.close(self._descriptor)
            self._descriptor = None

    def _tell(self, value: bytes, label: str) -> None:
        if self._descriptor is not None:
            line = json.dumps([value.decode("utf-8", "surrogateescape"), label]).encode() + b"\n"
            os.write(self._descriptor, line)  # in one go, behind what others have written

    def _take(self) -> None:
        with self._taking:  # any thread that redacts does: each line is taken once
            if self._descriptor is None:
                return
            size = os.fstat(self._descriptor).st_size
            if size == self._read:
                return
            data = os.pread(self._descriptor, size - self._read, self._read)
            lines = data[: data.rfind(b"\n") + 1]
            for line in lines.splitlines():
                value, label = json.loads(line)
                self._redactor.learn(value.encode("utf-8", "surrogateescape"), label)
            # When all of them are known, and not before: who is interrupted in between takes them again.
            self._read += len(lines)


def share_secrets(redactor: Redactor, directory: Path) -> SharedSecrets:
    """Begin to share, in the controller.

    :param directory: the session's private directory.
    """
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("harness-secrets", os.MFD_CLOEXEC)
        os.fchmod(descriptor, 0o600)
        fcntl.fcntl(descriptor, fcntl.F_SETFL, os.O_APPEND)
        path = f"/proc/{os.getpid()}/fd/{descriptor}"
    else:
        path = str(directory / "secrets")
        descriptor = os.open(path, _APPENDING | os.O_CREAT | os.O_EXCL, 0o600)
    return SharedSecrets(descriptor, path, redactor)


def join_secrets(redactor: Redactor, path: str) -> SharedSecrets:
    """Share with the others, in a worker.

    :param path: :attr:`SharedSecrets.path` of the controller's.
    """
    return SharedSecrets(os.open(path, _APPENDING), path, redactor)
