"""How fast a service may be asked: a limit of our own, and what the service itself says of waiting."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

BURST = 10
"""Requests that may follow each other at once after a while without any."""


class RateLimit:
    """A token bucket: requests by this process come no faster than so many a second in the long run."""

    def __init__(
        self, per_second: float, burst: int = BURST, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin with a full bucket.

        :param per_second: requests a second; more than 0.
        :param burst: requests that may be made at once; at least 1.
        :param clock: tells seconds.
        """
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._lock = threading.Lock()
        self._left = float(burst)
        self._counted = clock()

    def reserve(self) -> float:
        """Take one request out of the bucket.

        :return: seconds to wait before it may be made.
        """
        with self._lock:
            now = self._clock()
            earned = (now - self._counted) * self._per_second
            self._counted = now
            self._left = min(float(self._burst), self._left + earned) - 1
            return max(0.0, -self._left / self._per_second)


def seconds_of(retry_after: str | None) -> float | None:
    """Return the seconds that a header ``Retry-After`` asks for: a number of them, or a date (RFC 9110).

    :return: ``None`` where it says nothing that could be understood; never less than 0.
    """
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
