"""How dates are shown: two settings of each user, independent of each other, which apply at once.

Seed 'Manage device provisioning': change date formatting; guardian fact sheet, section 7. What the pages make
of them is tried where the pages are.
"""

from __future__ import annotations

import re
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from harness_guardian.enums import Status
from harness_guardian.peers import SENSOR, initialise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.inventory.leased_board import LeasedBoard

pytestmark = [
    pytest.mark.board(driver="guardian-component"),
    # Elsewhere than on a fake all workers are the same users: no two may change their settings at once.
    pytest.mark.keep_together("settings of the users"),
]

STATUSES = pytest.mark.backend(needs={"exact-status"})
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture
def request_id(board: LeasedBoard, guardian: Any) -> str:
    """A request by which the board was provisioned."""
    system = guardian.create_system(components=[SENSOR])
    initialise(board, system, component=SENSOR.name)
    assert board.driver.provision().ok
    (row,) = system.rows()
    return str(row.id)


@pytest.fixture(autouse=True)
def settings_stay(guardian: Any) -> Iterator[None]:
    """Put the settings of both users back."""
    users = [guardian, guardian.limited]
    before = [user.settings() for user in users]
    yield
    for user, was in zip(users, before, strict=True):
        user.change_settings(iso=was.iso, local_time=was.local_time)


def is_provisioned(board: LeasedBoard, guardian: Any, request_id: str) -> bool:
    """Tell whether board and service agree that it is."""
    row = guardian.request(request_id)
    told = board.driver.status().response_id
    return bool(row.status is Status.PROVISIONED and row.response_id == told)


@pytest.mark.backend(needs={"roles"})
@pytest.mark.proves("settings", "UTC and dd mmm yyyy by default")
def test_default(board: LeasedBoard, guardian: Any, request_id: str) -> None:
    """Whoever never changed anything sees UTC, and no ISO format."""
    fresh = guardian.new_user("Reporter").settings()

    assert (fresh.iso, fresh.local_time) == (False, False)
    assert is_provisioned(board, guardian, request_id)


@pytest.mark.parametrize(("iso", "local_time"), [(True, False), (False, True), (True, True), (False, False)])
@pytest.mark.proves("settings", "each toggle by itself, kept at once")
def test_toggles(
    board: LeasedBoard,
    guardian: Any,
    request_id: str,
    iso: bool,  # noqa: FBT001 - a toggle
    local_time: bool,  # noqa: FBT001 - a toggle
) -> None:
    """Each toggle keeps what it was set to, whatever the other one is."""
    told = guardian.change_settings(iso=iso, local_time=local_time)
    kept = guardian.settings()
    guardian.change_settings(iso=not iso)

    assert (told.iso, told.local_time) == (kept.iso, kept.local_time) == (iso, local_time)
    assert (guardian.settings().iso, guardian.settings().local_time) == (not iso, local_time)
    assert is_provisioned(board, guardian, request_id)


@pytest.mark.backend(needs={"appliance"})
@pytest.mark.proves("settings", "each user's own")
def test_settings_of_each_user(board: LeasedBoard, guardian: Any, request_id: str) -> None:
    """What one user changes, another does not see; at the appliance's door a user has the same ones."""
    before = guardian.limited.settings()
    guardian.change_settings(iso=not before.iso, local_time=not before.local_time)

    assert guardian.limited.settings() == before
    assert guardian.appliance.settings() == guardian.settings()
    assert is_provisioned(board, guardian, request_id)


@pytest.mark.proves("settings", "what programs read does not change")
def test_programs_read_the_same(board: LeasedBoard, guardian: Any, request_id: str) -> None:
    """Dates in JSON are RFC 3339 in UTC with milliseconds, however a user wants to see them."""
    before = guardian.raw.request("GET", f"/provisioning-requests/{request_id}").json()
    guardian.change_settings(iso=True, local_time=True)
    after = guardian.raw.request("GET", f"/provisioning-requests/{request_id}").json()

    assert after == before
    dates = [value for name, value in after.items() if name.endswith("_on") and value]
    assert len(dates) == 5  # component instance, request, response, approval, provisioning
    assert all(RFC3339.fullmatch(value) for value in dates)
    assert is_provisioned(board, guardian, request_id)


@STATUSES
@pytest.mark.proves("settings", "400 for what is none: nothing changes")
def test_no_settings(board: LeasedBoard, guardian: Any, request_id: str) -> None:
    """What does not say both toggles changes neither."""
    before = guardian.settings()

    bodies: list[Any] = [{}, {"iso": True}, {"iso": "yes", "local_time": False}, [], 1]
    for body in [*bodies, {"iso": True, "local_time": None}]:
        assert guardian.raw.request("PUT", "/me/settings", json=body).status_code == 400, body
        assert guardian.settings() == before, body
    assert is_provisioned(board, guardian, request_id)


@pytest.mark.backend(needs={"faults"})
@pytest.mark.proves("dates", "the columns have the service's time")
def test_columns_have_the_services_time(board: LeasedBoard, guardian: Any) -> None:
    """With the service's clock a day ahead, what it does is dated a day ahead; the board's request is not."""
    system = guardian.create_system(components=[SENSOR])
    initialise(board, system, component=SENSOR.name)
    made = board.driver.make_request()
    guardian.submit(made.content)
    early = guardian.wait_until_final(made.request_id)
    board.driver.install(guardian.certified_profile(made.request_id).encode())
    guardian.shift_clock(24 * 3600)
    again = board.driver.make_request(reprovision=True)
    guardian.submit(again.content)
    late = guardian.wait_until_final(again.request_id)
    guardian.shift_clock(0)

    between = late.provisioned_on.astimezone(UTC) - early.provisioned_on.astimezone(UTC)
    assert timedelta(hours=24) <= between < timedelta(hours=25)
    assert board.driver.status().response_id == early.response_id
