"""Filters against a model that knows nothing but sets, and by literal cases."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness_guardian.enums import ApprovalType, ErrorCode, Status
from harness_guardian.fake.filtering import Filter, View, offered_statuses, rows

if TYPE_CHECKING:
    from collections.abc import Sequence

NOON = calendar.timegm((2026, 11, 21, 12, 0, 0))
DAY = 86_400
OSLO = ZoneInfo("Europe/Oslo")


@dataclass(frozen=True)
class Step:
    """One status that was passed."""

    status: Status
    error_code: ErrorCode | None = None
    at: float = NOON


@dataclass(frozen=True)
class Request:
    """A request as filters see it."""

    history: Sequence[Step]
    system_name: str = "S"
    system_instance_name: str = "Ward A"
    system_instance_id: str = "id-a"
    component_name: str = "pump"
    hw_id: str = "1"


WAITING = Request([Step(Status.VERIFYING), Step(Status.NEEDS_APPROVAL)])
DONE = Request([Step(Status.VERIFYING), Step(Status.AUTO_APPROVED), Step(Status.PROVISIONED)], hw_id="2")
FAILED = Request([Step(Status.VERIFYING), Step(Status.ERROR, ErrorCode.APPLIANCE_ONLY)], hw_id="3")
ALL = [WAITING, DONE, FAILED]


def seen(requests: Sequence[Request] = ALL, **wanted: Any) -> list[str]:
    """Return the hardware ids that a filter shows, a row each."""
    return [row.request.hw_id for row in rows(Filter(**wanted), requests)]


def of(*statuses: str) -> frozenset[str]:
    """Make a set of statuses."""
    return frozenset(statuses)


def test_nothing_is_filtered_without_filters() -> None:
    """Every request is a row, with the status that it has now."""
    assert [(row.request, row.passed.status, row.is_current) for row in rows(Filter(), ALL)] == [
        (WAITING, Status.NEEDS_APPROVAL, True),
        (DONE, Status.PROVISIONED, True),
        (FAILED, Status.ERROR, True),
    ]


def test_or_inside_one_filter() -> None:
    """Of several values of one filter any will do."""
    assert seen(statuses=of("needs_approval", "provisioned")) == ["1", "2"]


def test_and_between_filters() -> None:
    """Each filter has to let a request through."""
    assert seen(statuses=of("needs_approval", "provisioned"), hw_id="2") == ["2"]
    assert seen(statuses=of("needs_approval"), hw_id="2") == []


@pytest.mark.parametrize(
    ("filters", "shown"),
    [
        ({"system": "S"}, True),
        ({"system": "s"}, False),
        ({"system_instances": of("Ward A")}, True),
        ({"system_instances": of("id-a", "other")}, True),
        ({"system_instances": of("Ward")}, False),
        ({"components": of("pump", "monitor")}, True),
        ({"components": of("monitor")}, False),
        ({"hw_id": "1"}, True),
        ({"hw_id": ""}, False),
    ],
)
def test_one_filter(filters: dict[str, Any], shown: bool) -> None:  # noqa: FBT001 - a parameter
    """System, instance by name or id, component, and a hardware id that is one whole one."""
    assert seen([WAITING], **filters) == (["1"] if shown else [])


def test_errors_by_code_and_all_of_them() -> None:
    """Each error is a status of its own; the slug ``error`` is any of them."""
    assert seen(statuses=of("APPLIANCE_ONLY")) == ["3"]
    assert seen(statuses=of("error")) == ["3"]
    assert seen(statuses=of("MAX_INSTANCE_FAILURE")) == []


def test_current_view_looks_at_the_last_status_only() -> None:
    """What a request was before does not count."""
    assert seen(statuses=of("verifying")) == []


def test_history_view_makes_every_passed_status_a_row() -> None:
    """A request that ever had the status is shown with all that it passed, and only the last is current."""
    shown = list(rows(Filter(statuses=of("auto_approved"), view=View.HISTORY), ALL))
    assert [(row.request.hw_id, row.passed.status, row.index, row.is_current) for row in shown] == [
        ("2", Status.VERIFYING, 0, False),
        ("2", Status.AUTO_APPROVED, 1, False),
        ("2", Status.PROVISIONED, 2, True),
    ]


def test_history_view_may_show_only_what_matches() -> None:
    """Which of the statuses become rows is a choice."""
    wanted = Filter(statuses=of("auto_approved"), view=View.HISTORY)
    assert [row.index for row in rows(wanted, ALL, all_passed=False)] == [1]


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [
        (None, None, True),
        (date(2026, 11, 21), date(2026, 11, 21), True),
        (date(2026, 11, 21), None, True),
        (date(2026, 11, 22), None, False),
        (None, date(2026, 11, 21), True),
        (None, date(2026, 11, 20), False),
        (date(2026, 11, 22), date(2026, 11, 20), False),
    ],
)
def test_provisioned_on(first: date | None, last: date | None, shown: bool) -> None:  # noqa: FBT001
    """Both days belong to the range; what was never provisioned is in none."""
    expected = ["2"] if shown else []
    if first is None and last is None:
        expected = ["1", "2", "3"]
    assert seen(provisioned_from=first, provisioned_to=last) == expected


def test_last_day_is_whole() -> None:
    """The last second of the last day belongs to it, the next one does not."""
    end = calendar.timegm((2026, 11, 21, 23, 59, 59))
    late = [Request([Step(Status.PROVISIONED, at=end + more)], hw_id=str(more)) for more in (0, 0.99, 1)]
    assert seen(late, provisioned_to=date(2026, 11, 21)) == ["0", "0.99"]


def test_days_are_those_of_the_display() -> None:
    """At 23:30 UTC it is the next day in Oslo, and that day counts."""
    request = Request([Step(Status.PROVISIONED, at=calendar.timegm((2026, 11, 21, 23, 30, 0)))])
    assert seen([request], provisioned_from=date(2026, 11, 22), zone=OSLO) == ["1"]
    assert seen([request], provisioned_from=date(2026, 11, 22)) == []
    assert seen([request], provisioned_to=date(2026, 11, 21), zone=OSLO) == []


def test_offered_statuses() -> None:
    """What a filter offers depends on who approves; errors are offered by their codes."""
    automatic, manual = (list(offered_statuses(kind)) for kind in reversed(ApprovalType))
    codes = list(ErrorCode)
    assert automatic == [
        Status.VERIFYING,
        Status.AUTO_APPROVED,
        Status.PROVISIONING,
        Status.PROVISIONED,
        Status.REJECTED_BY_SYSTEM,
        *codes,
    ]
    assert manual == [
        Status.VERIFYING,
        Status.NEEDS_APPROVAL,
        Status.APPROVING,
        Status.COMPLETE_PROVISIONING,
        Status.REJECTING,
        Status.PROVISIONING,
        Status.PROVISIONED,
        Status.REJECTED_BY_USER,
        Status.REJECTED_BY_SYSTEM,
        *codes,
    ]
    assert set(offered_statuses(None)) == {*automatic, *manual}


# Against a naive model ---------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "c"])
STEPS = st.builds(
    Step,
    st.sampled_from([Status.VERIFYING, Status.PROVISIONED, Status.ERROR]),
    st.sampled_from([ErrorCode.APPLIANCE_ONLY, ErrorCode.MAX_INSTANCE_FAILURE]),
    st.integers(NOON - 3 * DAY, NOON + 3 * DAY),
)
REQUESTS = st.lists(
    st.builds(Request, st.lists(STEPS, min_size=1, max_size=4), NAMES, NAMES, NAMES, NAMES, NAMES), max_size=6
)
DAYS = st.none() | st.dates(date(2026, 11, 18), date(2026, 11, 24))
SETS = st.frozensets(NAMES, max_size=2)
FILTERS = st.builds(
    Filter,
    system=st.none() | NAMES,
    system_instances=SETS,
    components=SETS,
    hw_id=st.none() | NAMES,
    statuses=st.frozensets(st.sampled_from(["verifying", "provisioned", "error", "APPLIANCE_ONLY"])),
    view=st.sampled_from(View),
    provisioned_from=DAYS,
    provisioned_to=DAYS,
    zone=st.sampled_from([OSLO, ZoneInfo("Asia/Kathmandu")]),
)


def expected(wanted: Filter, requests: Sequence[Request]) -> list[tuple[Request, int]]:
    """Say the same by sets of days and of words."""
    found = []
    for request in requests:
        words = [{step.status.value, step.error_code or ""} for step in request.history]
        current = words if wanted.view is View.HISTORY else words[-1:]
        days = set()
        for step in request.history:
            if step.status is Status.PROVISIONED:
                offset = datetime.fromtimestamp(step.at, wanted.zone).utcoffset() or timedelta()
                days.add((step.at + offset.total_seconds()) // DAY)
        first, last = (
            None if day is None else (day - date(1970, 1, 1)).days
            for day in (wanted.provisioned_from, wanted.provisioned_to)
        )
        early = {day for day in days if first is not None and day < first}
        late = {day for day in days if last is not None and day > last}
        ranged = first is not None or last is not None
        if (
            (wanted.system in {None, request.system_name})
            and (
                not wanted.system_instances
                or wanted.system_instances & {request.system_instance_name, request.system_instance_id}
            )
            and (not wanted.components or {request.component_name} <= wanted.components)
            and (wanted.hw_id in {None, request.hw_id})
            and (not wanted.statuses or any(wanted.statuses & either for either in current))
            and (not ranged or days - early - late)
        ):
            all_of_it = range(len(words)) if wanted.view is View.HISTORY else [len(words) - 1]
            found += [(request, index) for index in all_of_it]
    return found


@given(FILTERS, REQUESTS)
def test_filters_do_what_a_naive_model_does(wanted: Filter, requests: list[Request]) -> None:
    """Whatever is filtered for, rows are those that the model finds, in the same order."""
    assert [(row.request, row.index) for row in rows(wanted, requests)] == expected(wanted, requests)
