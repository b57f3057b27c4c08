"""The Devices page without a browser: systems, filters, columns, dates, pages, exports, details."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from harness_guardian.enums import COLUMN_TITLES, ERROR_LABELS, STATUS_TEXTS, Column, ErrorCode, Status
from harness_guardian.fake.choices import CONTRARIAN, FAKE
from tests.guardian.fake.page_site import PageSite, components
from tests.guardian.making import make_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.guardian.page_reader import Element

MANUAL_ONLY = {"Needs approval", "Approving...", "Complete provisioning", "Rejecting...", "Rejected by user"}


@pytest.fixture
def site() -> Iterator[PageSite]:
    """A fake with one system of the Manual approval type."""
    with PageSite() as made:
        made.system()
        yield made


def cells(row: Element) -> dict[str, str]:
    """Return the texts of a row by the slugs of its columns."""
    return {cell["data-column"]: cell.text for cell in row.all("td") if cell["data-column"]}


def hardware(rows: list[Element]) -> list[str]:
    """Return the hardware ids of rows."""
    return [cells(row)["device_hw_id"] for row in rows]


def offered(page: Element, place: str) -> dict[str, bool]:
    """Return what a list of check boxes offers, and what of it is checked."""
    return {label.text: "checked" in label.one("input") for label in page.one(id=place).all("label")}


def test_system_is_chosen_in_the_breadcrumb(site: PageSite) -> None:
    """The drop-down of the breadcrumb leads to each system; only the devices of the chosen one are listed."""
    site.system("Monitor")
    site.submit("SN-1")
    site.submit("SN-2", system="Monitor")
    visitor = site.visitor()

    page = visitor.open("/devices")
    assert page.one("details", id="system-choice").one("summary").text == "Select system name"
    assert not visitor.rows()
    assert "Select system name to see its devices." in page.text
    links = {link.text: link for link in page.one(id="system-choice").all("a")}
    assert list(links) == ["Infusion", "Monitor"]

    page = visitor.follow(links["Monitor"])
    assert page.one("details", id="system-choice").one("summary").text == "Select system name: Monitor"
    assert hardware(visitor.rows()) == ["SN-2"]


def test_quick_filters_choose_system_and_status(site: PageSite) -> None:
    """The same choice stands in the quick filters, and the status beside it."""
    site.system("Monitor")
    site.submit("SN-1")
    rejected = site.submit("SN-2", component="unknown")
    assert rejected.status is Status.REJECTED_BY_SYSTEM
    visitor = site.visitor()
    page = visitor.open("/devices")

    visitor.submit(page.one(id="quick-filters"), system="Infusion")
    assert hardware(visitor.rows()) == ["SN-2", "SN-1"]
    visitor.submit(visitor.page.one(id="quick-filters"), quick_status="rejected_by_system")
    assert hardware(visitor.rows()) == ["SN-2"]
    visitor.submit(visitor.page.one(id="quick-filters"), quick_status="")
    assert hardware(visitor.rows()) == ["SN-2", "SN-1"]


def test_several_statuses_outlive_the_quick_filter(site: PageSite) -> None:
    """Several statuses that were chosen in the Filters drop-down stay while the quick filters are used."""
    visitor = site.visitor()
    page = visitor.open("/devices?system=Infusion&status=provisioned&status=needs_approval")
    assert page.one("option", value="several").text == "Several (2)"

    visitor.submit(page.one(id="quick-filters"))

    checked = [text for text, on in offered(visitor.page, "filter-statuses").items() if on]
    assert checked == ["Needs approval", "Provisioned"]


def test_only_system_is_selected_by_itself(site: PageSite) -> None:
    """Where there is but one system nobody has to select it; one that is not there is said to be missing."""
    site.submit("SN-1")
    visitor = site.visitor()

    visitor.open("/devices")
    assert hardware(visitor.rows()) == ["SN-1"]
    visitor.open("/devices?system=Nothing")
    assert visitor.messages == ["There is no system Nothing."]
    assert not visitor.rows()


def test_filters_are_those_of_the_system(site: PageSite) -> None:
    """Instances, components and statuses are offered as the selected system has them."""
    site.system("Robot", "Automatic", instances=[{"name": "Hall 9"}], components=components("arm"))
    visitor = site.visitor()

    page = visitor.open("/devices?system=Infusion")
    assert list(offered(page, "filter-instances")) == ["Ward A", "Ward B"]
    assert list(offered(page, "filter-components")) == ["gateway", "pump"]
    manual = set(offered(page, "filter-statuses"))
    assert manual == {*STATUS_TEXTS.values(), *ERROR_LABELS.values()} - {"Auto-approved"}
    page = visitor.open("/devices?system=Robot")
    assert list(offered(page, "filter-instances")) == ["Hall 9"]
    assert list(offered(page, "filter-components")) == ["arm"]
    automatic = set(offered(page, "filter-statuses"))
    assert automatic == {*STATUS_TEXTS.values(), *ERROR_LABELS.values()} - MANUAL_ONLY


def test_filters_combine(site: PageSite) -> None:
    """Of each filter any value, of all filters every one; what is in force is said, and can be cleared."""
    site.submit("SN-1")
    site.submit("SN-2", instance={"name": "Ward B"})
    site.submit("SN-3", component="gateway")
    site.submit("SN-4", component="gateway", instance={"name": "Ward B"})
    visitor = site.visitor()
    page = visitor.open("/devices?system=Infusion")
    boxes = {
        label.text: label.one("input")["value"]
        for label in page.one(id="filters").all("label")
        if label.all("input")
    }
    form = page.one(id="filters").one("form")

    visitor.submit(form, system_instance=[boxes["Ward B"]], component=["pump", "gateway"])
    assert hardware(visitor.rows()) == ["SN-4", "SN-2"]
    visitor.submit(form, system_instance=[boxes["Ward B"]], component=["gateway"])
    assert hardware(visitor.rows()) == ["SN-4"]
    chips = visitor.page.one("ul", aria_label="Filters in force").texts("li")
    assert chips == ["System instance: Ward B", "Component name: gateway", "Clear filters"]
    assert visitor.page.one(id="filters").one("summary").text == "Filters (2)"
    visitor.submit(form, hw_id="SN-3", status=["needs_approval", "provisioned"])
    assert hardware(visitor.rows()) == ["SN-3"]
    visitor.submit(form, hw_id="SN-3", status=["provisioned"])
    assert visitor.page.one("p", _class="empty").text == "No device matches these filters."
    visitor.follow(visitor.page.one("ul", aria_label="Filters in force").one("a"))
    assert len(visitor.rows()) == 4


def test_filter_of_another_system_is_dropped(site: PageSite) -> None:
    """An instance, component or status that the selected system does not have filters nothing."""
    site.submit("SN-1")

    page = site.visitor().open(
        "/devices?system=Infusion&system_instance=x&component=y&status=auto_approved&view=z&page=-1"
    )

    assert page.one(id="filters").one("summary").text == "Filters"
    assert page.one("td", data_column="device_hw_id").text == "SN-1"


def test_toggle_shows_all_statuses_passed(site: PageSite) -> None:
    """The toggle shows the current status, or a row for every status that the devices moved through."""
    site.submit("SN-1")
    visitor = site.visitor()
    page = visitor.open("/devices?system=Infusion")
    toggle = page.one(id="filter-view")
    assert toggle.texts("label") == [
        "Current provisioning status",
        "All statuses the devices have moved through",
    ]

    visitor.submit(page.one(id="filters").one("form"), view="history", status=["verifying"])

    statuses = [cells(row)["provisioning_status"] for row in visitor.rows()]
    assert statuses == ["Needs approval", "Verifying..."]
    buttons = [row.texts("button", form="choose") for row in visitor.rows()]
    assert buttons == [["Approve", "Reject"], []]
    chips = visitor.page.one("ul", aria_label="Filters in force").texts("li")
    assert chips[0] == "All statuses the devices have moved through"


def test_provisioned_on_is_a_range_of_days(site: PageSite) -> None:
    """Both days count; a day that is none is said to be none and filters nothing."""
    site.system("Robot", "Automatic")
    request = site.submit("SN-1", system="Robot")
    assert request.status is Status.PROVISIONED
    late = datetime(2026, 3, 1, 23, 30, tzinfo=UTC).timestamp()
    request.history[-1] = replace(request.history[-1], at=late)
    visitor = site.visitor()
    visitor.client.cookies.set("guardian-zone", "Asia/Tokyo")
    base = "/devices?system=Robot"

    for query, found in (
        ("&provisioned_from=2026-03-01&provisioned_to=2026-03-01", 1),
        ("&provisioned_from=2026-03-02", 0),
        ("&provisioned_to=2026-02-28", 0),
        ("&provisioned_to=2026-03-01", 1),
    ):
        visitor.open(base + query)
        assert len(visitor.rows()) == found, query
    visitor.press("Show dates in local time")
    visitor.open(f"{base}&provisioned_from=2026-03-02")
    assert len(visitor.rows()) == 1
    visitor.open(f"{base}&provisioned_from=yesterday")
    assert any("yesterday" in message for message in visitor.messages)
    assert visitor.page.one("input", id="filter-from")["value"] == ""


def test_columns_are_chosen_and_kept(site: PageSite) -> None:
    """Who chooses columns sees these in the order of the seed, also in another session; others do not."""
    site.submit("SN-1")
    visitor = site.visitor()
    page = visitor.open("/devices?system=Infusion")
    default = [COLUMN_TITLES[column] for column in FAKE.default_columns]
    assert [head.text for head in page.all("th") if head["data-column"]] == default
    chooser = offered(page, "columns")
    assert list(chooser) == list(COLUMN_TITLES.values())
    assert [title for title, on in chooser.items() if on] == default
    form = page.one(id="columns").one("form")

    visitor.submit(form, column=["response_id", "approved_by", "device_hw_id", "nonsense"])

    wanted = ["Device HW ID", "Response ID", "Approved by"]
    assert [head.text for head in visitor.page.all("th") if head["data-column"]] == wanted
    again = site.visitor().open("/devices?system=Infusion")
    assert [head.text for head in again.all("th") if head["data-column"]] == wanted
    other = site.visitor("bert").open("/devices?system=Infusion")
    assert [head.text for head in other.all("th") if head["data-column"]] == default
    visitor.submit(form, column=[])
    assert visitor.messages == ["Choose one column at least."]
    assert len(visitor.rows()[0].all("td", data_column="response_id")) == 1
    visitor.press("Default columns")
    assert [head.text for head in visitor.page.all("th") if head["data-column"]] == default


def test_date_toggles_apply_at_once_and_are_kept(site: PageSite) -> None:
    """Each toggle is one press, works by itself, and is the user's own."""
    moment = datetime(2026, 11, 21, 23, 24, 33, tzinfo=UTC).timestamp()
    site.service.order_clock(site.organisation.name, moment - site.organisation.clock.seconds())
    request = site.submit("SN-1", component="unknown")
    request.created_at = moment
    visitor = site.visitor()
    visitor.client.cookies.set("guardian-zone", "Asia/Tokyo")

    def created() -> str:
        return cells(visitor.rows()[0])["request_created_on"]

    visitor.open("/devices?system=Infusion")
    assert created() == "21 Nov 2026"
    visitor.press("Show dates in ISO format")
    assert created() == "2026-11-21T23:24:33Z"
    assert str(visitor.answer.url).endswith("/devices?system=Infusion#settings")
    visitor.press("Show dates in local time")
    assert created() == "2026-11-22T08:24:33+09:00"
    assert visitor.page.one(id="setting-iso")["aria-checked"] == "true"
    visitor.press("Show dates in ISO format")
    assert created() == "22 Nov 2026"
    assert site.visitor().open("/devices").one(id="setting-local_time")["aria-checked"] == "true"
    assert site.visitor("bert").open("/devices").one(id="setting-local_time")["aria-checked"] == "false"
    visitor.client.cookies.set("guardian-zone", "nowhere/at-all")
    assert visitor.open("/devices?system=Infusion").one("td", data_column="request_created_on").text


def test_pages_of_a_hundred_rows() -> None:
    """A page has a hundred rows and says which; the neighbours are linked, and no page is beyond the last."""
    assert FAKE.page_size == 100
    with PageSite(replace(FAKE, page_size=10)) as site:  # as many would take long to read
        site.system()
        site.service.fill_for_measurements(site.organisation.name, "Infusion", 23)
        visitor = site.visitor()

        page = visitor.open("/devices?system=Infusion")
        assert (len(visitor.rows()), page.one(id="range").text) == (10, "1 to 10 of 23")
        assert not page.all(id="previous-page")
        first = hardware(visitor.rows())
        page = visitor.follow(page.one(id="next-page"))
        page = visitor.follow(page.one(id="next-page"))
        assert (len(visitor.rows()), page.one(id="range").text) == (3, "21 to 23 of 23")
        assert not page.all(id="next-page")
        assert not set(first) & set(hardware(visitor.rows()))
        page = visitor.open("/devices?system=Infusion&page=99")
        assert page.one(id="range").text == "21 to 23 of 23"
        page = visitor.follow(page.one(id="previous-page"))
        assert page.one(id="range").text == "11 to 20 of 23"


def test_details_show_everything_with_the_time(site: PageSite) -> None:
    """The detail view has the twenty columns of data and the history, dates with the time of day."""
    request = site.submit("SN-1")
    visitor = site.visitor()
    visitor.open("/devices?system=Infusion")

    page = visitor.follow(next(link for link in visitor.page.all("a") if link.text == "SN-1"))

    titles = [title for column, title in COLUMN_TITLES.items() if column is not Column.ACTIONS]
    assert page.one(id="facts").texts("dt") == titles
    facts = dict(zip(titles, page.one(id="facts").texts("dd"), strict=True))
    assert facts["Request ID"] == request.id
    assert re.fullmatch(r"\d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d", facts["Request created on"])
    assert facts["Response ID"] == "-"
    assert page.one(id="history").texts("span", _class="chip wait") == ["Needs approval"]
    assert [each["data-status"] for each in page.one(id="history").all("li")] == [
        "verifying",
        "needs_approval",
    ]
    assert page.one(id="status").text == "Needs approval"
    assert visitor.follow(page.one("a", id="approve-this")).one(id="panel-heading").text == "Approve PR"


def test_unknown_device_is_not_there(site: PageSite) -> None:
    """What is not there, or another organisation's, is said to be missing in a page."""
    site.service.add_organisation("other")
    visitor = site.visitor()

    assert visitor.ask("GET", "/devices/nothing").status_code == 404
    assert visitor.page.one("h1").text == "Not found"
    assert visitor.ask("GET", "/devices/changes?row=1.Cloud.nothing").status_code == 404
    assert visitor.ask("GET", "/devices/changes?row=nonsense").status_code == 404
    assert visitor.ask("GET", "/devices/changes").status_code == 204


def test_errors_show_label_and_code(site: PageSite) -> None:
    """An error is shown by its label; its code stands beside it."""
    kept, site.package_key = site.package_key, make_key()
    request = site.submit("SN-1")
    site.package_key = kept
    assert request.error_code is ErrorCode.MISSING_PR_SIGNER_KEY
    visitor = site.visitor()

    row = visitor.open("/devices?system=Infusion").one("tr", data_id=request.id)
    assert cells(row)["provisioning_status"] == "Missing PR signer key"
    assert row.one("span", title="MISSING_PR_SIGNER_KEY").text == "Missing PR signer key"
    assert visitor.open(f"/devices/{request.id}").one(id="error-code").text == "MISSING_PR_SIGNER_KEY"


def report(text: str) -> list[list[str]]:
    """Read a report."""
    return list(csv.reader(io.StringIO(text)))


def test_export_of_all_and_of_selected_devices(site: PageSite) -> None:
    """The report of all devices is of the system; that of selected ones has no other."""
    requests = [site.submit(f"SN-{number}") for number in range(3)]
    visitor = site.visitor()
    page = visitor.open("/devices?system=Infusion")
    menu = page.one(id="export")
    assert menu.texts("p") == ["All devices", "Selected devices"]

    visitor.ask("GET", menu.one("a", id="export-all-report")["href"])
    lines = report(visitor.answer.text)
    assert lines[0] == [
        *(title for column, title in COLUMN_TITLES.items() if column is not Column.ACTIONS),
        "Error code",
    ]
    assert {line[6] for line in lines[1:]} == {"SN-0", "SN-1", "SN-2"}
    assert visitor.answer.headers["content-type"].startswith("text/csv")
    assert "device-provisioning-report_Infusion_" in visitor.answer.headers["content-disposition"]
    visitor.ask(
        "GET", "/devices/report", params={"scope": "selected", "ids": requests[1].id, "system": "Infusion"}
    )
    assert [line[6] for line in report(visitor.answer.text)[1:]] == ["SN-1"]
    visitor.submit(page.one(id="selection"))
    assert visitor.messages == ["Select the devices to export first."]


def test_contrarian_choices_reach_the_pages() -> None:
    """Where nobody knows what the product does the pages do as the choices say, too."""
    with PageSite(replace(CONTRARIAN, page_size=1)) as site:
        site.system()
        site.submit("SN-1")
        site.submit("SN-2")
        visitor = site.visitor()

        page = visitor.open("/devices?system=Infusion")

        heads = [head["data-column"] for head in page.all("th") if head["data-column"]]
        assert heads == list(CONTRARIAN.default_columns)
        assert hardware(visitor.rows()) == ["SN-1"]
        assert "Verifying" in offered(page, "filter-statuses")
