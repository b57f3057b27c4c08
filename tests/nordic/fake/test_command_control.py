"""Listing, deleting, resetting, discarding; what a device may still say of what is gone (fact sheet, 2.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.backends.contract import FakeSettings
from harness.errors import UsageError
from harness_nordic.fake.app import create

if TYPE_CHECKING:
    import httpx

    from tests.nordic.fake.conftest import Site

OK = "OK\r\n"
CA: dict[str, Any] = {"serverCertificate": {"secTag": 5, "content": "PEM"}}
FINISHED: dict[str, Any] = {"finished": {}}
FAILURE = [99, 518, "+CME ERROR: 518\r\n"]


def control(site: Site, method: str, path: str = "", **content: Any) -> httpx.Response:
    """Call something below the device's commands."""
    return site.ask(method, f"/v1/claimed-devices/{site.device.id}/provisioning{path}", **content)


def listed(site: Site) -> list[tuple[str, str]]:
    """Return id and status of every command."""
    items = control(site, "GET", params={"pageLimit": "100"}).json()["items"]
    return [(item["id"], item["status"]) for item in items]


def ids(site: Site, **query: Any) -> list[str]:
    """Fetch; return the correlation ids."""
    return [element[0] for element in site.served(**query)]


def test_pages(claimed: Site) -> None:
    """Pages of ten by default, a total, and the promise of more only where there is more."""
    made = [claimed.add(CA)["id"] for _number in range(11)]

    first = control(claimed, "GET").json()
    second = control(claimed, "GET", params={"pageNextToken": first["pageNextToken"]}).json()

    assert [item["id"] for item in first["items"]] == made[:10]
    assert [item["id"] for item in second["items"]] == made[10:]
    assert (first["total"], second["total"]) == (11, 11)
    assert "pageNextToken" not in second


def test_page_after_a_deletion(claimed: Site) -> None:
    """A page begins behind the one before it, though what that one ended with is gone."""
    made = [claimed.add(CA)["id"] for _number in range(12)]
    token = control(claimed, "GET").json()["pageNextToken"]
    assert control(claimed, "DELETE", f"/{made[9]}").status_code == 204
    assert control(claimed, "DELETE", f"/{made[10]}").status_code == 204

    page = control(claimed, "GET", params={"pageNextToken": token}).json()

    assert [item["id"] for item in page["items"]] == made[11:]


@pytest.mark.parametrize(
    "query", [{"pageLimit": "0"}, {"pageLimit": "101"}, {"pageNextToken": "x"}], ids=repr
)
def test_unfit_pages(claimed: Site, query: dict[str, str]) -> None:
    """A page that cannot be is 400."""
    assert control(claimed, "GET", params=query).status_code == 400


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("POST", "/reset"), ("POST", "/discard"), ("DELETE", "/x")]
)
def test_unclaimed_device(site: Site, method: str, path: str) -> None:
    """Nobody's device has no commands."""
    assert control(site, method, path).status_code == 404


def test_ids_stay_different_after_deletions(claimed: Site) -> None:
    """A new command never gets the number of one that is gone: order and ``after`` depend on it."""
    first, second = claimed.add(CA), claimed.add(CA)
    assert control(claimed, "DELETE", f"/{second['id']}").status_code == 204
    third = claimed.add(CA)

    assert ids(claimed) == [f"{first['id']}.1", f"{third['id']}.3"]


def test_after_names_a_deleted_command(claimed: Site) -> None:
    """What a device did before a command that is gone now is not served again, though its report was lost."""
    lost, reported = claimed.add(CA), claimed.add(CA)
    first, second = ids(claimed)
    assert claimed.report([second, 100, OK]) == 200
    assert control(claimed, "DELETE", f"/{reported['id']}").status_code == 204
    new = claimed.add(CA)

    assert ids(claimed, after=second) == [f"{new['id']}.3"]
    assert claimed.command(lost)["status"] == "IN_PROGRESS"
    assert ids(claimed) == [first, f"{new['id']}.3"]


def test_report_of_a_deleted_command(claimed: Site) -> None:
    """A device may repeat what it said of a command that was deleted; a command it never got it may not."""
    done, waits = claimed.add(CA), claimed.add(CA)
    (identifier,) = ids(claimed, limit="1")
    assert claimed.report([identifier, 100, OK]) == 200
    for command in (done, waits):
        assert control(claimed, "DELETE", f"/{command['id']}").status_code == 204
    assert claimed.status() == "READY"

    assert claimed.report([identifier, *FAILURE]) == 200
    assert claimed.report([f"{waits['id']}.2", 100, OK]) == 400
    assert (claimed.status(), listed(claimed)) == ("READY", [])


def test_report_after_a_discard(claimed: Site) -> None:
    """What the device had in hand when its queue was discarded it may report; it changes nothing."""
    claimed.add({"cloudAccessKeyGeneration": {"secTag": 5}})
    preparation, main = ids(claimed)
    assert control(claimed, "POST", "/discard").status_code == 204

    assert claimed.report([preparation, 100, OK], [main, *FAILURE]) == 200
    assert (claimed.status(), listed(claimed)) == ("READY", [])


def test_report_after_a_reset(claimed: Site) -> None:
    """After a reset a command waits anew, so a report from before is refused, and it is served again."""
    command = claimed.add(CA)
    (identifier,) = ids(claimed)
    assert control(claimed, "POST", "/reset").status_code == 204
    assert claimed.command(command)["status"] == "PENDING"

    assert claimed.report([identifier, 100, OK]) == 400
    assert claimed.command(command)["status"] == "PENDING"
    assert ids(claimed, after=identifier) == [identifier]


def test_deleted_after_a_reset(claimed: Site) -> None:
    """A command that the device got is remembered as such, also when it waited again before it went."""
    command = claimed.add(CA)
    (identifier,) = ids(claimed)
    control(claimed, "POST", "/reset")
    assert control(claimed, "DELETE", f"/{command['id']}").status_code == 204

    assert claimed.report([identifier, 100, OK]) == 200
    assert claimed.status() == "READY"


def test_reset_of_a_whole_batch(claimed: Site) -> None:
    """Done stays done; failed, in progress and waiting are PENDING in their old order."""
    commands = [claimed.add(CA) for _number in range(4)]
    first, second, *_rest = ids(claimed, limit="3")
    assert claimed.report([first, 100, OK], [second, *FAILURE]) == 200
    assert [status for _id, status in listed(claimed)] == ["SUCCEEDED", "FAILED", "PENDING", "PENDING"]

    assert control(claimed, "POST", "/reset").status_code == 204

    assert claimed.status() == "PENDING"
    assert listed(claimed) == [
        (command["id"], status)
        for command, status in zip(commands, ["SUCCEEDED", *["PENDING"] * 3], strict=True)
    ]
    assert [identifier.partition(".")[0] for identifier in ids(claimed)] == [
        each["id"] for each in commands[1:]
    ]


def test_command_that_can_never_fit_is_reset_and_deleted(claimed: Site) -> None:
    """A command too large for its device fails again after a reset; a discard leaves it to be read."""
    large = claimed.add({"serverCertificate": {"secTag": 5, "content": "x" * 3000}})
    for _time in range(2):
        assert claimed.fetch(rxMaxSize="2304").status_code == 204
        assert claimed.status() == "ERROR"
        control(claimed, "POST", "/reset")
    assert claimed.fetch(rxMaxSize="2304").status_code == 204
    assert control(claimed, "POST", "/discard").status_code == 204
    assert (claimed.status(), listed(claimed)) == ("READY", [(large["id"], "FAILED")])


def test_twenty_open_at_most(claimed: Site) -> None:
    """A failed command takes no room until a reset would open it again."""
    failed = claimed.add(CA)
    claimed.report([ids(claimed)[0], *FAILURE])
    for _number in range(20):
        claimed.add(FINISHED)

    refusal = control(claimed, "POST", "/reset")

    assert (refusal.status_code, claimed.status()) == (400, "ERROR")
    assert "20" in refusal.json()["message"]
    assert claimed.command(failed)["status"] == "FAILED"


def test_dropped_behind_an_error(claimed: Site) -> None:
    """Where the queue behind an error is dropped, what the device says of it is ignored."""
    order = {"owner": claimed.ask("GET", "/v1/claimed-devices").json()["items"][0]["ownerId"]}
    assert (
        claimed.control.ask("POST", "/after-error", json={**order, "after_error": "drop"}).status_code == 204
    )
    bad, behind = claimed.add(CA), claimed.add(CA)
    first, second = ids(claimed)

    assert claimed.report([first, *FAILURE], [second, 100, OK]) == 200

    assert (claimed.status(), listed(claimed)) == ("ERROR", [(bad["id"], "FAILED")])
    assert control(claimed, "GET", f"/{behind['id']}").status_code == 404
    claimed.control.ask("POST", "/after-error", json={**order, "after_error": None})
    control(claimed, "POST", "/reset")
    waits = claimed.add(CA)
    claimed.report([ids(claimed)[0], *FAILURE])
    assert listed(claimed) == [(bad["id"], "FAILED"), (waits["id"], "PENDING")]


@pytest.mark.parametrize(
    "body", [{}, {"owner": "x", "after_error": "drop"}, {"owner": "0" * 8, "after_error": "keep"}], ids=repr
)
def test_unfit_orders(site: Site, body: dict[str, str]) -> None:
    """Another way that does not exist is 400."""
    assert site.control.ask("POST", "/after-error", json=body).status_code == 400


def test_option_after_error() -> None:
    """The fake can be started with the other way; a way that does not exist is refused in words."""
    assert create(FakeSettings(options={"after-error": "drop"})).provisioning._after_error == "drop"
    with pytest.raises(UsageError, match=r"after-error: no such behaviour.*keep.*withhold or drop"):
        create(FakeSettings(options={"after-error": "keep"}))
