"""A fake's clock: the host's, shifted at will from its control socket."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class ShiftedClock:
    """Tells the time; in what form is the service's own.

    :ivar shift: seconds that it is ahead of the clock that it follows.
    """

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        """Follow a clock.

        :param source: seconds since the epoch.
        """
        self._source = source
        self.shift = 0.0

    def seconds(self) -> float:
        """Return seconds since the epoch."""
        return self._source() + self.shift
