"""Times as the component writes and reads them."""

from __future__ import annotations

from datetime import UTC, datetime


def rfc3339(moment: datetime) -> str:
    """Write a moment in UTC, in whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_rfc3339(text: object) -> datetime:
    """Read a moment.

    :raises ValueError: it is none, or has no zone.
    """
    if not isinstance(text, str):
        raise ValueError("no text")  # noqa: TRY004 - it came from outside, and all of that is a value
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    return moment
