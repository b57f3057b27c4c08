"""What the Filters drop-down, the quick filters and the line of filters in force show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness_guardian.enums import ERROR_LABELS, ErrorCode
from harness_guardian.fake.filtering import View, offered_statuses
from harness_guardian.fake.pages.addresses import SEVERAL
from harness_guardian.fake.pages.choices_shown import Choice
from harness_guardian.fake.row_view import shown_status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_guardian.enums import Status
    from harness_guardian.fake.pages.addresses import DevicesQuery
    from harness_guardian.fake.pages.visits import Visit
    from harness_guardian.fake.records import System

#: The two positions of the toggle (seed 'Manage device provisioning').
VIEW_TEXTS = {
    View.CURRENT: "Current provisioning status",
    View.HISTORY: "All statuses the devices have moved through",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """The Filters drop-down.

    :ivar count: how many filters are in force besides the system.
    """

    count: int
    systems: Sequence[Choice]
    instances: Sequence[Choice]
    components: Sequence[Choice]
    hw_id: str
    views: Sequence[Choice]
    statuses: Sequence[Choice]
    provisioned_from: str
    provisioned_to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickFilters:
    """The drop-downs above the table.

    :ivar kept: names and values of what they leave as it is.
    """

    systems: Sequence[Choice]
    statuses: Sequence[Choice]
    kept: Sequence[tuple[str, str]]


def selected_system(visit: Visit, query: DevicesQuery) -> System | None:
    """Return the system that is viewed: the one asked for, or the only one that there is."""
    systems = visit.systems
    if not query.system and len(systems) == 1:
        return systems[0]
    return next((system for system in systems if system.name == query.system), None)


def fitting(query: DevicesQuery, system: System | None) -> DevicesQuery:
    """Return a query without what the selected system does not have: it was another one's filter."""
    if system is None:
        return type(query)()
    offered = set(offered_statuses(system.approval_type))
    named = {instance.name: instance.id for instance in system.instances.values()}
    instances = (named.get(value, value) for value in query.system_instances)
    return replace(
        query,
        system=system.name,
        system_instances=tuple(value for value in instances if value in system.instances),
        components=tuple(value for value in query.components if value in system.components),
        statuses=tuple(value for value in query.statuses if value in offered),
    )


def filters_of(visit: Visit, query: DevicesQuery, system: System | None) -> Filters:
    """Return the Filters drop-down."""
    instances = sorted(system.instances.values(), key=lambda each: each.name) if system else []
    components = sorted(system.components) if system else []
    return Filters(
        count=len(query.narrowing()),
        systems=_systems(visit, query),
        instances=[
            Choice(value=each.id, text=each.name, chosen=each.id in query.system_instances)
            for each in instances
        ],
        components=[Choice(value=name, text=name, chosen=name in query.components) for name in components],
        hw_id=query.hw_id,
        views=[
            Choice(value=view.value, text=text, chosen=query.view == view)
            for view, text in VIEW_TEXTS.items()
        ],
        statuses=_statuses(visit, query, system),
        provisioned_from=query.provisioned_from,
        provisioned_to=query.provisioned_to,
    )


def quick_filters_of(visit: Visit, query: DevicesQuery, system: System | None) -> QuickFilters:
    """Return the quick filters; several statuses chosen elsewhere stay chosen until one is chosen here."""
    statuses = _statuses(visit, query, system)
    several = len(query.statuses) > 1
    if several:
        statuses = [replace(choice, chosen=False) for choice in statuses]
        statuses.insert(0, Choice(value=SEVERAL, text=f"Several ({len(query.statuses)})", chosen=True))
    left_out = {"system", "page"} if several else {"system", "page", "status"}
    return QuickFilters(
        systems=_systems(visit, query),
        statuses=statuses,
        kept=[(name, value) for name, value in query.pairs() if name not in left_out],
    )


def chips_of(visit: Visit, query: DevicesQuery, system: System | None) -> list[str]:
    """Return what is said of the filters in force."""
    if system is None:
        return []
    said = [f"System instance: {system.instances[each].name}" for each in query.system_instances]
    said += [f"Component name: {name}" for name in query.components]
    if query.hw_id:
        said.append(f"Device hardware ID: {query.hw_id}")
    if query.view == View.HISTORY:
        said.append(VIEW_TEXTS[View.HISTORY])
    said += [f"Provisioning status: {each.text}" for each in _statuses(visit, query, system) if each.chosen]
    if query.provisioned_from or query.provisioned_to:
        first, last = query.provisioned_from or "the beginning", query.provisioned_to or "today"
        said.append(f"Provisioned on: {first} to {last}")
    return said


def _systems(visit: Visit, query: DevicesQuery) -> list[Choice]:
    return [
        Choice(value=system.name, text=system.name, chosen=system.name == query.system)
        for system in visit.systems
    ]


def _statuses(visit: Visit, query: DevicesQuery, system: System | None) -> list[Choice]:
    """Return the statuses that the approval type of the system has."""
    offered = offered_statuses(system.approval_type if system is not None else None)
    return [
        Choice(value=each.value, text=_status_text(visit, each), chosen=each in query.statuses)
        for each in offered
    ]


def _status_text(visit: Visit, status: Status | ErrorCode) -> str:
    if isinstance(status, ErrorCode):
        return ERROR_LABELS[status]
    return shown_status(status, None, visit.service.choices)
