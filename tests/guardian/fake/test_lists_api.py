"""Lists, bulk calls and settings by the API (guardian fact sheet, sections 5 to 7 and 10.5)."""

from __future__ import annotations

import calendar
from typing import TYPE_CHECKING, Any

import pytest

from tests.guardian.fake.rest_site import BASE, REQUESTS, Site, SiteSystem, a_site, fixed_clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Half an hour before midnight in UTC: in Oslo the next day has begun.
LATE = float(calendar.timegm((2026, 11, 21, 23, 30, 0)))


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A fake whose transient statuses do not last."""
    with a_site() as site:
        yield site


@pytest.fixture(scope="module")
def system(site: Site) -> SiteSystem:
    """A system with three devices that wait, one in the other ward, and one that is provisioned."""
    system = site.system()
    for number in (1, 2):
        system.waiting(hw_id=f"SN-{number}")
    system.waiting(hw_id="SN-3", instance={"name": "Ward B"})
    system.provisioned(hw_id="SN-4")
    return system


def shown(system: SiteSystem, **parameters: Any) -> list[str]:
    """Return the last digits of the hardware ids that a list shows, sorted."""
    return sorted(row["device_hw_id"][-1] for row in system.rows(**parameters))


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, "1234"),
        ({"status": "needs_approval"}, "123"),
        ({"status": ["needs_approval", "provisioned"]}, "1234"),
        ({"status": "provisioned", "system_instance": "Ward B"}, ""),
        ({"system_instance": ["Ward B", "Ward A"]}, "1234"),
        ({"system_instance": "Ward B"}, "3"),
        ({"component": "pump"}, "1234"),
        ({"component": "other"}, ""),
        ({"hw_id": "SN-2"}, "2"),
        ({"hw_id": ""}, "1234"),
        ({"status": "APPLIANCE_ONLY"}, ""),
        ({"status": "error"}, ""),
        ({"provisioned_from": "2000-01-01"}, "4"),
        ({"provisioned_to": "2000-01-01"}, ""),
        ({"view": "history", "status": "approving"}, "444444"),
        ({"view": "current", "status": "approving"}, ""),
    ],
)
def test_filters(system: SiteSystem, parameters: dict[str, Any], expected: str) -> None:
    """Filters narrow a list: AND between them, OR inside one, current or passed statuses."""
    assert "".join(shown(system, **parameters)) == expected


def test_history_rows(system: SiteSystem) -> None:
    """Each passed status is a row that shows it; only the last one is as the request is now."""
    rows = system.rows(view="history", hw_id="SN-4")[::-1]
    assert [(row["status"], row["provisioning_status"]) for row in rows] == [
        ("verifying", "Verifying..."),
        ("needs_approval", "Needs approval"),
        ("approving", "Approving..."),
        ("complete_provisioning", "Complete provisioning"),
        ("provisioning", "Provisioning"),
        ("provisioned", "Provisioned"),
    ]
    assert [row["status_since"] for row in rows] == sorted(row["status_since"] for row in rows)
    assert rows[-1]["status_since"] == rows[-1]["provisioned_on"]
    waiting = system.rows(view="history", hw_id="SN-1")
    assert [row["actions"] for row in waiting] == [["approve", "reject"], []]


@pytest.mark.parametrize(
    "parameters",
    [
        {"status": "nothing"},
        {"view": "both"},
        {"provisioned_from": "21 Nov 2026"},
        {"provisioned_to": "2026-02-30"},
        {"tz": "Nowhere/Land"},
        {"limit": "0"},
        {"limit": "501"},
        {"limit": "x"},
        {"after": "x"},
        {"after": "\u00e5"},
        {"after": "YWZ0ZXI6"},
        {"systems": "typing error"},
        {"hw_id": ["1", "2"]},
        {"component": [str(number) for number in range(201)]},
    ],
)
def test_no_filter(site: Site, parameters: dict[str, Any]) -> None:
    """What filters nothing because nobody understands it is refused, not ignored."""
    answer = site.ask("GET", REQUESTS, params=parameters)
    assert answer.status_code == 400
    assert next(iter(parameters)) in answer.json()["detail"]


def test_one_system_at_a_time(site: Site) -> None:
    """A list is of one system (seed: you can only select one system name), or of none in particular."""
    answer = site.ask("GET", REQUESTS, params={"system": ["a", "b"]})
    assert (answer.status_code, answer.json()["detail"]) == (400, "system: expected one value, got 2")


@pytest.mark.parametrize("view", ["current", "history"])
def test_pages(system: SiteSystem, view: str) -> None:
    """Pages hold every row once and in order, the newest first, also when something comes in between."""
    whole = system.rows(view=view)
    seen: list[dict[str, Any]] = []
    parameters: dict[str, Any] = {"system": system.name, "view": view, "limit": 2}
    while True:
        page = system.site.ask("GET", REQUESTS, params=parameters).json()
        assert page["total"] == len(whole)
        assert len(page["items"]) <= 2
        seen += page["items"]
        if page["next"] is None:
            break
        parameters["after"] = page["next"]
    assert seen == whole
    moments = [(row["request_created_on"], row.get("status_since")) for row in seen]
    assert moments == sorted(moments, reverse=True)


def test_new_rows_shift_no_page(site: Site) -> None:
    """What comes between two pages is on neither of them."""
    system = site.system()
    first = [system.waiting() for _ in range(3)]
    page = site.ask("GET", REQUESTS, params={"system": system.name, "limit": 2}).json()
    system.waiting()
    parameters = {"system": system.name, "limit": 2, "after": page["next"]}
    rest = site.ask("GET", REQUESTS, params=parameters).json()
    assert [row["id"] for row in page["items"] + rest["items"]] == first[::-1]
    assert (rest["next"], rest["total"]) == (None, 4)


# Time ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def late() -> Iterator[tuple[SiteSystem, Callable[[float], None]]]:
    """A system with a device that was provisioned half an hour before midnight."""
    clock, set_to = fixed_clock(LATE)
    with a_site(clock=clock) as site:
        system = site.system()
        device = system.device()
        made = device.request(created_at="2026-11-21T23:30:00Z")
        system.submit(made)
        site.until(made.request_id, "needs_approval")
        for action, status in (("approve", "complete_provisioning"), ("provision", "provisioned")):
            site.ask("POST", f"{REQUESTS}/{made.request_id}/{action}")
            site.until(made.request_id, status)
        yield system, set_to


@pytest.mark.parametrize(
    ("first", "last", "zone", "count"),
    [
        ("2026-11-21", "2026-11-21", None, 1),
        ("2026-11-22", None, None, 0),
        ("2026-11-22", "2026-11-22", "Europe/Oslo", 1),
        (None, "2026-11-21", "Europe/Oslo", 0),
        (None, "2026-11-21", "+00:29", 1),
        (None, "2026-11-21", "+00:30", 0),
    ],
)
def test_days_of_the_display(late: Any, first: str | None, last: str | None, zone: str, count: int) -> None:
    """A range of days is one of days in the zone of the display."""
    system, _set_to = late
    given = {"provisioned_from": first, "provisioned_to": last, "tz": zone}
    assert len(system.rows(**{name: text for name, text in given.items() if text})) == count


def test_all_dates_are_utc(late: Any) -> None:
    """Dates in JSON are RFC 3339 in UTC, whatever a user likes to see."""
    system, _set_to = late
    system.site.ask("PUT", f"{BASE}/me/settings", json={"iso": True, "local_time": True})
    (row,) = system.rows(tz="Europe/Oslo")
    assert {row[name] for name in row if name.endswith("_on")} - {None} == {"2026-11-21T23:30:00.000Z"}


# Bulk ---------------------------------------------------------------------------------------------------


def test_bulk_by_ids(site: Site) -> None:
    """A result for each id in their order; conflicts and unknown ids stop no other; one second for all."""
    system = site.system()
    done, waiting, more = system.waiting(), system.waiting(), system.waiting()
    site.ask("POST", f"{REQUESTS}/{done}/reject")
    site.until(done, "rejected_by_user")
    ids = [waiting, done, "nothing", more, waiting]
    answer = site.ask("POST", f"{REQUESTS}/bulk", "bert", json={"action": "approve", "ids": ids})
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [(result["id"], result["ok"]) for result in results] == [
        (waiting, True),
        (done, False),
        ("nothing", False),
        (more, True),
        (waiting, False),
    ]
    assert [result.get("problem", {}).get("status") for result in results] == [None, 409, 404, None, 409]
    assert results[1]["status"] == "rejected_by_user"
    assert results[1]["problem"]["type"] == "urn:guardian:problem:wrong-state"
    rows = [site.until(identifier, "complete_provisioning") for identifier in (waiting, more)]
    assert len({(row["approved_by"], row["approved_on"]) for row in rows}) == 1


def test_bulk_by_filter(site: Site) -> None:
    """By a filter it is all that a list with the same filter would offer the action for."""
    system = site.system()
    here, there = system.waiting(), system.waiting(instance={"name": "Ward B"})
    other_door = system.waiting(door="appliance")
    wanted = {"system": system.name, "system_instance": ["Ward A"], "hw_id": None}
    body = {"action": "approve", "filter": wanted}
    results = site.ask("POST", f"{REQUESTS}/bulk", json=body).json()["results"]
    assert [(result["id"], result["ok"]) for result in results] == [(here, True)]
    assert site.ask("POST", f"{REQUESTS}/bulk", json={**body, "action": "provision"}).status_code == 200
    assert (site.row(there)["status"], site.row(other_door)["status"]) == ("needs_approval",) * 2


def test_bulk_by_filter_may_be_nothing(site: Site) -> None:
    """No request is no error."""
    body = {"action": "provision", "filter": {"system": "nothing"}}
    answer = site.ask("POST", f"{REQUESTS}/bulk", json=body)
    assert (answer.status_code, answer.json()) == (200, {"results": []})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"action": "approve"}, 400),
        ({"action": "approve", "ids": [], "filter": {}}, 400),
        ({"action": "destroy", "ids": []}, 400),
        ({"action": "approve", "ids": [1]}, 400),
        ({"action": "approve", "ids": "x"}, 400),
        ({"action": "approve", "filter": {"colour": "red"}}, 400),
        ({"action": "approve", "filter": {"system": 1}}, 400),
        ({"action": "approve", "filter": {"system": ["a", "b"]}}, 400),
        ({"action": "approve", "filter": {"limit": "5"}}, 400),
        ({"ids": []}, 400),
        ({"action": "approve", "ids": [], "more": 1}, 400),
        ([], 400),
        ({"action": "approve", "ids": ["x"] * 501}, 422),
    ],
)
def test_no_bulk_call(site: Site, body: Any, status: int) -> None:
    """What is no bulk call is refused as a whole."""
    answer = site.ask("POST", f"{REQUESTS}/bulk", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_bulk_of_500(site: Site) -> None:
    """As many ids as a call may have fit into one."""
    body = {"action": "approve", "ids": [f"{number:036d}" for number in range(500)]}
    results = site.ask("POST", f"{REQUESTS}/bulk", json=body).json()["results"]
    assert [result["problem"]["status"] for result in results] == [404] * 500


# Settings -----------------------------------------------------------------------------------------------


def test_settings_are_each_users_own(site: Site) -> None:
    """Both are off at first; what one user decides is no other's business."""
    path = f"{BASE}/me/settings"
    assert site.ask("GET", path, "lena").json() == {"iso": False, "local_time": False}
    changed = site.ask("PUT", path, "lena", json={"iso": True, "local_time": False})
    assert changed.json() == {"iso": True, "local_time": False}
    assert site.ask("GET", path, "lena", door="appliance").json() == {"iso": True, "local_time": False}
    assert site.ask("GET", path, "liam").json() == {"iso": False, "local_time": False}


@pytest.mark.parametrize("body", [{}, {"iso": True}, {"iso": 1, "local_time": 0}, {"iso": "yes"}, [], "x"])
def test_no_settings(site: Site, body: Any) -> None:
    """Settings are both toggles, each true or false."""
    assert site.ask("PUT", f"{BASE}/me/settings", "rita", json=body).status_code == 400
    assert site.ask("PUT", f"{BASE}/me/settings", "rita", content=b"{}").status_code == 415
    assert site.ask("GET", f"{BASE}/me/settings", "rita").json() == {"iso": False, "local_time": False}
