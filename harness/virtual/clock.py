"""A virtual board's clock: that of the host, and what a test puts it off by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class BoardClock:
    """Tells the time in UTC.

    :ivar offset: seconds by which it is off.
    """

    def __init__(self) -> None:
        """Be right."""
        self.offset = 0.0

    def now(self) -> datetime:
        """Return the time."""
        return datetime.now(UTC) + timedelta(seconds=self.offset)
