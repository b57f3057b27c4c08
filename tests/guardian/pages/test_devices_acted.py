"""What the seed lets a user do on the Devices page, done in Chromium; the service tells what came of it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.guardian.pages.clinic import Clinic
    from tests.guardian.pages.looking import Looker


@pytest.fixture
def system(clinic: Clinic, request: pytest.FixtureRequest) -> Iterator[str]:
    """A system of the Manual approval type of the test's own."""
    name = clinic.system(request.node.name.replace("_", " ")[:60])
    yield name
    clinic.order("DELETE", f"/organisations/{clinic.name}/orders")
    clinic.dwell(0.0)


@contextmanager
def held(clinic: Clinic, system: str, status: str) -> Iterator[None]:
    """Keep the requests of a system in a status for a while."""
    hold = clinic.order("POST", "/holds", organisation=clinic.name, system=system, status=status)
    yield
    clinic.order("DELETE", f"/holds/{hold['id']}")


def row(identifier: str) -> str:
    """Return the selector of the row of a request."""
    return f'tr[data-id="{identifier}"]'


def buttons(looker: Looker, identifier: str) -> list[str]:
    """Return the buttons in the Actions column, without the overflow."""
    return looker.texts(f"{row(identifier)} td[data-column=actions] button[form=choose]")


def test_approve_individual_pr(looker: Looker, clinic: Clinic, system: str) -> None:
    """Approve, then Approve PR in the panel: Complete provisioning, approved by who pressed; it is said."""
    identifier = clinic.submit("SN-1", system)
    looker.open(f"/devices?system={system}")
    assert buttons(looker, identifier) == ["Approve", "Reject"]

    looker.press("Approve", row(identifier))
    looker.until(lambda: looker.all("#panel"), "the panel")
    assert looker.texts("#panel button") == ["Approve PR", "Reject PR"]
    assert clinic.row(identifier)["status"] == "needs_approval"
    looker.confirm("Approve PR")

    assert looker.messages == ["Approved 1 PR: SN-1."]
    assert clinic.rest(identifier) == "complete_provisioning"
    assert clinic.row(identifier)["approved_by"] == "anna"
    looker.until(lambda: looker.status(identifier) == "Complete provisioning", "the new status")
    assert buttons(looker, identifier) == ["Provision"]


def test_reject_at_the_point_of_approval(looker: Looker, clinic: Clinic, system: str) -> None:
    """Who opened the panel to approve may press Reject PR in it."""
    identifier = clinic.submit("SN-1", system)
    looker.open(f"/devices?system={system}")
    looker.press("Approve", row(identifier))

    looker.confirm("Reject PR")

    assert looker.messages == ["Rejected 1 PR: SN-1."]
    assert clinic.rest(identifier) == "rejected_by_user"


def test_reject_individual_pr(looker: Looker, clinic: Clinic, system: str) -> None:
    """Reject, then Reject PR in the panel: Rejected by user."""
    identifier = clinic.submit("SN-1", system)
    looker.open(f"/devices?system={system}")
    looker.press("Reject", row(identifier))
    looker.until(lambda: looker.all("#panel"), "the panel")
    assert looker.texts("#panel button") == ["Reject PR"]

    looker.confirm("Reject PR")

    assert looker.messages == ["Rejected 1 PR: SN-1."]
    assert clinic.rest(identifier) == "rejected_by_user"
    looker.until(lambda: looker.status(identifier) == "Rejected by user", "the new status")
    assert clinic.row(identifier)["rejected_by"] == "anna"


def test_provision_individual_device(looker: Looker, clinic: Clinic, system: str) -> None:
    """Provision, then Provision device in the panel: Provisioned."""
    identifier = clinic.submit("SN-1", system)
    clinic.act("approve", identifier)
    looker.open(f"/devices?system={system}")
    looker.press("Provision", row(identifier))
    looker.until(lambda: looker.all("#panel"), "the panel")
    assert looker.texts("#panel button") == ["Provision device"]

    looker.confirm("Provision device")

    assert looker.messages == ["Provisioning begun for 1 device: SN-1."]
    assert clinic.rest(identifier) == "provisioned"
    looker.until(lambda: looker.status(identifier) == "Provisioned", "the new status")
    assert clinic.row(identifier)["provisioned_by"] == "anna"


def test_bulk_approve_prs(looker: Looker, clinic: Clinic, system: str) -> None:
    """Approve X PRs counts those under the filter, and approves these and no others."""
    pumps = [clinic.submit(f"SN-{number}", system) for number in range(3)]
    gateway = clinic.submit("GW-1", system, component="gateway")
    looker.open(f"/devices?system={system}")
    assert looker.texts("#bulk > *") == ["Approve 4 PRs", "Reject 4 PRs", "Provision 0 devices"]
    looker.open(f"/devices?system={system}&component=pump")
    assert looker.texts("#bulk > *") == ["Approve 3 PRs", "Reject 3 PRs", "Provision 0 devices"]

    looker.press("Approve 3 PRs")
    looker.until(lambda: looker.all("#panel"), "the panel")
    assert looker.texts("#panel button") == ["Approve 3 PRs", "Reject 3 PRs"]
    looker.confirm("Approve 3 PRs")

    assert looker.messages == ["Approved 3 PRs."]
    assert {clinic.rest(each) for each in pumps} == {"complete_provisioning"}
    assert clinic.rest(gateway) == "needs_approval"


def test_bulk_reject_prs(looker: Looker, clinic: Clinic, system: str) -> None:
    """Reject X PRs shows a summary of the PRs first; only its confirmation rejects."""
    pumps = [clinic.submit(f"SN-{number}", system) for number in range(3)]
    looker.open(f"/devices?system={system}")

    looker.press("Reject 3 PRs")
    looker.until(lambda: looker.all("#summary"), "the summary")
    assert sorted(looker.texts("#summary tbody td:first-child")) == ["SN-0", "SN-1", "SN-2"]
    assert {clinic.row(each)["status"] for each in pumps} == {"needs_approval"}
    looker.confirm("Reject 3 PRs")

    assert looker.messages == ["Rejected 3 PRs."]
    assert {clinic.rest(each) for each in pumps} == {"rejected_by_user"}


def test_bulk_provision_devices(looker: Looker, clinic: Clinic, system: str) -> None:
    """Provision X devices provisions all approved ones under the filter."""
    pumps = [clinic.submit(f"SN-{number}", system) for number in range(2)]
    clinic.act("approve", *pumps)
    looker.open(f"/devices?system={system}")

    looker.press("Provision 2 devices")
    looker.confirm("Provision 2 devices")

    assert looker.messages == ["Provisioning begun for 2 devices."]
    assert {clinic.rest(each) for each in pumps} == {"provisioned"}


def test_conflict_is_said(looker: Looker, clinic: Clinic, system: str) -> None:
    """What another administrator decided while the panel was open is named, and the others proceed."""
    first, second = (clinic.submit(f"SN-{number}", system) for number in range(2))
    looker.open(f"/devices?system={system}")
    looker.press("Approve 2 PRs")
    looker.until(lambda: looker.all("#panel"), "the panel")
    clinic.act("reject", first)

    looker.confirm("Approve 2 PRs")

    assert looker.messages[0] == "Approved 1 PR: SN-1."
    assert "SN-0: it is Rejected by user" in looker.messages[1]
    assert looker.one("#messages .problem").get_attribute("role") == "alert"
    assert clinic.rest(second) == "complete_provisioning"


def test_transient_statuses_change_by_themselves(looker: Looker, clinic: Clinic, system: str) -> None:
    """Verifying... and Approving... are seen while they last, and go without anybody's doing."""
    with held(clinic, system, "verifying"):
        made = clinic.made("SN-1", system)
        clinic.hand_in(made)
        looker.open(f"/devices?system={system}")
        assert looker.status(made.request_id) == "Verifying..."
        assert buttons(looker, made.request_id) == []
    looker.until(lambda: looker.status(made.request_id) == "Needs approval", "Needs approval")
    assert looker.texts("#bulk > *")[0] == "Approve 1 PRs"

    with held(clinic, system, "approving"):
        looker.press("Approve", row(made.request_id))
        looker.confirm("Approve PR")
        assert looker.status(made.request_id) == "Approving..."
    looker.until(lambda: looker.status(made.request_id) == "Complete provisioning", "Complete provisioning")


def test_rejecting_is_seen(looker: Looker, clinic: Clinic, system: str) -> None:
    """Rejecting... is seen while it lasts, also after a bulk rejection."""
    identifier = clinic.submit("SN-1", system)
    looker.open(f"/devices?system={system}")
    with held(clinic, system, "rejecting"):
        looker.press("Reject 1 PRs")
        looker.confirm("Reject 1 PRs")
        assert looker.status(identifier) == "Rejecting..."
    looker.until(lambda: looker.status(identifier) == "Rejected by user", "Rejected by user")


@pytest.fixture(scope="module")
def robots(clinic: Clinic) -> str:
    """A system of the Automatic approval type."""
    return clinic.system("Acting robots", "Automatic")


def test_automatic_statuses_change_by_themselves(looker: Looker, clinic: Clinic, robots: str) -> None:
    """Auto-approved, Provisioning and Provisioned follow each other on the page without a press."""
    made = clinic.made("SN-1", robots)
    with held(clinic, robots, "provisioning"):
        with held(clinic, robots, "auto_approved"):
            clinic.hand_in(made)
            looker.open(f"/devices?system={robots}&hw_id=SN-1")
            looker.until(lambda: looker.status(made.request_id) == "Auto-approved", "Auto-approved")
        looker.until(lambda: looker.status(made.request_id) == "Provisioning", "Provisioning")
    looker.until(lambda: looker.status(made.request_id) == "Provisioned", "Provisioned")


def test_automatic_type_offers_no_approval(looker: Looker, clinic: Clinic, robots: str) -> None:
    """Where the system approves by itself there is nothing to approve, reject or provision."""
    with held(clinic, robots, "auto_approved"):
        made = clinic.made("SN-2", robots)
        clinic.hand_in(made)
        looker.open(f"/devices?system={robots}&hw_id=SN-2")

        assert looker.texts("#bulk > *") == []
        assert buttons(looker, made.request_id) == []


def test_selection_outlives_a_change(looker: Looker, clinic: Clinic, system: str) -> None:
    """When the table changes by itself what was selected stays selected, and the focus where it was."""
    first, second = (clinic.submit(f"SN-{number}", system) for number in range(2))
    looker.open(f"/devices?system={system}")
    looker.one(f'input[value="{first}"]').click()
    looker.script("document.getElementById(arguments[0]).focus()", f"reject-{first}")

    clinic.act("approve", second)

    looker.until(lambda: looker.status(second) == "Complete provisioning", "the change")
    assert looker.one(f'input[value="{first}"]').is_selected()
    assert looker.focused.get_attribute("id") == f"reject-{first}"
    looker.key(Keys.ENTER)
    looker.until(lambda: looker.all("#panel"), "the panel")
    assert looker.texts("#panel button") == ["Reject PR"]
