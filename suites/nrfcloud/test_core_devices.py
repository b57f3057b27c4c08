"""Onboarded devices: the rest of nRF Cloud, which knows nothing of claims, provisioning tags and rules.

Calls: nrfcloud fact sheet, section 2.10; what provisioning and the rest share, and what not: section 2.6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard

pytestmark = pytest.mark.board(driver="nrf91", needs={"attestation"})

DETAILS = pytest.mark.backend(needs={"core-details"})


@pytest.mark.parametrize("content_type", ["text/csv", "text/plain"])
@pytest.mark.proves("onboard", "202, SUCCEEDED, the device is shown as the row says")
def test_onboarded_by_a_row(nrfcloud: Any, row: Any, content_type: str) -> None:
    """Both types that Nordic's clients send onboard a device with its subtype, tags and firmware types."""
    wanted = row(sub_type="tracker", tags=("red", "Oslo"), firmware_types=("APP", "BOOT"))

    result = nrfcloud.core.onboard([wanted], content_type=content_type)

    assert (result.status, dict(result.errors)) == ("SUCCEEDED", {})
    (device,) = [each for each in nrfcloud.core.devices() if each.id == wanted.id]
    assert (device.sub_type, device.tags, device.firmware_types) == (
        "tracker",
        ("red", "Oslo"),
        ("APP", "BOOT"),
    )
    assert nrfcloud.core.device(wanted.id).tags == device.tags


@pytest.mark.proves("onboard", "202, FAILED, the row by its number counted from 0")
def test_row_that_is_refused(nrfcloud: Any, row: Any) -> None:
    """The summary of errors names the row that was refused, and its device does not appear."""
    good, bad = row(), row("no-certificate", certificate="-----BEGIN nothing")

    result = nrfcloud.core.onboard([good, bad])

    assert result.status == "FAILED"
    assert list(result.errors) == [1]
    assert "certificate" in result.errors[1]
    assert not nrfcloud.core.has("no-certificate")


@DETAILS
@pytest.mark.proves("onboard", "202, rows that are refused stop no other and shift no number")
def test_rows_that_are_refused_among_others(nrfcloud: Any, row: Any) -> None:
    """Certificates have many lines: rows are counted, and not lines."""
    rows = [row("first"), row("x" * 65), row("third"), row("first"), row("fifth", firmware_types=("FLASH",))]

    result = nrfcloud.core.onboard(rows)

    assert sorted(result.errors) == [1, 3, 4]
    assert "already" in result.errors[3]
    assert "FLASH" in result.errors[4]
    assert [device.id for device in nrfcloud.core.devices()] == ["first", "third"]


@pytest.mark.proves("onboard", "202, FAILED for a device that is onboarded already, which stays as it is")
def test_onboarded_twice(nrfcloud: Any, onboarded: Any, row: Any) -> None:
    """A second onboarding is refused and changes nothing of the first."""
    result = nrfcloud.core.onboard([row(sub_type="another")])

    assert (result.status, list(result.errors)) == ("FAILED", [0])
    assert onboarded.refresh().sub_type == ""


@DETAILS
@pytest.mark.proves("onboard", "400 for 1001 rows, nothing is onboarded")
def test_too_many_rows(nrfcloud: Any, board: LeasedBoard, refused: Any, row: Any) -> None:
    """A thousand rows are taken at most."""
    with refused(400):
        nrfcloud.core.onboard([row(f"device-{number}") for number in range(1001)])

    assert nrfcloud.core.devices() == []


@DETAILS
@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        pytest.param("application/json", b'{"id": "x"}', 415, id="json"),
        pytest.param("text/csv", b"", 400, id="empty"),
        pytest.param("text/csv", b'x,y,z,APP,"open', 400, id="open quote"),
        pytest.param("text/csv", b"\xff\xfe", 400, id="no text"),
    ],
)
@pytest.mark.proves("onboard", "400 or 415 for a body that is no rows")
def test_body_that_is_no_rows(
    board: LeasedBoard, nrfcloud: Any, content_type: str, body: bytes, status: int
) -> None:
    """What is no CSV is refused as a whole, with the reason."""
    answer = nrfcloud.raw.request("POST", "/v1/devices", content=body, headers={"Content-Type": content_type})

    assert answer.status_code == status
    assert answer.json()["message"]


@DETAILS
@pytest.mark.proves("bulk operation", "200, every value is a string; errors are told without a key")
def test_bulk_operation_as_clients_read_it(nrfcloud: Any, row: Any) -> None:
    """Nordic's client joins the values as texts, and asks for the summary without its key."""
    result = nrfcloud.core.onboard([row("bad id")])

    told = nrfcloud.raw.request("GET", f"/v1/bulk-ops-requests/{result.operation_id}").json()

    assert told["status"] == "FAILED"
    assert all(isinstance(value, str) for value in told.values())
    summary = nrfcloud.raw.request("GET", told["errorSummaryUrl"], headers={"Authorization": ""}).json()
    assert [error.partition(":")[0] for error in summary["errors"]] == ["[0]"]


@pytest.mark.proves("bulk operation", "404 for one that there is not")
def test_bulk_operation_that_there_is_not(board: LeasedBoard, nrfcloud: Any, refused: Any) -> None:
    """An operation that nobody began is not found."""
    with refused(404):
        nrfcloud.core.result_of("00000000-0000-4000-8000-000000000000")


@pytest.mark.proves("read onboarded device", "404 for one that there is not")
def test_device_that_there_is_not(board: LeasedBoard, nrfcloud: Any, claimed: Any) -> None:
    """A claim alone onboards nothing: the claimed board is no onboarded device."""
    assert not nrfcloud.core.has(claimed.id)
    answer = nrfcloud.core.send("GET", f"/v1/devices/{claimed.id}")

    assert answer.status_code == 404


@pytest.mark.proves("list onboarded devices", "200, over several pages")
def test_list_over_pages(nrfcloud: Any, board: LeasedBoard, row: Any) -> None:
    """Pages of twenty, as Nordic's tool asks for them, hold every device once."""
    ids = [f"{board.driver.device_uuid()}-{number}" for number in range(23)]
    nrfcloud.core.onboard([row(each) for each in ids])
    found: list[str] = []
    query = {"pageLimit": "20", "includeState": "false", "includeStateMeta": "false", "pageSort": "desc"}

    while True:
        page = nrfcloud.core.send("GET", "/v1/devices", params=query).json()
        found += [item["id"] for item in page["items"]]
        if "pageNextToken" not in page:
            break
        query["pageNextToken"] = page["pageNextToken"]

    assert sorted(set(ids) & set(found)) == sorted(ids)
    assert len(found) == len(set(found))


@DETAILS
@pytest.mark.proves("list onboarded devices", "200, newest first, or only what a filter names")
def test_list_as_it_is_asked_for(nrfcloud: Any, board: LeasedBoard, row: Any) -> None:
    """Order, firmware types, ids and tags, as Nordic's tool asks for them."""
    nrfcloud.core.onboard(
        [row("a", firmware_types=("APP",)), row("b", tags=("t",)), row("c", firmware_types=("MODEM", "BOOT"))]
    )

    def ids(**query: Any) -> list[str]:
        answer = nrfcloud.core.send("GET", "/v1/devices", params=query)
        return [item["id"] for item in answer.json()["items"]]

    assert ids(pageSort="desc") == ["c", "b", "a"]
    assert ids(firmwareSupport="BOOT") == ["c"]
    assert ids(firmwareSupport=["APP", "BOOT"]) == ["a", "b", "c"]
    assert ids(deviceIds="a") == ["a"]
    assert ids(tags="t") == ["b"]


@DETAILS
@pytest.mark.proves("list onboarded devices", "400 for a query that cannot be")
@pytest.mark.parametrize(
    "query", [{"pageSort": "up"}, {"firmwareSupport": "FLASH"}, {"pageLimit": "0"}], ids=str
)
def test_list_that_cannot_be(board: LeasedBoard, nrfcloud: Any, query: dict[str, str]) -> None:
    """A query with a value that is none is refused with its name."""
    answer = nrfcloud.core.send("GET", "/v1/devices", params=query)

    assert answer.status_code == 400
    assert next(iter(query)) in answer.json()["message"]


@pytest.mark.proves("delete onboarded device", "the device is gone, and may be onboarded again")
def test_deleted_device(nrfcloud: Any, onboarded: Any, row: Any) -> None:
    """A deleted device is neither listed nor found, a second time there is nothing to delete."""
    onboarded.delete()

    assert not nrfcloud.core.has(onboarded.id)
    assert onboarded.id not in {device.id for device in nrfcloud.core.devices()}
    assert nrfcloud.core.send("DELETE", f"/v1/devices/{onboarded.id}").status_code >= 400
    assert nrfcloud.core.onboard([row()]).status == "SUCCEEDED"


@pytest.mark.proves("device name", "the device is shown by its new name")
def test_name(nrfcloud: Any, onboarded: Any) -> None:
    """A name is shown when the device is read and when it is listed; its id stays."""
    onboarded.rename("On the roof")

    assert onboarded.refresh().name == "On the roof"
    assert [each.name for each in nrfcloud.core.devices() if each.id == onboarded.id] == ["On the roof"]


@DETAILS
@pytest.mark.proves("device state", "changes add up, null takes away")
def test_state(onboarded: Any) -> None:
    """The shadow is merged key by key."""
    onboarded.update_state({"desired": {"led": "on", "rate": {"slow": 1, "fast": 2}}})
    onboarded.update_state({"desired": {"led": None, "rate": {"slow": 3}}, "reported": {"ok": True}})

    state = onboarded.refresh().state
    assert state == {"desired": {"rate": {"slow": 3, "fast": 2}}, "reported": {"ok": True}}


@DETAILS
@pytest.mark.parametrize(
    ("method", "part", "body"),
    [
        ("PUT", "name", b'"Hugo"'),
        ("PUT", "name", b"[]"),
        ("PUT", "name", b'["a", "b"]'),
        ("PATCH", "state", b"[1]"),
        ("PATCH", "state", b"{"),
        ("PATCH", "state", b'{"desired":' * 30 + b"1" + b"}" * 30),
    ],
    ids=lambda value: None if isinstance(value, str) else value[:12],
)
@pytest.mark.proves("device state", "400 for what is no change, the device stays as it is")
def test_change_that_is_none(nrfcloud: Any, onboarded: Any, method: str, part: str, body: bytes) -> None:
    """Anything but a list of one name, and an object of bounded depth, is refused."""
    before = nrfcloud.core.read(onboarded.id)

    answer = nrfcloud.core.send(method, f"/v1/devices/{onboarded.id}/{part}", content=body)

    assert answer.status_code == 400
    assert nrfcloud.core.read(onboarded.id) == before


@DETAILS
@pytest.mark.proves("update job", "201 for devices and for tags, listed until it is taken back")
def test_update_jobs(nrfcloud: Any, board: LeasedBoard, row: Any) -> None:
    """An update is ordered for devices or for a tag of the core."""
    nrfcloud.core.onboard([row(tags=("red",))])
    bundle = next(each for each in nrfcloud.core.firmwares() if each.type == "MODEM")

    jobs = [
        nrfcloud.core.order_update(bundle.id, device_ids=[row().id]),
        nrfcloud.core.order_update(bundle.id, tags=["red"]),
    ]

    listed = nrfcloud.core.send("GET", "/v1/fota-jobs").json()["items"]
    assert [(job["jobId"], job["deviceIds"], job["tags"]) for job in listed] == [
        (jobs[0], [row().id], []),
        (jobs[1], [], ["red"]),
    ]


@DETAILS
@pytest.mark.parametrize("wanted", [{}, {"device_ids": ["x"], "tags": ["y"]}, {"device_ids": ["x"]}], ids=str)
@pytest.mark.proves("update job", "400 for nobody, for two ways at once, and for a device that there is not")
def test_update_job_that_cannot_be(
    board: LeasedBoard, nrfcloud: Any, refused: Any, wanted: dict[str, Any]
) -> None:
    """An update is for devices of the team, or for a tag."""
    bundle = nrfcloud.core.firmwares()[0]

    with refused(400):
        nrfcloud.core.order_update(bundle.id, **wanted)

    assert nrfcloud.core.send("GET", "/v1/fota-jobs").json()["items"] == []


@DETAILS
@pytest.mark.proves("update job", "400 for a bundle that there is not")
def test_update_job_without_a_bundle(board: LeasedBoard, nrfcloud: Any, refused: Any) -> None:
    """Only what is listed can be ordered."""
    with refused(400):
        nrfcloud.core.order_update("APP*no-such-bundle", tags=["red"])


@pytest.mark.backend(needs={"teams"})
@pytest.mark.proves("read onboarded device", "404 for another team's device")
def test_device_of_another_team(nrfcloud: Any, onboarded: Any, refused: Any, row: Any) -> None:
    """Another team sees, names and deletes nothing of ours, and may have a device of the same id."""
    other = nrfcloud.another_team().core

    assert other.devices() == []
    for call in (other.device, other.delete, lambda each: other.rename(each, "theirs")):
        with refused(404):
            call(onboarded.id)
    assert other.onboard([row(sub_type="theirs")]).status == "SUCCEEDED"
    assert (onboarded.refresh().name, onboarded.sub_type) != ("theirs", "theirs")


@pytest.mark.parametrize("path", ["/v1/devices", "/v1/account", "/v1/firmwares", "/v1/devices/x"])
@pytest.mark.proves("list onboarded devices", "401 without the key of a team")
def test_core_without_a_key(board: LeasedBoard, nrfcloud: Any, path: str) -> None:
    """Nobody reads anything of the core without a team's key."""
    answer = nrfcloud.core.send("GET", path, headers={"Authorization": "Bearer wrong"})

    assert answer.status_code == 401


@pytest.mark.proves("account", "200, the id of the team")
def test_account(board: LeasedBoard, nrfcloud: Any) -> None:
    """The account has the id of the team, which is that of its claims where the service tells."""
    tenant = nrfcloud.core.tenant_id()

    assert tenant
    assert not nrfcloud.owner_id or tenant == nrfcloud.owner_id
