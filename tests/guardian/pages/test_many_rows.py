"""Ten thousand rows: the document never holds more than 500 of them, and every page and filter is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.guardian.pages.clinic import Clinic
    from tests.guardian.pages.looking import Looker

SYSTEM = "Crowded pumps"
ROWS = 10_000
MOST = 500


@pytest.fixture(scope="module")
def counts(clinic: Clinic) -> dict[str, int]:
    """Make the rows; how many there are of each status, as the service counts them."""
    clinic.system(SYSTEM)
    clinic.rows(SYSTEM, ROWS)
    statuses = ("needs_approval", "complete_provisioning", "provisioned")
    return {
        status: clinic.ask(
            "GET", "/provisioning-requests", params={"system": SYSTEM, "status": status, "limit": "1"}
        ).json()["total"]
        for status in statuses
    }


def rows(looker: Looker) -> int:
    """Return how many rows of tables the document has, wherever they are."""
    number: int = looker.script("return document.querySelectorAll('tbody tr').length")
    return number


def test_first_page_of_ten_thousand(looker: Looker, counts: dict[str, int]) -> None:
    """The first hundred are shown, and how many there are."""
    looker.open(f"/devices?system={SYSTEM}")

    assert rows(looker) == 100
    assert looker.one("#range").text == "1 to 100 of 10,000"
    assert looker.texts("#bulk > *") == [
        f"Approve {counts['needs_approval']} PRs",
        f"Reject {counts['needs_approval']} PRs",
        f"Provision {counts['complete_provisioning']} devices",
    ]
    looker.go("Next")
    assert looker.one("#range").text == "101 to 200 of 10,000"
    assert rows(looker) == 100
    looker.go("Previous")
    assert looker.one("#range").text == "1 to 100 of 10,000"


def test_filter_of_ten_thousand(looker: Looker, counts: dict[str, int]) -> None:
    """A filter counts as the service does; the history of all of them is paged, too."""
    looker.open(f"/devices?system={SYSTEM}")
    looker.one("#quick-status").send_keys("Provisioned")

    looker.go("Show", "#quick-filters")

    assert looker.one("#range").text == f"1 to 100 of {counts['provisioned']:,}"
    assert set(looker.texts("#devices td[data-column=provisioning_status]")) == {"Provisioned"}
    looker.open(f"/devices?system={SYSTEM}&view=history")
    assert rows(looker) == 100


def test_summary_of_thousands(looker: Looker, counts: dict[str, int]) -> None:
    """The summary before a bulk rejection names the first hundred and counts the rest."""
    looker.open(f"/devices?system={SYSTEM}")

    looker.press(f"Reject {counts['needs_approval']} PRs")

    looker.until(lambda: looker.all("#summary"), "the summary")
    assert rows(looker) <= MOST
    assert looker.one("#summary-rest").text == f"and {counts['needs_approval'] - 100} more"
    looker.press("Cancel", "#panel")
    assert looker.all("#panel") == []
