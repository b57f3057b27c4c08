"""Dates: both toggles, zones by name and by offset, days that are cut where the zone cuts them."""

from __future__ import annotations

import calendar
import locale
import time
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness_guardian.fake.dates import (
    BadDayError,
    DateStyle,
    UnknownZoneError,
    compact_utc,
    iso_utc,
    local_day,
    read_day,
    read_zone,
    rfc3339,
)

# The moment of the fact sheet, section 7: 2026-11-21T01:24:33Z.
THEN = calendar.timegm((2026, 11, 21, 1, 24, 33))

ZONES = st.sampled_from(["Europe/Oslo", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"])
MOMENTS = st.floats(min_value=0, max_value=4_000_000_000, allow_nan=False)


@pytest.mark.parametrize(
    ("iso", "zone", "day", "moment"),
    [
        (False, "UTC", "21 Nov 2026", "21 Nov 2026 01:24:33"),
        (True, "UTC", "2026-11-21T01:24:33Z", "2026-11-21T01:24:33Z"),
        (False, "America/New_York", "20 Nov 2026", "20 Nov 2026 20:24:33"),
        (True, "America/New_York", "2026-11-20T20:24:33-05:00", "2026-11-20T20:24:33-05:00"),
        (True, "Asia/Kathmandu", "2026-11-21T07:09:33+05:45", "2026-11-21T07:09:33+05:45"),
        (True, "-00:30", "2026-11-21T00:54:33-00:30", "2026-11-21T00:54:33-00:30"),
        (True, "Europe/London", "2026-11-21T01:24:33+00:00", "2026-11-21T01:24:33+00:00"),
    ],
)
def test_both_toggles(iso: bool, zone: str, day: str, moment: str) -> None:  # noqa: FBT001 - a parameter
    """Format and zone are independent of each other; local ISO has an offset, UTC has ``Z``."""
    style = DateStyle(iso=iso, zone=read_zone(zone))
    assert (style.day(THEN), style.moment(THEN)) == (day, moment)


def test_default_is_utc_and_dd_mmm_yyyy() -> None:
    """Who set nothing sees UTC and ``dd mmm yyyy``, the day with two digits."""
    first = calendar.timegm((2027, 2, 1, 23, 59, 59))
    assert DateStyle().day(first) == "01 Feb 2027"
    assert DateStyle().moment(first) == "01 Feb 2027 23:59:59"


def test_nothing_is_shown_of_no_moment() -> None:
    """What has not happened has no date, in whatever form."""
    for style in (DateStyle(), DateStyle(iso=True)):
        assert (style.day(None), style.moment(None)) == ("", "")


def test_month_names_are_english() -> None:
    """The twelve names, whatever the locale of the host is."""
    before = locale.setlocale(locale.LC_TIME)
    try:
        locale.setlocale(locale.LC_TIME, "C")
        shown = [DateStyle().day(calendar.timegm((2026, month, 9, 12, 0, 0))) for month in range(1, 13)]
    finally:
        locale.setlocale(locale.LC_TIME, before)
    names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    assert shown == [f"09 {name} 2026" for name in names]


def test_forms_without_a_user() -> None:
    """Reports, JSON and file names have a form of their own, always in UTC."""
    assert iso_utc(THEN + 0.9) == "2026-11-21T01:24:33Z"
    assert rfc3339(THEN + 0.0625) == "2026-11-21T01:24:33.062Z"
    assert compact_utc(THEN) == "20261121T012433Z"


@given(MOMENTS)
def test_iso_agrees_with_the_c_library(moment: float) -> None:
    """ISO in UTC is what ``gmtime`` says."""
    assert iso_utc(moment) == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


@given(MOMENTS, ZONES)
def test_local_iso_names_the_same_moment(moment: float, zone: str) -> None:
    """Read back by another reader, local ISO is the moment to the second."""
    shown = DateStyle(iso=True, zone=read_zone(zone)).moment(moment)
    assert datetime.fromisoformat(shown).timestamp() == int(moment)


@given(MOMENTS, st.integers(min_value=-14 * 60, max_value=14 * 60))
def test_days_by_offset(moment: float, minutes: int) -> None:
    """The day at an offset is that of UTC moved by it, by plain arithmetic."""
    sign, ahead = "-" if minutes < 0 else "+", abs(minutes)
    zone = read_zone(f"{sign}{ahead // 60:02d}:{ahead % 60:02d}")
    moved = date(1970, 1, 1) + timedelta(days=int((moment + minutes * 60) // 86400))
    assert local_day(moment, zone) == moved


@given(st.dates(date(1990, 1, 1), date(2060, 12, 31)), ZONES)
def test_a_day_lasts_from_midnight_to_midnight(day: date, zone: str) -> None:
    """Also on the days on which clocks are changed: a second before midnight is today, midnight tomorrow."""
    where = read_zone(zone)
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC).timestamp()
    assert local_day(midnight, where) == day
    assert local_day(midnight - 1, where) == day - timedelta(days=1)


@pytest.mark.parametrize("text", ["UTC", "Z"])
def test_utc_by_its_names(text: str) -> None:
    """UTC has two names."""
    assert read_zone(text) is UTC


def test_zone_by_name_and_by_offset() -> None:
    """IANA names, and offsets with and without a colon."""
    assert read_zone("Europe/Oslo") == ZoneInfo("Europe/Oslo")
    assert read_zone("+02:00") == timezone(timedelta(hours=2))
    assert read_zone("-0530") == timezone(-timedelta(hours=5, minutes=30))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Europe",
        "Europe/Nowhere",
        "../../etc/passwd",
        "/etc/localtime",
        "+24:00",
        "+2",
        "a/b/c/d",
        "tzdata.zi",
        "zone.tab",
        "\x00",
        "Europe/Oslo\n",
        "x" * 65,
    ],
)
def test_no_zone(text: str) -> None:
    """What names no zone is refused, also what names a file or a directory."""
    with pytest.raises(UnknownZoneError, match="expected an IANA name"):
        read_zone(text)


@given(st.text(max_size=80))
def test_any_text_is_a_zone_or_refused(text: str) -> None:
    """No text makes it fail otherwise."""
    try:
        read_zone(text)
    except UnknownZoneError:
        return
    assert text


def test_day() -> None:
    """A day is read as ISO writes it."""
    assert read_day("2026-11-21") == date(2026, 11, 21)


@pytest.mark.parametrize(
    "text", ["", "2026-11-31", "20261121", "2026-W47-6", "21 Nov 2026", "2026-11-2\uff11"]
)
def test_no_day(text: str) -> None:
    """What is no day of the calendar is refused, also other forms of ISO."""
    with pytest.raises(BadDayError, match="expected yyyy-mm-dd"):
        read_day(text)
