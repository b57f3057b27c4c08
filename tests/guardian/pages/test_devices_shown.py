"""Every label, column and choice of the Devices page that the seed names, as Chromium shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.guardian.pages.seed import COLUMNS, MANUAL_STATUSES

if TYPE_CHECKING:
    from tests.guardian.pages.clinic import Clinic
    from tests.guardian.pages.looking import Looker

PUMPS = "Infusion"
ROBOTS = "Robots"


@pytest.fixture(scope="module")
def requests(clinic: Clinic) -> dict[str, str]:
    """Make two systems with devices in several states; ids of requests by hardware ids."""
    clinic.system(PUMPS)
    clinic.system(ROBOTS, "Automatic", components=("arm",), instances=("Hall 1",))
    made = {hw_id: clinic.submit(hw_id, PUMPS) for hw_id in ("P-1", "P-2", "P-3", "P-4")}
    made["G-1"] = clinic.submit("G-1", PUMPS, component="gateway", instance={"name": "Ward B"})
    clinic.act("approve", made["P-1"], made["P-2"])
    clinic.act("provision", made["P-1"])
    clinic.act("reject", made["P-3"])
    made["R-1"] = clinic.submit("R-1", ROBOTS, component="arm", instance={"name": "Hall 1"})
    return made


def shown(looker: Looker) -> list[str]:
    """Return the hardware ids in the table."""
    return looker.texts("#devices td[data-column=device_hw_id]")


def test_select_system_name_in_the_breadcrumb(looker: Looker, requests: dict[str, str]) -> None:
    """The main navigation bar has the drop-down Select system name, where one system is chosen."""
    looker.open("/devices")
    assert looker.texts(".bar nav[aria-label=Breadcrumb] summary") == ["Select system name"]
    assert not shown(looker)

    looker.press("Select system name", ".bar")
    assert looker.texts("#system-choice a") == [PUMPS, ROBOTS]
    looker.go(PUMPS, "#system-choice")

    assert looker.texts(".bar summary") == [f"Select system name: {PUMPS}"]
    assert shown(looker) == ["G-1", "P-4", "P-3", "P-2", "P-1"]


def test_quick_filter_of_the_system(looker: Looker, requests: dict[str, str]) -> None:
    """The quick filter drop-downs choose the same."""
    looker.open("/devices")
    looker.one("#quick-system").send_keys(ROBOTS)

    looker.go("Show", "#quick-filters")

    assert shown(looker) == ["R-1"]
    assert looker.texts(".bar summary") == [f"Select system name: {ROBOTS}"]


@pytest.fixture(scope="module")
def headings(looker: Looker, requests: dict[str, str]) -> dict[str, str]:
    """Choose every column; the cells of a provisioned device by the headings of their columns."""
    looker.open(f"/devices?system={PUMPS}&hw_id=P-1", user="bert")
    looker.press("Columns")
    for box in looker.all("#columns input[type=checkbox]"):
        if not box.is_selected():
            box.click()
    looker.go("Show these columns")
    titles = looker.script("return [...document.querySelectorAll('#devices th')].map(e => e.textContent)")
    cells = looker.script(
        "return [...document.querySelectorAll('#devices tbody td')].map(e => e.textContent.trim())"
    )
    return dict(zip(titles[1:], cells[1:], strict=True))


@pytest.mark.parametrize("column", COLUMNS)
def test_column(headings: dict[str, str], column: str) -> None:
    """Each column can be shown, in its place; a provisioned device has a value in it but for rejections."""
    assert list(headings)[COLUMNS.index(column)] == column
    if column == "Actions":
        assert headings[column].startswith("...")
    elif column.startswith("Rejected"):
        assert headings[column] == ""
    else:
        assert headings[column]


@pytest.mark.parametrize("column", COLUMNS)
def test_column_can_be_chosen(looker: Looker, requests: dict[str, str], column: str) -> None:
    """The chooser behind Columns names every column; those shown by default are checked."""
    if not looker.browser.current_url.endswith("#chooser") or not looker.all("#columns[open]"):
        looker.open(f"/devices?system={PUMPS}#chooser")
        looker.press("Columns")

    label = looker.all("#columns label")[COLUMNS.index(column)]

    assert label.text == column
    visible = looker.texts("#devices th")
    assert label.find_element("css selector", "input").is_selected() == (column in visible)


@pytest.mark.parametrize("status", MANUAL_STATUSES)
def test_status_can_be_filtered(looker: Looker, requests: dict[str, str], status: str) -> None:
    """A Manual system offers each status that its requests can have, and not Auto-approved."""
    if not looker.all("#filters[open]") or PUMPS not in looker.browser.current_url:
        looker.open(f"/devices?system={PUMPS}")
        looker.press("Filters")

    offered = looker.texts("#filter-statuses label")

    assert offered.count(status) == 1
    assert "Auto-approved" not in offered


def test_automatic_system_offers_its_statuses(looker: Looker, requests: dict[str, str]) -> None:
    """An Automatic system offers Auto-approved and nothing that a user decides."""
    looker.open(f"/devices?system={ROBOTS}")
    looker.press("Filters")

    offered = looker.texts("#filter-statuses label")

    assert "Auto-approved" in offered
    assert not {"Needs approval", "Approving...", "Complete provisioning", "Rejecting..."} & set(offered)
    assert "Rejected by user" not in offered


def test_filters_general(looker: Looker, requests: dict[str, str]) -> None:
    """General: System name, several system instances, several component names, one device hardware ID."""
    looker.open(f"/devices?system={PUMPS}")
    looker.press("Filters")
    assert looker.one("#filters-general").text == "General"
    assert looker.one("label[for=filter-system]").text == "System name"
    assert looker.texts("#filter-instances legend") == ["System instance"]
    assert looker.texts("#filter-components legend") == ["Component name"]
    assert looker.one("label[for=filter-hw-id]").text == "Device hardware ID"

    for box in looker.all("#filter-instances input")[:2] + looker.all("#filter-components input")[:1]:
        box.click()
    looker.go("Apply filters")

    assert shown(looker) == ["G-1"]
    assert looker.texts(".chips li")[:3] == [
        "System instance: Ward A",
        "System instance: Ward B",
        "Component name: gateway",
    ]
    looker.go("Clear filters", ".chips")
    assert len(shown(looker)) == 5
    looker.press("Filters")
    looker.one("#filter-hw-id").send_keys("P-4")
    looker.go("Apply filters")
    assert shown(looker) == ["P-4"]


def test_filters_provisioning_details(looker: Looker, requests: dict[str, str]) -> None:
    """Provisioning details: the toggle, several statuses, and a range of days Provisioned on."""
    looker.open(f"/devices?system={PUMPS}")
    looker.press("Filters")
    assert looker.one("#filters-details").text == "Provisioning details"
    assert looker.texts("#filter-statuses legend") == ["Provisioning status"]
    assert looker.texts("#filter-provisioned legend") == ["Provisioned on"]
    for label in looker.all("#filter-statuses label"):
        if label.text in {"Provisioned", "Rejected by user"}:
            label.click()
    looker.go("Apply filters")
    assert shown(looker) == ["P-3", "P-1"]

    looker.open(f"/devices?system={PUMPS}&provisioned_from=2026-01-01")
    assert shown(looker) == ["P-1"]
    looker.open(f"/devices?system={PUMPS}&provisioned_to=2020-01-01")
    assert shown(looker) == []


def test_toggle_current_or_all_statuses(looker: Looker, requests: dict[str, str]) -> None:
    """The toggle shows the current status, or all statuses the device has moved through."""
    looker.open(f"/devices?system={PUMPS}&hw_id=P-1")
    column = "#devices td[data-column=provisioning_status]"
    assert looker.texts(column) == ["Provisioned"]
    looker.press("Filters (1)")
    assert looker.texts("#filter-view label") == [
        "Current provisioning status",
        "All statuses the devices have moved through",
    ]
    looker.all("#filter-view label")[1].click()

    looker.go("Apply filters")

    assert looker.texts(column) == [
        "Provisioned",
        "Provisioning",
        "Complete provisioning",
        "Approving...",
        "Needs approval",
        "Verifying...",
    ]


def test_settings_toggle_dates(looker: Looker, requests: dict[str, str]) -> None:
    """Settings: each toggle applies at once, by itself, and is kept."""
    looker.open(f"/devices?system={PUMPS}&hw_id=P-1", user="rita")
    date = "#devices td[data-column=request_created_on]"
    looker.until(lambda: len(looker.one(date).text.split()) == 3, "dd mmm yyyy")
    looker.press("Settings")
    assert looker.texts("#settings button[role=switch]") == [
        "Show dates in ISO format",
        "Show dates in local time",
    ]

    looker.go("Show dates in ISO format")

    assert looker.one(date).text.endswith("Z")
    looker.press("Settings")
    assert looker.one("#setting-iso").get_attribute("aria-checked") == "true"
    looker.browser.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Tokyo"})
    try:
        looker.browser.refresh()
        looker.press("Settings")
        looker.go("Show dates in local time")
        assert looker.one(date).text.endswith("+09:00")
        looker.browser.refresh()
        assert looker.one(date).text.endswith("+09:00")
        looker.press("Settings")
        looker.go("Show dates in ISO format")
        assert len(looker.one(date).text.split()) == 3
    finally:
        looker.browser.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": ""})


def test_export_names_its_groups(looker: Looker, requests: dict[str, str]) -> None:
    """Export has All devices and Selected devices, each with the Device provisioning report."""
    looker.open(f"/devices?system={PUMPS}")
    looker.press("Export")

    assert looker.texts("#export p") == ["All devices", "Selected devices (0)"]
    assert looker.texts("#export .item") == ["Device provisioning report"] * 2
    assert not looker.one("#export-selected-report").is_enabled()
    looker.one("body").click()
    for box in looker.all("input[name=ids]")[:2]:
        box.click()
    looker.press("Export")
    assert looker.texts("#export p")[1] == "Selected devices (2)"
    report = looker.script(
        "return fetch(document.querySelector('#selection').action + '?' + new URLSearchParams("
        "new FormData(document.querySelector('#selection')))).then(answer => answer.text())"
    )
    assert len(report.splitlines()) == 1 + 2
    everything = looker.script(
        "return fetch(document.querySelector('#export-all-report').href).then(answer => answer.text())"
    )
    assert len(everything.splitlines()) == 1 + 5


def test_select_page_selects_all_rows(looker: Looker, requests: dict[str, str]) -> None:
    """The box in the heading selects every row of the page, and lets go of them."""
    looker.open(f"/devices?system={PUMPS}")

    looker.one("#select-page").click()
    assert all(box.is_selected() for box in looker.all("input[name=ids]"))
    looker.one("#select-page").click()
    assert not any(box.is_selected() for box in looker.all("input[name=ids]"))


def test_overflow_of_actions(looker: Looker, requests: dict[str, str]) -> None:
    """The ... button has what else can be done: the history, the id, and the profile where there is one."""
    looker.open(f"/devices?system={PUMPS}&hw_id=P-1")

    looker.press("...")

    assert looker.texts("#devices .more .item") == [
        "View history",
        "Copy request ID",
        "Download certified profile",
    ]
    looker.go("View history")
    assert looker.one("h1").text == "Device P-1"
    assert looker.texts("#history .chip")[-1] == "Provisioned"
