"""Pages of lists (pelion fact sheet, section 4: limit, order, after, include)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from harness_pelion.fake.refusals import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness_pelion.fake.choices import Choices

FEWEST = 2
MOST = 1000
USUAL = 50

ASCENDING = "ASC"
DESCENDING = "DESC"

_TOTAL = "total_count"


class Listed(Protocol):
    """Something that a list can have."""

    @property
    def id(self) -> str:
        """Its id."""


Row = TypeVar("Row", bound=Listed)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """Which part of a list is asked for.

    :ivar limit: rows at most.
    :ivar order: ``ASC``: oldest first, or ``DESC``.
    :ivar after: id of the row before the first one; ``None``: from the beginning.
    :ivar total: whether the number of all rows is asked for.
    """

    limit: int = USUAL
    order: str = ASCENDING
    after: str | None = None
    total: bool = False


def included(query: Mapping[str, str]) -> set[str]:
    """Return the words of ``include``."""
    return {word.strip() for word in query.get("include", "").split(",") if word.strip()}


def page_request(query: Mapping[str, str], choices: Choices) -> PageRequest:
    """Return which part of a list a query asks for.

    :raises Refused: a value that cannot be.
    """
    order = query.get("order", ASCENDING).upper()
    if order not in {ASCENDING, DESCENDING}:
        raise invalid("order", "expected ASC or DESC")
    return PageRequest(
        limit=_limit(query.get("limit"), choices),
        order=order,
        after=query.get("after") or None,
        total=_TOTAL in included(query) or choices.total_always,
    )


def page(
    rows: Sequence[Row],
    asked: PageRequest,
    choices: Choices,
    view: Callable[[Row], dict[str, Any]],
    matches: Callable[[Row], bool] = lambda _row: True,
) -> dict[str, Any]:
    """Return one page.

    :param rows: all rows of the list, oldest first, those that do not match too: a client that pages by
        ``after`` must not be refused because that row matches no more.
    :param view: how a row is shown.
    :param matches: whether a row is wanted.
    :raises Refused: ``after`` is no row.
    """
    ordered = list(rows) if asked.order == ASCENDING else list(reversed(rows))
    start = 0
    if asked.after is not None:
        places = {row.id: number for number, row in enumerate(ordered, 1)}
        if asked.after not in places and choices.after_refused:
            raise invalid("after", "no such id")
        start = places.get(asked.after, len(ordered))
    wanted = [row for row in ordered[start:] if matches(row)]
    document: dict[str, Any] = {
        "object": "list",
        "limit": asked.limit,
        "order": asked.order,
        "after": asked.after,
        "has_more": len(wanted) > asked.limit,
        "data": [view(row) for row in wanted[: asked.limit]],
    }
    if asked.total:
        document["total_count"] = sum(matches(row) for row in ordered)
    return document


def _limit(text: str | None, choices: Choices) -> int:
    if text is None:
        return USUAL
    if not re.fullmatch("-?[0-9]+", text):
        raise invalid("limit", f"expected a number from {FEWEST} to {MOST}")
    limit = int(text) if len(text) <= len("-1000000") else MOST + 1
    if FEWEST <= limit <= MOST:
        return limit
    if choices.limit_clamped:
        return min(max(limit, FEWEST), MOST)
    raise invalid("limit", f"expected {FEWEST} to {MOST}")
