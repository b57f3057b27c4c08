"""Approving, rejecting and provisioning on the Devices page, without a browser."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from harness_guardian.enums import Action, ErrorCode, ProvisionSource, Status
from harness_guardian.fake.pages import confirmation
from harness_guardian.fake.pages.wording import Acted, messages_about
from tests.guardian.fake.page_site import PageSite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.guardian.fake.page_site import Visitor

LIST = "/devices?system=Infusion"


@pytest.fixture
def site() -> Iterator[PageSite]:
    """A fake with one system of the Manual approval type."""
    with PageSite() as made:
        made.system()
        yield made


def bulk(visitor: Visitor) -> list[str]:
    """Return what the toolbar offers."""
    place = visitor.page.one(id="bulk")
    return [each.text for each in place.all() if each.tag in {"a", "span"}]


def panel_buttons(visitor: Visitor) -> list[str]:
    """Return the buttons of the confirmation panel."""
    return visitor.page.one(id="panel").texts("button")


def test_approve_one(site: PageSite) -> None:
    """Approve opens the panel and changes nothing; Approve PR in it approves, and a success is said."""
    request = site.submit("SN-1")
    visitor = site.visitor()
    visitor.open(LIST)

    visitor.press("Approve")
    assert request.status is Status.NEEDS_APPROVAL
    assert panel_buttons(visitor) == ["Approve PR", "Reject PR"]
    assert visitor.page.one(id="panel").one("dl").texts("dd")[0] == "SN-1"
    assert visitor.page.one(id="panel")["data-opener"] == f"approve-{request.id}"
    visitor.press("Approve PR")

    assert visitor.messages == ["Approved 1 PR: SN-1."]
    site.settle(request)
    assert (request.status, request.approved_by) == (Status.COMPLETE_PROVISIONING, "anna")
    visitor.open(LIST)
    assert visitor.messages == []
    assert visitor.rows()[0].texts("button", form="choose") == ["Provision"]


def test_reject_from_the_approval_panel(site: PageSite) -> None:
    """Who wanted to approve may still reject in the panel."""
    request = site.submit("SN-1")
    visitor = site.visitor()
    visitor.open(LIST)
    visitor.press("Approve")

    visitor.press("Reject PR")

    site.settle(request)
    assert request.status is Status.REJECTED_BY_USER
    assert visitor.messages == ["Rejected 1 PR: SN-1."]


def test_reject_one(site: PageSite) -> None:
    """Reject opens the panel; only Reject PR in it rejects."""
    request = site.submit("SN-1")
    visitor = site.visitor()
    visitor.open(LIST)

    visitor.press("Reject")
    assert panel_buttons(visitor) == ["Reject PR"]
    assert request.status is Status.NEEDS_APPROVAL
    visitor.press("Reject PR")

    site.settle(request)
    assert (request.status, request.rejected_by) == (Status.REJECTED_BY_USER, "anna")


def test_provision_one_and_its_profile(site: PageSite) -> None:
    """Provision opens the panel; Provision device provisions, and the profile is in the overflow then."""
    request = site.submit("SN-1")
    site.decide(Action.APPROVE, request)
    visitor = site.visitor()
    visitor.open(LIST)

    visitor.press("Provision")
    assert panel_buttons(visitor) == ["Provision device"]
    visitor.press("Provision device")
    assert visitor.messages == ["Provisioning begun for 1 device: SN-1."]
    site.settle(request)

    row = visitor.open(LIST).one("tr", data_id=request.id)
    assert row.texts("button", form="choose") == []
    overflow = row.one("details")
    assert overflow.one("summary").text == "..."
    assert [each.text for each in overflow.one("div").all() if each.tag in {"a", "button"}] == [
        "View history",
        "Copy request ID",
        "Download certified profile",
    ]
    visitor.ask("GET", overflow.all("a")[-1]["href"])
    assert visitor.answer.text == "eyJ.certified.profile"
    assert visitor.answer.headers["content-disposition"] == 'attachment; filename="SN-1.mccp"'


def test_counts_are_those_under_the_filter(site: PageSite) -> None:
    """The links count what the current filter shows, and their panels take exactly these."""
    pumps = [site.submit(f"SN-{number}") for number in range(3)]
    gateway = site.submit("SN-9", component="gateway")
    visitor = site.visitor()

    visitor.open(LIST)
    assert bulk(visitor) == ["Approve 4 PRs", "Reject 4 PRs", "Provision 0 devices"]
    visitor.open(f"{LIST}&component=pump")
    assert bulk(visitor) == ["Approve 3 PRs", "Reject 3 PRs", "Provision 0 devices"]
    assert visitor.page.one(id="bulk-provision")["aria-disabled"] == "true"
    visitor.follow(visitor.page.one("a", id="bulk-approve"))
    assert panel_buttons(visitor) == ["Approve 3 PRs", "Reject 3 PRs"]
    late = site.submit("SN-late")
    visitor.press("Approve 3 PRs")

    assert visitor.messages == ["Approved 3 PRs."]
    site.settle(*pumps)
    assert {request.status for request in pumps} == {Status.COMPLETE_PROVISIONING}
    assert {request.status for request in (gateway, late)} == {Status.NEEDS_APPROVAL}
    assert str(visitor.answer.url).endswith("component=pump")
    visitor.follow(visitor.open(f"{LIST}&component=pump").one("a", id="bulk-provision"))
    visitor.press("Provision 3 devices")
    assert visitor.messages == ["Provisioning begun for 3 devices."]
    site.settle(*pumps)
    assert {request.status for request in pumps} == {Status.PROVISIONED}


def test_bulk_rejection_is_summarised_first(site: PageSite) -> None:
    """Reject X PRs lists what is going to be rejected; only its button rejects."""
    requests = [site.submit(f"SN-{number}") for number in range(3)]
    visitor = site.visitor()
    visitor.open(LIST)

    visitor.follow(visitor.page.one("a", id="bulk-reject"))

    summary = visitor.page.one(id="summary")
    assert sorted(row.all("td")[0].text for row in summary.all("tr")[1:]) == ["SN-0", "SN-1", "SN-2"]
    assert [each.text for each in summary.all("tr")[1].all("td")[1:3]] == ["pump", "Ward A"]
    assert {request.status for request in requests} == {Status.NEEDS_APPROVAL}
    assert panel_buttons(visitor) == ["Reject 3 PRs"]
    visitor.press("Reject 3 PRs")
    site.settle(*requests)
    assert {request.status for request in requests} == {Status.REJECTED_BY_USER}
    assert visitor.messages == ["Rejected 3 PRs."]


def test_long_summary_says_how_many_more(site: PageSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """A summary lists a hundred and says how many more there are, so that the page stays small."""
    assert confirmation.MOST_SUMMARISED == 100
    monkeypatch.setattr(confirmation, "MOST_SUMMARISED", 2)
    for number in range(3):
        site.submit(f"SN-{number}")
    visitor = site.visitor()

    visitor.follow(visitor.open(LIST).one("a", id="bulk-reject"))

    assert len(visitor.page.one(id="summary").all("tr")) == 1 + 2
    assert visitor.page.texts("p", id="summary-rest") == ["and 1 more"]


def test_those_that_moved_on_are_named(site: PageSite) -> None:
    """Of several what another administrator decided meanwhile is named as a conflict; the others proceed."""
    requests = [site.submit(f"SN-{number}") for number in range(3)]
    visitor = site.visitor()
    visitor.open(LIST)
    visitor.follow(visitor.page.one("a", id="bulk-approve"))
    site.decide(Action.REJECT, requests[1])

    visitor.press("Approve 3 PRs")

    assert len(visitor.messages) == 2
    assert visitor.messages[0] == "Approved 2 PRs."
    assert visitor.messages[1].startswith("1 of 3 PRs could not be changed")
    assert "SN-1: it is Rejected by user" in visitor.messages[1]
    assert visitor.page.one("div", role="alert").text == visitor.messages[1]
    site.settle(*requests)
    assert requests[1].status is Status.REJECTED_BY_USER


def test_panel_of_what_moved_on_is_not_shown(site: PageSite) -> None:
    """A button of a page that is old opens no panel: what became of the request is said instead."""
    request = site.submit("SN-1")
    visitor = site.visitor()
    visitor.open(LIST)
    site.decide(Action.REJECT, request)

    visitor.press("Approve")
    assert visitor.messages == ["That is not possible any more: SN-1 is now Rejected by user."]
    assert not visitor.page.all(id="panel")
    visitor.open(f"{LIST}&bulk=approve")
    assert visitor.messages == ["Nothing under this filter waits for that any more."]
    visitor.open(f"{LIST}&approve=nothing")
    assert not visitor.page.all(id="panel")
    assert len(visitor.messages) == 1


def test_nothing_is_done_without_the_panel(site: PageSite) -> None:
    """A form that names a request changes nothing: only what a panel has shown can be confirmed, once."""
    request = site.submit("SN-1")
    visitor = site.visitor()
    page = visitor.open(LIST)
    csrf = page.all("input", name="csrf")[0]["value"]

    visitor.ask(
        "POST", "/devices/actions", data={"csrf": csrf, "action": "approve", "ids": request.id, "back": LIST}
    )
    assert visitor.messages == ["Nothing was changed: confirm it in the panel, which may be used once."]
    assert request.status is Status.NEEDS_APPROVAL
    visitor.press("Reject")
    asked = visitor.page.one("input", name="confirmation")["value"]
    sent = {"csrf": csrf, "action": "approve", "confirmation": asked}
    visitor.ask("POST", "/devices/actions", data=sent)
    assert request.status is Status.NEEDS_APPROVAL  # the panel asked for a rejection
    assert len(visitor.messages) == 1


def test_panel_of_a_system_that_went(site: PageSite) -> None:
    """What is gone with its system is said to be gone."""
    request = site.submit("SN-1")
    visitor = site.visitor()
    visitor.open(LIST)
    visitor.press("Approve")
    site.run(site.service.delete_system(site.user("bert"), "Infusion"))

    visitor.press("Approve PR")

    assert f"{request.id}: it is not there any more" in visitor.messages[0]


@pytest.mark.parametrize("name", ["rita", "liam"])
def test_others_get_no_action(site: PageSite, name: str) -> None:
    """Reporter and Limited see neither buttons nor links, and nothing they send acts."""
    request = site.submit("SN-1", by="liam")
    admin = site.visitor()
    admin.open(LIST)
    visitor = site.visitor(name)

    page = visitor.open(LIST)
    assert len(visitor.rows()) == 1
    assert visitor.rows()[0].texts("button", form="choose") == []
    assert bulk(visitor) == []
    assert visitor.open(f"/devices/{request.id}").all(id="approve-this") == []
    visitor.open(f"{LIST}&approve={request.id}")
    assert not visitor.page.all(id="panel")
    visitor.open(f"{LIST}&bulk=reject")
    assert not visitor.page.all(id="panel")
    admin.press("Approve")
    stolen = admin.page.one("input", name="confirmation")["value"]
    csrf = page.all("input", name="csrf")[0]["value"]
    visitor.ask("POST", "/devices/actions", data={"csrf": csrf, "action": "approve", "confirmation": stolen})
    assert request.status is Status.NEEDS_APPROVAL


def test_automatic_system_offers_nothing(site: PageSite) -> None:
    """Where the system approves by itself no user is asked."""
    site.system("Robot", "Automatic")
    site.fails_with = ErrorCode.FAIL_SIGN_DEVICE_CERTIFICATES
    site.submit("SN-1", system="Robot")
    visitor = site.visitor()

    visitor.open("/devices?system=Robot")

    assert bulk(visitor) == []
    assert visitor.rows()[0].texts("button", form="choose") == []
    assert (
        visitor.rows()[0].one("td", data_column="provisioning_status").text
        == "Vault could not sign certificates"
    )


def test_other_doors_rows_are_seen_not_changed(site: PageSite) -> None:
    """Rows of both Guardians are listed; only the one that it came in at offers actions and counts it."""
    site.submit("SN-1", door=ProvisionSource.APPLIANCE)

    cloud = site.visitor()
    cloud.open(LIST)
    assert len(cloud.rows()) == 1
    assert cloud.rows()[0].texts("button", form="choose") == []
    assert bulk(cloud)[0] == "Approve 0 PRs"
    appliance = site.visitor(door=ProvisionSource.APPLIANCE)
    appliance.open(LIST)
    assert appliance.rows()[0].texts("button", form="choose") == ["Approve", "Reject"]
    assert bulk(appliance)[0] == "Approve 1 PRs"
    assert "Appliance" in appliance.page.texts("span", _class="role")


def test_change_is_told_at_once(site: PageSite) -> None:
    """What a page watches answers when a row changes, at once when it changed before."""
    request = site.submit("SN-1")
    visitor = site.visitor()
    address = visitor.open(LIST).one(id="results")["data-watch"]
    assert address.startswith("/devices/changes?row=")

    async def watched() -> int:
        asked = asyncio.ensure_future(visitor.client.get(address))
        for _ in range(3):  # let it begin to wait
            await asyncio.sleep(0)
        assert not asked.done()
        site.service.act(site.user("bert"), ProvisionSource.CLOUD, request, Action.APPROVE)
        return (await asked).status_code

    assert site.run(watched()) == 200
    assert visitor.ask("GET", address).status_code == 200
    stranger = site.visitor("lena")
    assert stranger.ask("GET", address).status_code == 404


def test_part_of_a_page_takes_no_message(site: PageSite) -> None:
    """What the script fetches in the background leaves what is to be said for the next whole page."""
    request = site.submit("SN-1")
    visitor = site.visitor()
    visitor.open(LIST)
    visitor.press("Approve")
    hidden = {each["name"]: each["value"] for each in visitor.page.one(id="panel").all("input")}
    visitor.client.follow_redirects = False
    visitor.ask("POST", "/devices/actions", data={**hidden, "action": "approve"})
    site.settle(request)

    assert visitor.ask("GET", LIST, headers={"X-Guardian-Part": "yes"}).status_code == 200
    assert visitor.messages == []
    visitor.open(LIST)
    assert visitor.messages == ["Approved 1 PR: SN-1."]


def test_many_conflicts_are_named_in_part() -> None:
    """Of many conflicts ten are named, and how many more there are."""
    results = [Acted(hw_id=f"SN-{number}", problem="it moved") for number in range(12)]

    (message,) = messages_about(Action.PROVISION, results)

    assert not message.good
    assert message.text.startswith("12 of 12 devices could not be changed")
    assert len(message.details) == 11
    assert message.details[-1] == "and 2 more"
