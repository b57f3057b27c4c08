"""The fake's clock: the host's, shifted at will from the control socket."""

from __future__ import annotations

from datetime import UTC, datetime

from harness.backends.clock import ShiftedClock


class Clock(ShiftedClock):
    """Tells the time to everything in the fake."""

    def timestamp(self) -> str:
        """Return ISO 8601 UTC with milliseconds and ``Z`` (nrfcloud fact sheet, section 2.1)."""
        return timestamp(self.seconds())


def timestamp(seconds: float) -> str:
    """Return a time since the epoch in the form of :meth:`Clock.timestamp`."""
    now = datetime.fromtimestamp(seconds, UTC)
    return f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z"
