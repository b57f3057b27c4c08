"""Texts in which no secret was found.

A session looks at the same short ones for each phase of each test; and at each long one several times, in
front of each writer, for the redaction there does not rely on that before it.
"""

from __future__ import annotations

import threading
from typing import Final

_LONGEST: Final = 64 * 1024
_MOST: Final = 2 * 1024 * 1024
_OVERHEAD: Final = 100
"""What it costs to keep a text at all, in bytes."""


class CleanTexts:
    """What needs no second look as long as no further secret is known. May be used from any thread.

    :ivar generation: which secrets are known: another number when there are more.
    """

    def __init__(self) -> None:
        """Know none."""
        self.generation = 0
        self._lock = threading.RLock()  # an alarm that strikes while we hold it has its error redacted
        self._texts: set[bytes] = set()
        self._size = 0

    def __contains__(self, text: bytes) -> bool:
        """Tell whether a text was looked at with all the secrets that are known."""
        return text in self._texts

    def add(self, text: bytes, generation: int) -> None:
        """Remember that nothing was found in a text, if it is not too long.

        :param generation: which secrets were known before it was looked at.
        """
        if len(text) > _LONGEST:
            return
        with self._lock:  # somebody may have registered a secret since
            if generation != self.generation:
                return
            self._size += len(text) + _OVERHEAD
            if self._size > _MOST:
                self._empty()
            self._texts.add(text)

    def forget(self) -> None:
        """One more secret is known: look at everything again."""
        with self._lock:
            self.generation += 1
            self._empty()

    def _empty(self) -> None:
        self._texts = set()
        self._size = 0
