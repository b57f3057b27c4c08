"""A board that sessions leave alone for a while, as its file says it.

The record is written by one session or person and read by everybody, other versions and other users
included: what it says is shown to people, so nothing in it is believed to be well formed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

#: A record of another user is replaced by one write of this size: it cannot be made anew in his name.
RECORD_SIZE = 4096
_MOST_CHARACTERS = 200
_MOST_REASON_CHARACTERS = 1000
_CUT = "..."


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """Why and how long sessions leave a board alone.

    :ivar board: what it was called by whoever quarantined it.
    :ivar names: what its files are named after: what all sessions call it alike.
    :ivar kind: its kind; empty when nobody knew.
    :ivar reason: why.
    :ivar since: when it began.
    :ivar until: when it ends by itself; ``None``: when somebody lifts it.
    :ivar by: who did it.
    """

    board: str
    names: tuple[str, ...]
    kind: str
    reason: str
    since: datetime
    until: datetime | None
    by: str

    def is_over(self, now: datetime) -> bool:
        """Tell whether it has ended by itself."""
        return self.until is not None and self.until <= now

    @property
    def end(self) -> str:
        """When it ends, for a person."""
        if self.until is None:
            return "until it is lifted"
        return f"until {self.until.astimezone():%Y-%m-%d %H:%M}"

    def __str__(self) -> str:
        """Say it for a person."""
        return f"{self.reason}; {self.end} (by {self.by})"

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        data = asdict(self)
        data["names"] = list(self.names)
        data["since"] = self.since.isoformat(timespec="seconds")
        data["until"] = None if self.until is None else self.until.isoformat(timespec="seconds")
        return data


def encode_record(quarantine: Quarantine) -> bytes:
    """Return the bytes of a record, of one size for all; a reason that is too long loses its end."""
    record = replace(
        quarantine,
        board=shown(quarantine.board),
        names=tuple(map(shown, quarantine.names)),
        kind=shown(quarantine.kind),
        reason=shown(quarantine.reason, _MOST_REASON_CHARACTERS),
        by=shown(quarantine.by),
    )
    data = _encode(record)
    while len(data) > RECORD_SIZE and record.reason:
        record = replace(record, reason=record.reason[: len(record.reason) // 2])
        data = _encode(record)
    return data.ljust(RECORD_SIZE)[:RECORD_SIZE]


def _encode(record: Quarantine) -> bytes:
    return json.dumps(record.to_json(), ensure_ascii=False).encode(errors="replace")


def decode_record(data: bytes) -> Quarantine:
    """Return what a record says.

    :param data: the content of a file.
    :raises ValueError: it is no record.
    """
    try:
        record = json.loads(data)
    except RecursionError as error:
        raise ValueError("it is nested without end") from error
    if not isinstance(record, dict):
        raise ValueError("it is no table")  # noqa: TRY004 - of the content, not of an argument
    names = record.get("names")
    if not isinstance(names, list) or not names:
        raise ValueError("'names' is missing")
    until = record.get("until")
    return Quarantine(
        board=_text(record, "board"),
        names=tuple(shown(str(name)) for name in names),
        kind=_text(record, "kind", needed=False),
        reason=_text(record, "reason", _MOST_REASON_CHARACTERS),
        since=_time(record.get("since"), "since"),
        until=None if until is None else _time(until, "until"),
        by=_text(record, "by"),
    )


def _text(record: dict[str, Any], key: str, most: int = _MOST_CHARACTERS, *, needed: bool = True) -> str:
    value = record.get(key, "")
    if not isinstance(value, str) or (needed and not value):
        raise ValueError(f"{key!r} is missing")
    return shown(value, most)


def _time(value: object, key: str) -> datetime:
    if not isinstance(value, str):
        raise ValueError(f"{key!r} is no time")  # noqa: TRY004 - of the content, not of an argument
    time = datetime.fromisoformat(value)
    if time.tzinfo is None:
        raise ValueError(f"{key!r} has no time zone")
    return time


def shown(text: str, most: int = _MOST_CHARACTERS) -> str:
    """Return a text that a terminal shows as it is: one line, no control characters, not without end."""
    plain = "".join(character if character.isprintable() else "?" for character in " ".join(text.split()))
    return plain if len(plain) <= most else plain[: most - len(_CUT)] + _CUT
