"""Filters of the Devices page: AND between them, OR inside one, of what is now or of all that was passed.

Seed 'Manage device provisioning': filter devices; guardian fact sheet, section 5.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from harness_guardian.enums import ApprovalType, ErrorCode, Status
from harness_guardian.peers import SENSOR, make_peers

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard
    from harness_guardian.peers import Peer

pytestmark = pytest.mark.board(driver="guardian-component")

STATUSES = pytest.mark.backend(needs={"exact-status"})
NO_FILTERS = (
    "status=lost",
    "view=yesterday",
    "provisioned_from=21%20Nov%202026",
    "provisioned_to=2026-02-30",
    "tz=Nowhere/Else",
    "limit=0",
    "limit=many",
    "after=nothing",
    "system=a&system=b",
    "color=red",
)
VALVE = replace(SENSOR, name="valve")
WARDS = ("Ward A", "Ward B", "Ward C")


@dataclass(frozen=True, kw_only=True)
class Ward:
    """A system with devices in several instances and states.

    :ivar waiting: a sensor in Ward A that needs approval.
    :ivar rejected: a valve in Ward A that was rejected.
    :ivar own: the board: a valve in Ward B that needs approval.
    """

    system: Any
    waiting: Peer
    rejected: Peer
    own: Peer

    def found(self, **filters: Any) -> set[str]:
        """Return which of the three a filter lets through, by these names."""
        ids = {row.id for row in self.system.rows(**filters)}
        names = {"waiting": self.waiting, "rejected": self.rejected, "own": self.own}
        assert ids <= {peer.id for peer in names.values()}
        return {name for name, peer in names.items() if peer.id in ids}


@pytest.fixture
def ward(board: LeasedBoard, guardian: Any) -> Ward:
    """Three devices in two instances; a third instance is empty."""
    system = guardian.create_system(approval=ApprovalType.MANUAL, components=[SENSOR, VALVE], instances=WARDS)
    (waiting,) = make_peers(board, system, 1, component=SENSOR.name)
    (rejected,) = make_peers(board, system, 1, component=VALVE.name)
    (own,) = make_peers(board, system, 1, component=VALVE.name, instance=1)
    for peer in (waiting, rejected, own):
        guardian.anonymous.submit(peer.request.content)
    for peer in (waiting, rejected, own):
        guardian.wait_for(peer.id, Status.NEEDS_APPROVAL)
    guardian.reject(rejected.id)
    guardian.wait_until_final(rejected.id)
    return Ward(system=system, waiting=waiting, rejected=rejected, own=own)


def says(board: LeasedBoard, peer: Peer) -> bool:
    """Tell whether the board says that it is that device, and that this is its request."""
    status = board.driver.status()
    return bool(status.hw_id == peer.hw_id and status.request_id == peer.id)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        pytest.param(
            {}, {"waiting", "rejected", "own"}, marks=pytest.mark.proves("filter", "none: all"), id="none"
        ),
        pytest.param(
            {"system_instance": "Ward A"},
            {"waiting", "rejected"},
            marks=pytest.mark.proves("filter", "system instance: one"),
            id="one instance",
        ),
        pytest.param(
            {"system_instance": ["Ward A", "Ward B"]},
            {"waiting", "rejected", "own"},
            marks=pytest.mark.proves("filter", "system instance: several, any of them"),
            id="several instances",
        ),
        pytest.param(
            {"system_instance": "Ward C"},
            set(),
            marks=pytest.mark.proves("filter", "system instance: one without devices"),
            id="an empty instance",
        ),
        pytest.param(
            {"component": "sensor"},
            {"waiting"},
            marks=pytest.mark.proves("filter", "component name: one"),
            id="one component",
        ),
        pytest.param(
            {"component": ["sensor", "valve"]},
            {"waiting", "rejected", "own"},
            marks=pytest.mark.proves("filter", "component name: several, any of them"),
            id="several components",
        ),
        pytest.param(
            {"status": "needs_approval"},
            {"waiting", "own"},
            marks=pytest.mark.proves("filter", "provisioning status: one"),
            id="one status",
        ),
        pytest.param(
            {"status": ["needs_approval", "rejected_by_user"]},
            {"waiting", "rejected", "own"},
            marks=pytest.mark.proves("filter", "provisioning status: several, any of them"),
            id="several statuses",
        ),
        pytest.param(
            {"status": "provisioned"},
            set(),
            marks=pytest.mark.proves("filter", "provisioning status: one that nobody has"),
            id="nobody's status",
        ),
        pytest.param(
            {"system_instance": "Ward A", "component": "valve"},
            {"rejected"},
            marks=pytest.mark.proves("filter", "instance and component: both"),
            id="instance and component",
        ),
        pytest.param(
            {"component": "valve", "status": "needs_approval"},
            {"own"},
            marks=pytest.mark.proves("filter", "component and status: both"),
            id="component and status",
        ),
        pytest.param(
            {"system_instance": ["Ward A", "Ward B"], "component": "valve", "status": "needs_approval"},
            {"own"},
            marks=pytest.mark.proves("filter", "three filters: all of them"),
            id="three filters",
        ),
        pytest.param(
            {"system_instance": "Ward B", "component": "sensor"},
            set(),
            marks=pytest.mark.proves("filter", "two filters that nobody fits"),
            id="nobody fits both",
        ),
    ],
)
def test_filters(board: LeasedBoard, ward: Ward, filters: dict[str, Any], found: set[str]) -> None:
    """A device is shown when it fits each filter, and it fits one by any of its values."""
    assert ward.found(**filters) == found
    assert says(board, ward.own)


@pytest.mark.proves("filter", "device hardware ID: the one device")
def test_hardware_id(board: LeasedBoard, ward: Ward) -> None:
    """What the board says is its hardware id finds the board alone; a part of it finds nobody."""
    hw_id = board.driver.identity().hw_id

    assert ward.found(hw_id=hw_id) == {"own"}
    assert ward.found(hw_id=hw_id[:-1]) == set()
    assert ward.found(hw_id=hw_id, status="rejected_by_user") == set()


@pytest.mark.proves("filter", "system instance: by its id")
def test_instance_by_id(board: LeasedBoard, ward: Ward) -> None:
    """The id that the board says it is in finds it, as the name does."""
    assert ward.found(system_instance=board.driver.status().instance) == {"own"}


@pytest.mark.proves("filter", "all statuses: a device that passed one of them")
def test_all_statuses(board: LeasedBoard, ward: Ward) -> None:
    """With the toggle a device fits by what it passed; without it by what it is."""
    assert ward.found(status="needs_approval", view="history") == {"waiting", "rejected", "own"}
    assert ward.found(status="needs_approval", view="current") == {"waiting", "own"}
    assert ward.found(status="rejecting", view="history") == {"rejected"}
    assert ward.found(status="rejecting") == set()
    assert says(board, ward.own)


@STATUSES
@pytest.mark.proves("filter", "all statuses: a row for each")
def test_each_passed_status_is_a_row(board: LeasedBoard, guardian: Any, ward: Ward) -> None:
    """The rows of a device are its history in order, with its texts; the current view has one row."""
    rows = ward.system.rows(hw_id=ward.rejected.hw_id, view="history")
    history = guardian.history(ward.rejected.id)

    assert [row.status for row in reversed(rows)] == [entry.status for entry in history]
    assert {row.provisioning_status for row in rows} == {entry.text for entry in history}
    assert [row.status for row in ward.system.rows(hw_id=ward.rejected.hw_id)] == [Status.REJECTED_BY_USER]
    assert says(board, ward.own)


@pytest.mark.proves("filter", "all statuses and a component: both")
def test_history_and_another_filter(board: LeasedBoard, ward: Ward) -> None:
    """What the toggle shows is filtered by everything else as well."""
    assert ward.found(view="history", status="needs_approval", system_instance="Ward B") == {"own"}
    assert says(board, ward.own)


@pytest.mark.proves("filter", "an error by its code")
def test_error_code(board: LeasedBoard, guardian: Any, ward: Ward) -> None:
    """A device that failed is found by the code of its error, and by any error."""
    board.driver.initialize(VALVE.name, ward.own.hw_id, ward.system.instance(0).id)
    again = board.driver.make_request()
    guardian.approve(ward.own.id)
    guardian.wait_for(ward.own.id, Status.COMPLETE_PROVISIONING)
    board.driver.submit()
    failed = guardian.wait_until_final(again.request_id)

    code = ErrorCode.DUPLICATE_HW_ID_FAILURE
    assert failed.error_code is code
    for status in (code.value, "error"):
        assert [row.id for row in ward.system.rows(status=status)] == [failed.id]
    assert ward.system.rows(status=ErrorCode.MAX_INSTANCE_FAILURE.value) == []


@pytest.fixture
def provisioned(board: LeasedBoard, guardian: Any, ward: Ward) -> datetime:
    """When the board was provisioned; it has installed its profile."""
    guardian.approve(ward.own.id)
    guardian.wait_for(ward.own.id, Status.COMPLETE_PROVISIONING)
    guardian.provision(ward.own.id)
    moment: datetime = guardian.wait_until_final(ward.own.id).provisioned_on
    board.driver.install(guardian.certified_profile(ward.own.id).encode())
    return moment


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [
        pytest.param(
            0, 0, True, marks=pytest.mark.proves("filter", "provisioned on: that day"), id="that day"
        ),
        pytest.param(-1, 1, True, marks=pytest.mark.proves("filter", "provisioned on: around"), id="around"),
        pytest.param(None, 0, True, marks=pytest.mark.proves("filter", "provisioned on: until"), id="until"),
        pytest.param(0, None, True, marks=pytest.mark.proves("filter", "provisioned on: from"), id="from"),
        pytest.param(1, None, False, marks=pytest.mark.proves("filter", "provisioned on: later"), id="later"),
        pytest.param(
            None, -1, False, marks=pytest.mark.proves("filter", "provisioned on: earlier"), id="earlier"
        ),
    ],
)
def test_provisioned_on(
    board: LeasedBoard,
    ward: Ward,
    provisioned: datetime,
    first: int | None,
    last: int | None,
    found: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    """Days count from their beginning to their end; a device that was never provisioned fits none."""

    def day(offset: int | None) -> str | None:
        if offset is None:
            return None
        return (provisioned.astimezone(UTC) + timedelta(days=offset)).strftime("%Y-%m-%d")

    filters = {"provisioned_from": day(first), "provisioned_to": day(last)}
    assert ward.found(**filters) == ({"own"} if found else set())
    assert board.driver.status().state == "provisioned"


@STATUSES
@pytest.mark.proves("filter", "provisioned on: days of the zone of the display")
def test_days_of_the_zone(board: LeasedBoard, ward: Ward, provisioned: datetime) -> None:
    """The day is the one that the user's zone has at that moment: a day later far enough in the east."""
    moment = provisioned.astimezone(UTC)
    hours = 24 - moment.hour if moment.hour > 10 else -(moment.hour + 1)
    there = (moment + timedelta(hours=hours)).strftime("%Y-%m-%d")
    zone = f"{'+' if hours > 0 else '-'}{abs(hours):02d}:00"

    assert there != moment.strftime("%Y-%m-%d")
    assert ward.found(provisioned_from=there, provisioned_to=there) == set()
    assert ward.found(provisioned_from=there, provisioned_to=there, tz=zone) == {"own"}
    assert board.driver.snapshot().provisioned


@pytest.mark.proves("filter", "system name: exactly one")
def test_one_system_at_a_time(board: LeasedBoard, guardian: Any, ward: Ward) -> None:
    """A list is of one system; what is in another one is not in it."""
    other = guardian.create_system(approval=ApprovalType.MANUAL, components=[SENSOR])
    (there,) = make_peers(board, other, 1, component=SENSOR.name)
    guardian.anonymous.submit(there.request.content)
    guardian.wait_for(there.id, Status.NEEDS_APPROVAL)

    assert [row.id for row in other.rows()] == [there.id]
    assert ward.found() == {"waiting", "rejected", "own"}
    assert board.driver.status().system == other.name


@STATUSES
@pytest.mark.proves("list", "400 for a filter that does not fit")
def test_bad_filter(board: LeasedBoard, guardian: Any, ward: Ward) -> None:
    """A filter that nobody knows, or a value that is none of its kind, is refused and not passed over."""
    for query in NO_FILTERS:
        answer = guardian.raw.request("GET", f"/provisioning-requests?system={ward.system.name}&{query}")

        assert answer.status_code == 400, query
        assert answer.headers["content-type"].startswith("application/problem+json"), query
    assert says(board, ward.own)


@STATUSES
@pytest.mark.proves("list", "200, page by page")
def test_pages(board: LeasedBoard, guardian: Any, ward: Ward) -> None:
    """Pages of two make the same list as one, newest first, and each tells how many there are in all."""
    first = guardian.page(system=ward.system.name, limit=2)
    second = guardian.page(system=ward.system.name, limit=2, after=first.next)

    assert (first.total, second.total, second.next) == (3, 3, None)
    assert [row.id for row in first.items + second.items] == [row.id for row in ward.system.rows()]
    assert first.items[0].id == ward.own.id
    assert says(board, ward.own)
