"""The fake's clock: the host's, shifted at will from the control socket."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """Tells the time to everything in the fake.

    :ivar shift: seconds that the fake is ahead of the underlying clock.
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

    def timestamp(self) -> str:
        """Return ISO 8601 UTC with milliseconds and ``Z`` (nrfcloud fact sheet, section 2.1)."""
        return timestamp(self.seconds())


def timestamp(seconds: float) -> str:
    """Return a time since the epoch in the form of :meth:`Clock.timestamp`."""
    now = datetime.fromtimestamp(seconds, UTC)
    return f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z"
