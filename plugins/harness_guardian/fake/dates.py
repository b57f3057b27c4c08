"""Dates as users see them: UTC or local time, ``dd mmm yyyy`` or ISO 8601 (guardian fact sheet, section 7).

Moments are seconds since the epoch everywhere in the fake. Nothing here knows the clock or a user.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

#: English whatever the host's locale is (guardian fact sheet, section 7).
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_OFFSET = re.compile(r"([+-])([01][0-9]|2[0-3]):?([0-5][0-9])")
_ZONE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LONGEST_ZONE = 64


class UnknownZoneError(ValueError):
    """A text names no time zone."""


class BadDayError(ValueError):
    """A text is no day of the calendar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DateStyle:
    """How one user wants to see dates; the two toggles are independent of each other.

    :ivar iso: ISO 8601 instead of ``dd mmm yyyy``.
    :ivar zone: the zone of the display: UTC, or the user's own.
    """

    iso: bool = False
    zone: tzinfo = UTC

    def day(self, moment: float | None) -> str:
        """Return a moment as lists show it; nothing for none."""
        if moment is None:
            return ""
        return self._iso(moment) if self.iso else self._date(_at(moment, self.zone))

    def moment(self, moment: float | None) -> str:
        """Return a moment as detail views show it, with the time of day; nothing for none."""
        if moment is None:
            return ""
        local = _at(moment, self.zone)
        return self._iso(moment) if self.iso else f"{self._date(local)} {_time(local)}"

    @staticmethod
    def _date(local: datetime) -> str:
        return f"{local.day:02d} {_MONTHS[local.month - 1]} {local.year:04d}"

    def _iso(self, moment: float) -> str:
        if self.zone is UTC:
            return iso_utc(moment)
        local = _at(moment, self.zone)
        seconds = round((local.utcoffset() or timedelta()).total_seconds())
        sign, minutes = "-" if seconds < 0 else "+", abs(seconds) // 60
        return f"{_iso_date(local)}T{_time(local)}{sign}{minutes // 60:02d}:{minutes % 60:02d}"


def iso_utc(moment: float) -> str:
    """Return a moment to the second in UTC, as reports have it: ``2026-11-21T01:24:33Z``."""
    local = _at(moment, UTC)
    return f"{_iso_date(local)}T{_time(local)}Z"


def rfc3339(moment: float) -> str:
    """Return a moment with milliseconds in UTC, as JSON has it: ``2026-11-21T01:24:33.120Z``."""
    local = _at(moment, UTC)
    return f"{_iso_date(local)}T{_time(local)}.{local.microsecond // 1000:03d}Z"


def compact_utc(moment: float) -> str:
    """Return a moment as file names have it: ``20261121T012433Z``."""
    return iso_utc(moment).replace("-", "").replace(":", "")


def local_day(moment: float, zone: tzinfo) -> date:
    """Return the day of the calendar in a zone at a moment."""
    return _at(moment, zone).date()


@lru_cache(maxsize=256)
def read_zone(text: str) -> tzinfo:
    """Read an IANA name or an offset from UTC, as browsers and clients send it.

    :param text: for example ``Europe/Oslo``, ``UTC``, ``Z``, ``+02:00`` or ``-0530``.
    :raises UnknownZoneError: it is neither.
    """
    if text in {"UTC", "Z"}:
        return UTC
    match = _OFFSET.fullmatch(text)
    if match is not None:
        ahead = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return timezone(ahead if match[1] == "+" else -ahead)
    if len(text) > _LONGEST_ZONE or not _ZONE_NAME.fullmatch(text):
        raise UnknownZoneError(_zone_expected(text))
    try:
        return ZoneInfo(text)
    # A name that is a directory of the data base, or a file that is none of its, is no zone either.
    except (ZoneInfoNotFoundError, OSError, ValueError) as error:
        raise UnknownZoneError(_zone_expected(text)) from error


def read_day(text: str) -> date:
    """Read a day of the calendar, ``yyyy-mm-dd``.

    :raises BadDayError: it is none.
    """
    if not _DAY.fullmatch(text):
        raise BadDayError(f"{text[:40]!r} is no day; expected yyyy-mm-dd")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadDayError(f"{text!r} is no day of the calendar; expected yyyy-mm-dd") from error


def _zone_expected(text: str) -> str:
    return f"{text[:_LONGEST_ZONE]!r} is no time zone; expected an IANA name, or an offset such as +02:00"


def _at(moment: float, zone: tzinfo) -> datetime:
    # Cut, not rounded: the last half microsecond of a second, or of a day, still belongs to it.
    whole, part = divmod(moment, 1)
    return datetime.fromtimestamp(whole, zone).replace(microsecond=int(part * 1_000_000))


def _iso_date(local: datetime) -> str:
    return f"{local.year:04d}-{local.month:02d}-{local.day:02d}"


def _time(local: datetime) -> str:
    return f"{local.hour:02d}:{local.minute:02d}:{local.second:02d}"
