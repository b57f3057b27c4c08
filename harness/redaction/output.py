"""Text files that pass what is written to them through a redactor: terminals and logs."""

from __future__ import annotations

import codecs
import threading
from typing import TYPE_CHECKING, Any

from harness.redaction.redactor import encoded

if TYPE_CHECKING:
    import logging
    from typing import TextIO

    from harness.redaction.redactor import Redactor


def redact_handler(handler: logging.Handler, redactor: Redactor) -> None:
    """Let a handler of log records write none of the secrets in them."""
    plain = handler.format
    vars(handler)["format"] = lambda record: redactor.redact(plain(record))


class RedactedOutput:
    """Stands for a text file, of which it has everything else.

    A line is passed on when it ends, or when it is flushed.
    """

    def __init__(self, file: TextIO, redactor: Redactor) -> None:
        """Write to a file."""
        self.file = file
        self._stream = redactor.stream()
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._lock = threading.RLock()

    def write(self, text: str) -> int:
        """Write a text."""
        self.write_bytes(encoded(text))
        return len(text)

    def write_bytes(self, data: bytes) -> None:
        """Write what somebody wrote to the binary file below."""
        with self._lock:
            self._put(self._stream.feed(data))

    def writelines(self, lines: list[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Write what is held back, too."""
        with self._lock:
            self._put(self._stream.finish())
            self.file.flush()

    def _put(self, clean: bytes) -> None:
        if clean:
            self.file.write(self._decoder.decode(clean))

    @property
    def buffer(self) -> _RedactedBytes:
        """The binary file below."""
        return _RedactedBytes(self)

    def __getattr__(self, name: str) -> Any:
        """Have everything else of the file."""
        return getattr(self.file, name)


class _RedactedBytes:
    """Stands for the binary file below a text file."""

    def __init__(self, output: RedactedOutput) -> None:
        self._output = output

    def write(self, data: bytes) -> int:
        self._output.write_bytes(bytes(data))
        return len(data)

    def flush(self) -> None:
        self._output.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._output.file.buffer, name)
