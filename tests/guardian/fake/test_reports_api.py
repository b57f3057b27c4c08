"""The report by the API: which devices, in which order, byte for byte (guardian fact sheet, section 8)."""

from __future__ import annotations

import calendar
import csv
import io
from typing import TYPE_CHECKING, Any

import pytest

from tests.guardian.fake.rest_site import (
    BASE,
    COMPONENT,
    REQUESTS,
    Site,
    SiteSystem,
    a_site,
    fixed_clock,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

REPORT = f"{BASE}/reports/device-provisioning"
THEN = float(calendar.timegm((2026, 11, 21, 1, 24, 33)))
CREATED = "2026-11-21T01:24:30Z"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A fake whose clock stands still."""
    with a_site(clock=fixed_clock(THEN)[0]) as site:
        yield site


def waiting(system: SiteSystem, who: str | None = "anna", **changed: Any) -> str:
    """Return the id of a request that waits for approval."""
    made = system.device(**changed).request(created_at=CREATED)
    system.submit(made, who)
    system.site.until(made.request_id, "needs_approval")
    return made.request_id


def lines(system: SiteSystem, who: str = "anna", **parameters: Any) -> list[dict[str, str]]:
    """Return the lines of a report as another reader reads them."""
    answer = system.site.ask("GET", REPORT, who, params={"system": system.name, **parameters})
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode(), newline=""), strict=True))


def test_bytes(site: Site) -> None:
    """The whole report of one device, its headers and its name."""
    system = site.system(name="Infusion")
    device = system.device(hw_id="=1+1")
    made = device.request(created_at=CREATED)
    system.submit(made, "liam")
    site.until(made.request_id, "needs_approval")
    site.ask("POST", f"{REQUESTS}/{made.request_id}/reject")
    site.until(made.request_id, "rejected_by_user")
    answer = site.ask("GET", REPORT, params={"system": "Infusion"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["content-disposition"] == (
        'attachment; filename="device-provisioning-report_Infusion_20261121T012433Z.csv"'
    )
    instance = system.definition["instances"][0]["id"]
    assert answer.text == (
        "System name,System instance name,System instance ID,Component name,Component instance ID,"
        "Component instance created on,Device HW ID,Approval type,Provisioning status,Request ID,"
        "Request created on,Response ID,Response created on,Provision source,Approved on,Approved by,"
        "Rejected on,Rejected by,Provisioned on,Provisioned by,Error code\r\n"
        f"Infusion,Ward A,{instance},pump,,,'=1+1,Manual,Rejected by user,{made.request_id},"
        "2026-11-21T01:24:33Z,,,Cloud,,,2026-11-21T01:24:33Z,anna,,,\r\n"
    )


def test_settings_change_no_report(site: Site) -> None:
    """Dates in reports are ISO 8601 in UTC, whatever a user likes to see."""
    system = site.system()
    waiting(system)
    site.ask("PUT", f"{BASE}/me/settings", json={"iso": False, "local_time": True})
    (line,) = lines(system)
    assert line["Request created on"] == "2026-11-21T01:24:33Z"


def test_one_line_a_device(site: Site) -> None:
    """A device that asks again is one line: that of its latest request, at its place."""
    system = site.system()
    device = system.device(hw_id="SN-1")
    first = device.request(created_at=CREATED)
    system.submit(first)
    site.until(first.request_id, "needs_approval")
    for action, status in (("approve", "complete_provisioning"), ("provision", "provisioned")):
        site.ask("POST", f"{REQUESTS}/{first.request_id}/{action}")
        row = site.until(first.request_id, status)
    other = waiting(system, hw_id="SN-2")
    device.take(site.ask("GET", f"{REQUESTS}/{first.request_id}/certified-profile").content, first)
    again = device.request(created_at=CREATED)
    assert system.submit(again).status_code == 202
    site.until(again.request_id, "needs_approval")
    device_id = row["component_instance_id"]
    found = [(line["Request ID"], line["Component instance ID"]) for line in lines(system)]
    assert found == [(again.request_id, device_id), (other, "")]
    chosen = lines(system, scope="selected", ids=first.request_id)
    assert [line["Request ID"] for line in chosen] == [again.request_id]


def test_devices_that_failed_are_in_it(site: Site) -> None:
    """What was never approved has a line, too, the latest of its hardware id, with the error code."""
    system = site.system()
    device = system.device(hw_id="SN-9")
    device.signer = site.system().key  # no key of this system
    ids = []
    for _again in range(2):
        made = device.request(created_at=CREATED)
        system.submit(made)
        site.until(made.request_id, "error")
        ids.append(made.request_id)
    (line,) = lines(system)
    assert (line["Request ID"], line["Provisioning status"], line["Error code"]) == (
        ids[1],
        "Missing PR signer key",
        "MISSING_PR_SIGNER_KEY",
    )


def test_selected(site: Site) -> None:
    """The selected devices and no other, each once, in the order of the list."""
    system = site.system()
    first, _second, third = (waiting(system) for _ in range(3))
    for ids in (f"{first},{third}", [third, first, first]):
        found = [line["Request ID"] for line in lines(system, scope="selected", ids=ids)]
        assert found == [third, first]


@pytest.mark.parametrize("doors", [("cloud", "appliance"), ("appliance", "cloud")])
def test_selected_at_both_doors(site: Site, doors: tuple[str, str]) -> None:
    """A request that the cloud refused and the appliance took is two rows of one id: none is left out."""
    system = site.system(components=[{**COMPONENT, "appliance_only": True}])
    made = system.device().request(created_at=CREATED)
    for door in doors:
        system.submit(made, door=door)
        site.until(made.request_id, "error" if door == "cloud" else "needs_approval", door=door)
    approved = site.ask("POST", f"{REQUESTS}/{made.request_id}/approve", door="appliance")
    assert approved.status_code == 202
    site.until(made.request_id, "complete_provisioning", door="appliance")
    found = {line["Provision source"] for line in lines(system, scope="selected", ids=made.request_id)}
    assert found == {"Cloud", "Appliance"}


def test_of_all_systems(site: Site) -> None:
    """Without a system the report is of all, and so it is called."""
    ids = {waiting(site.system()), waiting(site.system())}
    answer = site.ask("GET", REPORT)
    assert "report_all-systems_2026" in answer.headers["content-disposition"]
    assert all(identifier in answer.text for identifier in ids)


def test_nothing_to_report(site: Site) -> None:
    """A report of nothing is a header."""
    assert lines(site.system()) == []


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"scope": "some"}, 400),
        ({"scope": "selected"}, 400),
        ({"scope": "selected", "ids": ","}, 400),
        ({"scope": "all", "ids": "x"}, 400),
        ({"ids": "x"}, 400),
        ({"format": "pdf"}, 400),
        ({"scope": "selected", "ids": "x"}, 404),
        ({"scope": "selected", "ids": ",".join(["x"] * 501)}, 422),
    ],
)
def test_no_report(site: Site, parameters: dict[str, str], status: int) -> None:
    """What is no report is refused."""
    answer = site.ask("GET", REPORT, params=parameters)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
