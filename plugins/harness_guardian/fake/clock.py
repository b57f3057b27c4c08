"""The fake's clock: the host's, shifted at will for one organisation from the control socket."""

from __future__ import annotations

from harness.backends.clock import ShiftedClock


class Clock(ShiftedClock):
    """Tells the time to everything in the fake, in seconds since the epoch."""
