"""Who holds a board, as its lease file says it.

The record is written by whoever holds the lease and read by everybody, other versions and other users
included: what it says is shown to people, so nothing in it is believed to be well formed.
"""

from __future__ import annotations

import getpass
import json
import os
import socket
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

RECORD_SIZE = 1024  # one write of this size replaces the record whole, without truncating first
UNKNOWN = "unknown"

_MOST_CHARACTERS = 64
_MOST_TEST_CHARACTERS = 512
_CUT = "..."


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a board.

    :ivar user: name of the user; like everything here it is what the holder says of himself.
    :ivar pid: process that holds it; 0 if that is not known.
    :ivar host: the host of that process.
    :ivar session: id of the session.
    :ivar since: when the lease was taken, ISO 8601 in UTC.
    :ivar test: the test that the board is in; ``None`` between two tests.
    """

    user: str
    pid: int
    host: str
    session: str
    since: str
    test: str | None = None

    def __str__(self) -> str:
        """Say it for a person."""
        if self.session == self.user == UNKNOWN:
            return "somebody whose record cannot be read"
        process = f"pid {self.pid or '?'} on {self.host}"
        return f"session {self.session} of {self.user} ({process}, since {self.since})"


NOBODY_KNOWN = Holder(user=UNKNOWN, pid=0, host=UNKNOWN, session=UNKNOWN, since=UNKNOWN)


def describe_ourselves(session: str) -> Holder:
    """Return what this process says of itself when it takes a lease now.

    :param session: id of the session.
    """
    return Holder(
        user=_shown(_user_name()),
        pid=os.getpid(),
        host=_shown(socket.gethostname()),
        session=_shown(session),
        since=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as containers have them
        return f"uid {os.getuid()}"


def encode_record(holder: Holder) -> bytes:
    """Return the bytes of a record, of one size for all.

    The beginning of a test's id that is too long is cut off: its end tells more.
    """
    test = None if holder.test is None else _shown(holder.test, _MOST_TEST_CHARACTERS)
    data = _encode(replace(holder, test=test))
    while test and len(data) > RECORD_SIZE:
        test = _CUT + test[len(_CUT) + 1 :] if len(test) > len(_CUT) else None
        data = _encode(replace(holder, test=test))
    return data.ljust(RECORD_SIZE)[:RECORD_SIZE]


def _encode(holder: Holder) -> bytes:
    return json.dumps(asdict(holder), ensure_ascii=False).encode(errors="replace")


def decode_record(data: bytes) -> Holder:
    """Return what a record says; each part that it does not say, or not as we do, is ``unknown``.

    :param data: the content of a lease file.
    """
    try:
        record = json.loads(data)
    except (ValueError, RecursionError):  # its holder is about to write who he is, or it is none of ours
        return NOBODY_KNOWN
    if not isinstance(record, dict):
        return NOBODY_KNOWN
    pid = record.get("pid")
    test = record.get("test")
    return Holder(
        user=_text(record.get("user")),
        pid=pid if type(pid) is int and pid > 0 else 0,
        host=_text(record.get("host")),
        session=_text(record.get("session")),
        since=_text(record.get("since")),
        test=_shown(test, _MOST_TEST_CHARACTERS) if isinstance(test, str) and test else None,
    )


def _text(value: Any) -> str:
    return _shown(value) if isinstance(value, str) and value else UNKNOWN


def _shown(text: str, most: int = _MOST_CHARACTERS) -> str:
    """Return a text that a terminal shows as it is: no control characters, and not without end."""
    plain = "".join(character if character.isprintable() else "?" for character in text)
    return plain if len(plain) <= most else _CUT + plain[len(_CUT) - most :]
