"""The fake's clock: the host's, shifted at will for one organisation from the control socket."""

from __future__ import annotations

from datetime import UTC, datetime

from harness.backends.clock import ShiftedClock


class Clock(ShiftedClock):
    """Tells the time to everything in the fake."""

    def timestamp(self) -> str:
        """Return now as :func:`timestamp` writes it."""
        return timestamp(self.seconds())


def timestamp(seconds: float) -> str:
    """Return a time since the epoch as RFC 3339 in UTC with milliseconds."""
    milliseconds = round(seconds * 1000)
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"
