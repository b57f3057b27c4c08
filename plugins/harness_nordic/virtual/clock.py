"""The modem's clock: without time until somebody gives it (nrfcloud fact sheet, section 5.1)."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta, timezone

from harness_nordic.enums import CmeError
from harness_nordic.virtual.errors import CmeRefusal

_FORM = re.compile(r"(\d\d)/(\d\d)/(\d\d),(\d\d):(\d\d):(\d\d)([+-])(\d\d)", re.ASCII)
_QUARTER = timedelta(minutes=15)
_MAX_QUARTERS = 56
_CENTURY = 2000


class ModemClock:
    """Runs from the moment it is set."""

    def __init__(self) -> None:
        """Have no time."""
        self._offset: float | None = None
        self._zone: timezone = UTC

    @property
    def valid(self) -> bool:
        """Whether there is a time."""
        return self._offset is not None

    def set(self, seconds: float) -> None:
        """Set Unix time, and UTC as the zone."""
        self._zone = UTC
        self._offset = seconds - time.monotonic()

    def clear(self) -> None:
        """Forget the time, as a power cycle does."""
        self._offset = None

    def now(self) -> float | None:
        """Return Unix time, or ``None``."""
        return None if self._offset is None else time.monotonic() + self._offset

    def set_text(self, text: str) -> None:
        """Set from ``yy/MM/dd,hh:mm:ss+zz``, zz in quarters of an hour.

        :raises CmeRefusal: 50 if it is no such time.
        """
        match = _FORM.fullmatch(text)
        if match is None:
            raise CmeRefusal(CmeError.BAD_PARAMETERS)
        year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
        quarters = int(match[8])
        if quarters > _MAX_QUARTERS:
            raise CmeRefusal(CmeError.BAD_PARAMETERS)
        zone = timezone((-1 if match[7] == "-" else 1) * quarters * _QUARTER)
        try:
            moment = datetime(_CENTURY + year, month, day, hour, minute, second, tzinfo=zone)
        except ValueError as error:
            raise CmeRefusal(CmeError.BAD_PARAMETERS) from error
        self.set(moment.timestamp())
        self._zone = zone

    def text(self) -> str | None:
        """Return ``yy/MM/dd,hh:mm:ss+zz``, or ``None`` without time."""
        seconds = self.now()
        if seconds is None:
            return None
        moment = datetime.fromtimestamp(seconds, self._zone)
        quarters = int((moment.utcoffset() or timedelta()) / _QUARTER)
        return f"{moment:%y/%m/%d,%H:%M:%S}{quarters:+03d}"
