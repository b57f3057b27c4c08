"""Which boards have no worker and are to be given one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.scheduling.places import Place, Places, Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.scheduling.backlog import Backlog


def vacancies(backlog: Backlog, places: Places, joining: Iterable[str], *, unserved: bool) -> list[str]:
    """Return the boards for which a worker is to be started.

    :param backlog: what is to be run.
    :param places: the boards.
    :param joining: those that came, or came back, and had no worker since.
    :param unserved: whether no worker is given tests any more, and none is expected.
    """
    wanted: dict[str, None] = {}
    for board in joining:
        place = places.boards[board]
        if place.is_there and _is_bare(place) and any(need.queued for need in place.needs):
            wanted[board] = None
    for need in backlog.filled.values():
        if need.in_hands or need.boards is None or need.is_homeless or need.is_hopeless:
            continue
        fitting = [places.boards[board] for board in sorted(need.boards)]
        bare = [place for place in fitting if _is_bare(place) and place.status is not Status.GIVEN_UP]
        there = [place for place in bare if place.is_there]
        if any(place.is_there and place.board in wanted for place in fitting):
            continue
        looked_after = any(place.board in wanted or _is_served(place) for place in fitting)
        if there or not looked_after:
            wanted.update(dict.fromkeys(str(place.board) for place in (there or bare)[:1]))
    if unserved and not wanted and None in (need.boards for need in backlog.filled.values()):
        # A test without a board came back when all workers had ended: any of them would do.
        bare = [place for place in places.boards.values() if _is_bare(place)]
        bare.sort(key=lambda place: (not place.is_there, str(place.board)))
        wanted.update(dict.fromkeys(str(place.board) for place in bare[:1]))
    return list(wanted)


def _is_bare(place: Place) -> bool:
    """Tell whether a place has no worker, and none is expected."""
    return not place.workers and not place.expected


def _is_served(place: Place) -> bool:
    """Tell whether a place has a worker that is given tests, or one is expected."""
    return bool(place.expected or (place.workers and place.open))
