"""Which requests a filter lets through, and which rows they become (guardian fact sheet, section 5).

AND between filters, OR inside one. In the history view a request matches by any status it has passed, and
what it passed becomes rows. Pure: nothing here knows a store, a user or a door.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, tzinfo
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from harness_guardian.enums import ApprovalType, ErrorCode, Status
from harness_guardian.fake.dates import local_day

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


class View(StrEnum):
    """What the toggle of the provisioning details shows."""

    CURRENT = "current"
    HISTORY = "history"


class Passed(Protocol):
    """One status that a request has passed, or has now."""

    @property
    def status(self) -> Status:
        """The status."""

    @property
    def error_code(self) -> ErrorCode | None:
        """Which error, when it is one."""

    @property
    def at(self) -> float:
        """When, in seconds since the epoch."""


class Filterable(Protocol):
    """What of a request filters look at."""

    @property
    def system_name(self) -> str:
        """Name of the system."""

    @property
    def system_instance_name(self) -> str:
        """Name of the system instance."""

    @property
    def system_instance_id(self) -> str:
        """Id of the system instance."""

    @property
    def component_name(self) -> str:
        """Name of the component."""

    @property
    def hw_id(self) -> str:
        """Hardware id of the device."""

    @property
    def history(self) -> Sequence[Passed]:
        """What it passed, oldest first; the last one is what it is now."""


Request = TypeVar("Request", bound=Filterable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What is to be seen; whatever is empty filters nothing.

    :ivar system: name of the system.
    :ivar system_instances: names or ids of its instances.
    :ivar components: names of components.
    :ivar hw_id: one hardware id, whole.
    :ivar statuses: slugs of :class:`Status` and codes of :class:`ErrorCode`; the slug ``error`` is any error.
    :ivar provisioned_from: first day of those that were provisioned, inclusive.
    :ivar provisioned_to: last day, inclusive.
    :ivar zone: of which these days are, the zone of the display.
    """

    system: str | None = None
    system_instances: frozenset[str] = frozenset()
    components: frozenset[str] = frozenset()
    hw_id: str | None = None
    statuses: frozenset[str] = frozenset()
    view: View = View.CURRENT
    provisioned_from: date | None = None
    provisioned_to: date | None = None
    zone: tzinfo = UTC

    def predicate(self) -> Callable[[Filterable], bool]:
        """Return what tells whether a request is to be seen."""
        checks = self._checks()
        return lambda request: all(check(request) for check in checks)

    def _checks(self) -> list[Callable[[Filterable], bool]]:
        """Return a check for each filter that is set; all of them must hold."""
        checks: list[Callable[[Filterable], bool]] = []
        if self.system is not None:
            checks.append(lambda request: request.system_name == self.system)
        if self.system_instances:
            checks.append(self._is_of_an_instance)
        if self.components:
            checks.append(lambda request: request.component_name in self.components)
        if self.hw_id is not None:
            checks.append(lambda request: request.hw_id == self.hw_id)
        if self.statuses:
            checks.append(self._has_a_status)
        if self.provisioned_from is not None or self.provisioned_to is not None:
            checks.append(self._was_provisioned_then)
        return checks

    def _is_of_an_instance(self, request: Filterable) -> bool:
        wanted = self.system_instances
        return request.system_instance_name in wanted or request.system_instance_id in wanted

    def _has_a_status(self, request: Filterable) -> bool:
        seen = request.history if self.view is View.HISTORY else request.history[-1:]
        return any(self.names(passed) for passed in seen)

    def names(self, passed: Passed) -> bool:
        """Tell whether the filter's statuses have this one; they have every one when there are none."""
        return not self.statuses or passed.status in self.statuses or passed.error_code in self.statuses

    def _was_provisioned_then(self, request: Filterable) -> bool:
        first, last = self.provisioned_from or date.min, self.provisioned_to or date.max
        return any(
            first <= local_day(passed.at, self.zone) <= last
            for passed in request.history
            if passed.status is Status.PROVISIONED
        )


@dataclass(frozen=True, slots=True)
class Row(Generic[Request]):
    """One row of a list.

    :ivar request: what it is about.
    :ivar passed: the status that it shows; the last one of the request unless the view is the history.
    :ivar index: which of the request's history that is, from 0.
    """

    request: Request
    passed: Passed
    index: int

    @property
    def is_current(self) -> bool:
        """Whether it shows the request as it is now."""
        return self.index == len(self.request.history) - 1


def rows(wanted: Filter, requests: Iterable[Request], *, all_passed: bool = True) -> Iterator[Row[Request]]:
    """Return the rows of a list, in the order of the requests and in each in the order it passed them.

    :param all_passed: whether in the history view every passed status of a request that matches is a row, or
        only those that match.
    """
    matches = wanted.predicate()
    for request in requests:
        if not matches(request):
            continue
        last = len(request.history) - 1
        for index in range(last + 1) if wanted.view is View.HISTORY else (last,):
            passed = request.history[index]
            if wanted.view is View.CURRENT or all_passed or wanted.names(passed):
                yield Row(request, passed, index)


#: What no user decides, so no user is asked, in an Automatic system; and the other way round.
_OF_ONE_TYPE = {
    ApprovalType.AUTOMATIC: frozenset({Status.AUTO_APPROVED}),
    ApprovalType.MANUAL: frozenset(
        {
            Status.NEEDS_APPROVAL,
            Status.APPROVING,
            Status.COMPLETE_PROVISIONING,
            Status.REJECTING,
            Status.REJECTED_BY_USER,
        }
    ),
}


def offered_statuses(approval_type: ApprovalType | None) -> tuple[Status | ErrorCode, ...]:
    """Return what the status filter offers, in the order of the state machine; errors by their codes.

    :param approval_type: of the system that is viewed; ``None`` when it is not one system alone.
    """
    others = (
        frozenset().union(*(own for kind, own in _OF_ONE_TYPE.items() if kind is not approval_type))
        if approval_type is not None
        else frozenset()
    )
    statuses = [status for status in Status if status is not Status.ERROR and status not in others]
    return (*statuses, *ErrorCode)
