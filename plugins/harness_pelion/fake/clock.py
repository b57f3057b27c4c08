"""The fake's clock: the host's, shifted for one account from the control socket.

One fake serves several workers, each with accounts of its own, so nobody's time is shifted by another's test.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """Tells the time of every account."""

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        """Follow a clock.

        :param source: seconds since the epoch.
        """
        self._source = source
        self._offsets: dict[str, float] = {}
        self._listeners: list[Callable[[str], object]] = []

    def now(self, account_id: str = "") -> datetime:
        """Return the time in UTC.

        :param account_id: whose time; by default nobody's, which is never shifted.
        """
        moment = datetime.fromtimestamp(self._source(), UTC)
        return moment + timedelta(seconds=self._offsets.get(account_id, 0.0))

    def offset(self, account_id: str) -> float:
        """Return how many seconds an account's time is ahead."""
        return self._offsets.get(account_id, 0.0)

    def shift(self, account_id: str, offset_seconds: float) -> None:
        """Set how many seconds an account's time is ahead, and tell whoever wants to know; 0 puts it right.

        :raises OverflowError: there is no such time.
        """
        before = self._offsets.pop(account_id, 0.0)
        if offset_seconds:
            self._offsets[account_id] = offset_seconds
        try:
            self.now(account_id)
        except OverflowError:
            self._offsets[account_id] = before
            raise
        for listener in tuple(self._listeners):
            listener(account_id)

    def on_shift(self, callback: Callable[[str], object]) -> None:
        """Call something after every shift.

        :param callback: told the id of the account whose time it is.
        """
        self._listeners.append(callback)


def timestamp(moment: datetime) -> str:
    """Return a time as RFC 3339 in UTC with milliseconds and ``Z`` (pelion fact sheet, section 4)."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"
