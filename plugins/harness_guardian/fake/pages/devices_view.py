"""What the Devices page shows: counts and rows, all from the functions behind the REST interface."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness_guardian.enums import COLUMN_TITLES, Action, ApprovalType, Role
from harness_guardian.fake.filtering import rows
from harness_guardian.fake.pages.addresses import REPORT, DevicesQuery, local_address
from harness_guardian.fake.pages.choices_shown import Choice
from harness_guardian.fake.pages.device_rows import DeviceRow, device_row, watch_address
from harness_guardian.fake.pages.wording import WORDS
from harness_guardian.fake.queries import read_filter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_guardian.fake.filtering import Filter, Row
    from harness_guardian.fake.pages.visits import Visit
    from harness_guardian.fake.records import ProvisioningRequest, System


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkLink:
    """A link of the toolbar.

    :ivar address: of its confirmation panel; empty when it counts nothing.
    """

    action: str
    text: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """Where in the list the page is; addresses of its neighbours, empty where there is none."""

    text: str
    previous: str
    next: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What matches a query.

    :ivar matching: the requests under the filter, oldest first.
    :ivar lines: the rows that they become, in the order of the page.
    """

    matching: Sequence[ProvisioningRequest]
    lines: Sequence[Row[ProvisioningRequest]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The table of the Devices page and what belongs to it.

    :ivar shown: the columns that are seen.
    :ivar nothing: what stands there instead of rows.
    :ivar watch: what is asked for the next change.
    """

    shown: Sequence[Choice]
    rows: Sequence[DeviceRow]
    paging: Paging | None
    nothing: str
    watch: str
    bulk: Sequence[BulkLink]
    subtitle: str
    export_all: str


def filter_of(visit: Visit, query: DevicesQuery) -> Filter:
    """Return the filter of a query: read as the REST interface reads it, days in the zone of the display.

    :raises Refused: a value is none of its kind.
    """
    parameters: dict[str, list[str]] = {}
    for name, value in query.filters():
        parameters.setdefault(name, []).append(value)
    return replace(read_filter(parameters), zone=visit.zone)


def listed(visit: Visit, wanted: Filter) -> Listed:
    """Return what the user sees under a filter."""
    matches = wanted.predicate()
    choices = visit.service.choices
    seen = [request for request in visit.service.visible(visit.user, wanted.system) if matches(request)]
    lines = list(rows(wanted, seen, all_passed=choices.passed_rows_all))
    return Listed(matching=seen, lines=lines[::-1] if choices.newest_first else lines)


def waiting_for(
    visit: Visit, action: Action, matching: Sequence[ProvisioningRequest]
) -> list[ProvisioningRequest]:
    """Return the requests that an action is possible for: those that a link of the toolbar counts."""
    return [
        request for request in matching if action in visit.service.actions(visit.user, visit.door, request)
    ]


def table(visit: Visit, query: DevicesQuery, system: System | None, found: Listed) -> Table:
    """Return the table for a query.

    :param system: the selected one.
    :param found: what is under its filter.
    """
    columns = visit.chooser.of(visit.user)
    size = visit.service.choices.page_size
    last = max(1, -(-len(found.lines) // size))
    number = min(query.page, last)
    begin = (number - 1) * size
    lines = found.lines[begin : begin + size]
    return Table(
        shown=[Choice(value=column.value, text=COLUMN_TITLES[column]) for column in columns],
        rows=[device_row(visit, line, columns) for line in lines],
        paging=_paging(query.at_page(number), begin, len(lines), len(found.lines), last) if lines else None,
        nothing=_nothing(visit, query, system),
        watch=watch_address(line.request for line in lines),
        bulk=_bulk_links(visit, query, system, found.matching),
        subtitle=_subtitle(system, len(found.lines)),
        export_all=local_address(
            REPORT, [("scope", "all"), *([("system", system.name)] if system is not None else [])]
        ),
    )


def _paging(query: DevicesQuery, begin: int, count: int, total: int, last: int) -> Paging:
    """Return where a page is.

    :param query: of this page.
    :param last: number of the last page.
    """
    return Paging(
        text=f"{begin + 1:,} to {begin + count:,} of {total:,}",
        previous=query.at_page(query.page - 1).address if query.page > 1 else "",
        next=query.at_page(query.page + 1).address if query.page < last else "",
    )


def _nothing(visit: Visit, query: DevicesQuery, system: System | None) -> str:
    if system is None:
        return "Select system name to see its devices." if visit.systems else "There is no system yet."
    if query.narrowing():
        return "No device matches these filters."
    return "No provisioning request has come in for this system yet."


def _subtitle(system: System | None, count: int) -> str:
    if system is None:
        return "No system selected"
    return f"{system.name}: {count:,} {'row' if count == 1 else 'rows'}, approval type {system.approval_type}"


def _bulk_links(
    visit: Visit, query: DevicesQuery, system: System | None, matching: Sequence[ProvisioningRequest]
) -> list[BulkLink]:
    """Return the links of the toolbar: to those who may act, where users are asked at all."""
    if visit.user.role is not Role.ADMIN or system is None:
        return []
    if system.approval_type is not ApprovalType.MANUAL:
        return []
    counts = {action: len(waiting_for(visit, action, matching)) for action in Action}
    return [
        BulkLink(
            action=action.value,
            text=WORDS[action].many.format(count),
            address=query.asking("bulk", action.value) if count else "",
        )
        for action, count in counts.items()
    ]
