"""The lines that a console says: read one by one, and kept while nobody has asked for them."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.console.intake import Intake

_KEPT = 1000


class Lines:
    """Takes complete lines from an intake; the caller is the one who reads it.

    :ivar shown: makes of a line what it says, where a shell paints it; ``None``: lines are as they come.
    """

    def __init__(self, intake: Intake) -> None:
        """Read from an intake."""
        self.shown: Callable[[str], str] | None = None
        self._intake = intake
        self._heard: deque[tuple[float, str]] = deque(maxlen=_KEPT)
        self._unheard: deque[str] = deque(maxlen=_KEPT)

    def next(self) -> str | None:
        """Return the next complete line; ``None`` while there is none."""
        intake = self._intake
        begin = intake.mark - intake.window_start
        end = intake.window.find(b"\n", begin)
        if intake.seam > intake.mark and (end < 0 or end + intake.window_start >= intake.seam):
            intake.mark = intake.seam  # this line was begun before the board went away, and nothing ends it
            return self.next()
        if end < 0:
            return None
        intake.mark += end + 1 - begin
        text = intake.window[begin:end].decode("utf-8", "backslashreplace").strip("\r")
        return text if self.shown is None else self.shown(text)

    def hear(self, text: str) -> None:
        """Keep a line that came unasked."""
        if text:
            self._heard.append((time.time(), text))
            self._unheard.append(text)

    def hear_pending(self) -> None:
        """Keep all complete lines that are there."""
        while (text := self.next()) is not None:
            self.hear(text)

    def take(self, fits: Callable[[str], bool]) -> str | None:
        """Hand out the first line that came unasked and fits; each is handed out once."""
        for number, text in enumerate(self._unheard):
            if fits(text):
                del self._unheard[number]
                return text
        return None

    @property
    def heard(self) -> list[tuple[float, str]]:
        """The last lines that came unasked, with the time at which each was noticed."""
        return list(self._heard)
