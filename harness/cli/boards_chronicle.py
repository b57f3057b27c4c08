"""What happened to boards while somebody watched: who went, came back, moved, was taken and given back.

Pure: it is handed the boards as they are, again and again, and says what became of them meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from harness.cli.boards_now import BoardNow
    from harness.inventory.board import Board
    from harness.inventory.lease_records import Holder

#: A board that nobody described and nobody holds, after it was pulled.
GONE = "gone"
_NOT_THERE = ("absent", "lost", GONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A board, and since when it is as it is.

    :ivar now: how it is.
    :ivar since: since when it is there or not there, as far as it was seen; ``None``: from before we watched.
    """

    now: BoardNow
    since: datetime | None = None

    def in_words(self) -> Iterable[str]:
        """Say how it is, in lines."""
        return _what_happened(None, self.now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a board.

    :ivar time: when it was noticed.
    :ivar board_id: the board.
    :ivar text: what it was.
    """

    time: datetime
    board_id: str
    text: str

    def __str__(self) -> str:
        """Say it for a person."""
        return f"{self.time:%H:%M:%S} {self.board_id}: {self.text}"


class Chronicle:
    """Remembers how the boards were.

    :ivar boards: the boards as they are now, in the order of their names; also those that are gone.
    """

    def __init__(self, unplugged: Callable[[Board], BoardNow]) -> None:
        """Know nothing yet.

        :param unplugged: says how a board is that nobody lists any more.
        """
        self._unplugged = unplugged
        self.boards: dict[str, Watched] = {}
        self._begun = False

    def note(self, boards: Iterable[BoardNow], time: datetime) -> list[Event]:
        """Take down how the boards are.

        :param boards: all that are known of.
        :param time: the time.
        :return: what happened since the last call; nothing at the first one.
        """
        first, self._begun = not self._begun, True
        present = {now.board.id: now for now in boards}
        events: list[Event] = []
        for name, watched in self.boards.items():
            if name not in present:
                now = self._unplugged(watched.now.board)
                present[name] = replace(now, state=GONE) if now.state == "absent" else now
        for name, now in sorted(present.items()):
            before = self.boards.get(name)
            texts = list(_what_happened(None if before is None else before.now, now))
            events += [Event(time=time, board_id=name, text=text) for text in texts if not first]
            turned = before is None or is_there(before.now) != is_there(now)
            since = time if turned and not first else None if before is None else before.since
            self.boards[name] = Watched(now=now, since=since)
        self.boards = dict(sorted(self.boards.items()))
        return events


def is_there(now: BoardNow) -> bool:
    """Whether a board is plugged in.

    :param now: how it is.
    """
    return now.state not in _NOT_THERE


def _what_happened(before: BoardNow | None, now: BoardNow) -> Iterable[str]:
    if before is None or is_there(before) != is_there(now):
        yield _came(now) if is_there(now) else _went(before, now)
    elif is_there(now) and _place(before) != _place(now):
        yield f"moved, now {_place(now)}"
    holder_before = None if before is None else before.holder
    yield from _what_its_holder_did(holder_before, now.holder)


def _came(now: BoardNow) -> str:
    return f"is here, {now.board.kind} {_place(now)}"


def _went(before: BoardNow | None, now: BoardNow) -> str:
    if before is None:
        return f"is {now.state}"
    if now.holder is not None:
        return f"lost while {_who(now.holder)} had it" + (f" in {now.holder.test}" if now.holder.test else "")
    return "went away"


def _place(now: BoardNow) -> str:
    where = [f"at {now.location}"] if now.location else []
    ports = [f"{role} {endpoint.url}" for role, endpoint in sorted(now.board.endpoints.items())]
    return ", ".join(where + ports) or "somewhere"


def _what_its_holder_did(before: Holder | None, now: Holder | None) -> Iterable[str]:
    if now is None:
        if before is not None:
            yield f"given back by {_who(before)}"
    elif before is None or (before.session, before.pid) != (now.session, now.pid):
        yield f"taken by {_who(now)}" + (f", in {now.test}" if now.test else "")
    elif now.test != before.test:
        yield f"in {now.test}" if now.test else "between two tests"


def _who(holder: Holder) -> str:
    return f"{holder.user}, session {holder.session}"
