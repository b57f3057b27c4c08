"""Lists in pages (guardian fact sheet, section 10.5: ``items``, ``total``, ``next``).

A page begins behind the row that ended the one before, whatever has come or gone meanwhile.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from harness_guardian.fake.refusals import undecodable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness_guardian.fake.choices import Choices

Item = TypeVar("Item")

#: What a row is ordered by: number of its request, and which of its statuses it shows.
Place = tuple[int, int]

_TOKEN = re.compile(rb"after:([0-9]{1,12})\.([0-9]{1,6})")
_NUMBER = re.compile(r"[0-9]{1,6}")
_LONGEST_TOKEN = 64


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """A page of a list.

    :ivar total: items of the whole list.
    :ivar next: what asks for the next page; ``None`` when this is the last one.
    """

    items: Sequence[Item]
    total: int
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageWish:
    """Which page somebody wants."""

    limit: int
    after: Place | None = None


def read_wish(limit: str | None, after: str | None, choices: Choices) -> PageWish:
    """Read the parameters ``limit`` and ``after``.

    :raises Refused: they ask for no page that could be.
    """
    number = choices.page_size if limit is None else _limit(limit, choices.largest_page)
    return PageWish(limit=number, after=None if after is None else _place(after))


def page_of(
    items: Sequence[Item], place: Callable[[Item], Place], wish: PageWish, *, newest_first: bool
) -> Page[Item]:
    """Return a page of a list.

    :param items: all of them, the oldest first.
    :param place: returns the place of an item; it rises from item to item.
    :param newest_first: the order in which they are shown.
    """
    ordered = items[::-1] if newest_first else items
    begin = 0
    if wish.after is not None:
        begin = next(
            (
                number
                for number, item in enumerate(ordered)
                if _is_behind(place(item), wish.after, newest_first=newest_first)
            ),
            len(ordered),
        )
    shown = ordered[begin : begin + wish.limit]
    more = begin + len(shown) < len(ordered)
    return Page(shown, len(items), _token(place(shown[-1])) if more else None)


def _is_behind(place: Place, after: Place, *, newest_first: bool) -> bool:
    return place < after if newest_first else place > after


def _limit(text: str, most: int) -> int:
    if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= most:
        raise undecodable(f"limit: expected a number from 1 to {most}")
    return int(text)


def _token(place: Place) -> str:
    number, index = place
    return base64.urlsafe_b64encode(f"after:{number}.{index}".encode()).decode().rstrip("=")


def _place(token: str) -> Place:
    match = None
    if len(token) <= _LONGEST_TOKEN and token.isascii():
        try:
            text = base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True)
        except binascii.Error:
            text = b""
        match = _TOKEN.fullmatch(text)
    if match is None:
        raise undecodable("after: expected what an earlier page gave as next")
    return int(match[1]), int(match[2])
