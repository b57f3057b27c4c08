"""Short texts in which no secret was found: a session looks at the same ones for each phase of each test."""

from __future__ import annotations

import threading
from typing import Final

_LONGEST: Final = 300
_MOST: Final = 5000


class CleanTexts:
    """What needs no second look as long as no further secret is known. May be used from any thread.

    :ivar generation: which secrets are known: another number when there are more.
    """

    def __init__(self) -> None:
        """Know none."""
        self.generation = 0
        self._lock = threading.Lock()
        self._texts: set[str] = set()

    def __contains__(self, text: str) -> bool:
        """Tell whether a text was looked at with all the secrets that are known."""
        return text in self._texts

    def add(self, text: str, generation: int) -> None:
        """Remember that nothing was found in a text, if it is short.

        :param generation: which secrets were known before it was looked at.
        """
        if len(text) > _LONGEST:
            return
        with self._lock:  # somebody may have registered a secret since
            if generation != self.generation:
                return
            if len(self._texts) >= _MOST:
                self._texts = set()
            self._texts.add(text)

    def forget(self) -> None:
        """One more secret is known: look at everything again."""
        with self._lock:
            self.generation += 1
            self._texts = set()
