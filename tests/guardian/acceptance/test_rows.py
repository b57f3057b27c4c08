"""Every column, filter, status and transition of the seed at the service's own door, in the seed's words."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pytest

from tests.guardian.fake.rest_site import BASE, REQUESTS
from tests.guardian.pages.seed import COLUMNS as SHOWN

if TYPE_CHECKING:
    from tests.guardian.fake.rest_site import Site, SiteSystem

# The help names them once, for the page and for the report; what can be done with a row is on the page alone.
COLUMNS = [each for each in SHOWN if each != "Actions"]


@pytest.fixture(scope="module")
def line(site: Site) -> tuple[list[str], dict[str, str], dict[str, Any]]:
    """The header of a report, the line of a device that anna provisioned in it, and its row."""
    system = site.system()
    identifier = system.provisioned(hw_id="SN-1")
    answer = site.ask("GET", f"{BASE}/reports/device-provisioning", params={"system": system.name})
    header, cells = csv.reader(io.StringIO(answer.text, newline=""))
    return header, dict(zip(header, cells, strict=True)), site.row(identifier)


@pytest.mark.parametrize("column", COLUMNS)
def test_column(line: tuple[list[str], dict[str, str], dict[str, Any]], column: str) -> None:
    """Each column is in its place in the report, and has the value of the row; only Rejected has none."""
    header, cells, row = line
    value = row[column.lower().replace(" ", "_")]

    assert header[COLUMNS.index(column)] == column
    assert bool(cells[column]) == bool(value) == (not column.startswith("Rejected"))
    if not column.endswith(" on"):
        assert cells[column] == (value or "")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("approval_type", "Manual"),
        ("provision_source", "Cloud"),
        ("provisioning_status", "Provisioned"),
        ("approved_by", "anna"),
        ("provisioned_by", "anna"),
        ("device_hw_id", "SN-1"),
        ("system_instance_name", "Ward A"),
        ("component_name", "pump"),
    ],
)
def test_values(line: tuple[list[str], dict[str, str], dict[str, Any]], column: str, value: str) -> None:
    """What the seed says stands in a column stands there, for a device of the Manual approval type."""
    assert line[2][column] == value


def texts(site: Site, identifier: str) -> list[str]:
    """Return the status texts that a request passed."""
    items = site.ask("GET", f"{REQUESTS}/{identifier}/history").json()["items"]
    return [item["text"] for item in items]


def test_workflow_automatic(site: Site) -> None:
    """Verifying -> Auto-approved -> Provisioning -> Provisioned, all of it by System."""
    system = site.system("Automatic")
    identifier = system.submit().json()["request_id"]
    row = site.until(identifier, "provisioned")

    assert texts(site, identifier) == ["Verifying...", "Auto-approved", "Provisioning", "Provisioned"]
    assert (row["approved_by"], row["provisioned_by"], row["rejected_by"]) == ("System", "System", None)


def test_workflow_manual(site: Site) -> None:
    """Verifying -> Needs approval -> Approving -> Complete provisioning -> Provisioning -> Provisioned."""
    identifier = site.system().provisioned()

    assert texts(site, identifier) == [
        "Verifying...",
        "Needs approval",
        "Approving...",
        "Complete provisioning",
        "Provisioning",
        "Provisioned",
    ]


def test_workflow_rejected(site: Site) -> None:
    """Needs approval -> Rejecting... -> Rejected by user, with Rejected on and Rejected by."""
    identifier = site.system().waiting()
    site.ask("POST", f"{REQUESTS}/{identifier}/reject", "bert")
    row = site.until(identifier, "rejected_by_user")

    assert texts(site, identifier)[1:] == ["Needs approval", "Rejecting...", "Rejected by user"]
    assert (row["rejected_by"], row["provisioning_status"]) == ("bert", "Rejected by user")
    assert row["rejected_on"]


def test_workflow_rejected_by_system(site: Site) -> None:
    """Rejected by system: Rejected by is System, in either approval type, and there is no error code."""
    for approval in ("Automatic", "Manual"):
        system = site.system(approval)
        made = system.device().request(component="unheard of")
        identifier = system.submit(made).json()["request_id"]
        row = site.until(identifier, "rejected_by_system")

        assert texts(site, identifier) == ["Verifying...", "Rejected by system"]
        assert (row["rejected_by"], row["error_code"]) == ("System", None)


def test_buttons_of_each_status(site: Site) -> None:
    """Needs approval offers Approve and Reject, Complete provisioning offers Provision, others nothing."""
    system = site.system()
    identifier = system.waiting()
    offered = {"needs_approval": site.row(identifier)["actions"]}
    for action, status in (("approve", "complete_provisioning"), ("provision", "provisioned")):
        site.ask("POST", f"{REQUESTS}/{identifier}/{action}")
        offered[status] = site.until(identifier, status)["actions"]

    assert offered == {
        "needs_approval": ["approve", "reject"],
        "complete_provisioning": ["provision"],
        "provisioned": [],
    }


@pytest.fixture(scope="module")
def ward(site: Site) -> tuple[SiteSystem, str, str]:
    """A system with a device that waits in Ward A, and one that is provisioned in Ward B."""
    system = site.system()
    return system, system.waiting(hw_id="SN-1"), system.provisioned(hw_id="SN-2", instance={"name": "Ward B"})


@pytest.mark.parametrize(
    ("query", "waiting", "provisioned"),
    [
        ({}, True, True),
        ({"system_instance": "Ward A"}, True, False),
        ({"system_instance": ["Ward A", "Ward B"]}, True, True),
        ({"component": "pump"}, True, True),
        ({"component": "valve"}, False, False),
        ({"hw_id": "SN-2"}, False, True),
        ({"status": "needs_approval"}, True, False),
        ({"status": "needs_approval", "view": "history"}, True, True),
        ({"status": ["needs_approval", "provisioned"]}, True, True),
        ({"provisioned_from": "2000-01-01", "provisioned_to": "2100-01-01"}, False, True),
        ({"provisioned_to": "2000-01-01"}, False, False),
    ],
    ids=[
        "System name",
        "System instance",
        "several System instances",
        "Component name",
        "another Component name",
        "Device hardware ID",
        "Provisioning status",
        "all statuses the devices have moved through",
        "several Provisioning statuses",
        "Provisioned on",
        "Provisioned on, too early",
    ],
)
def test_filter(
    ward: tuple[SiteSystem, str, str],
    query: dict[str, Any],
    waiting: bool,  # noqa: FBT001 - a column of the table
    provisioned: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """Each filter of the seed shows the devices that fit it, and no others."""
    system, first, second = ward
    shown = {row["id"] for row in system.rows(**query)}

    assert (first in shown, second in shown) == (waiting, provisioned)
