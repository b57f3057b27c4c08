"""Several devices by the typed client: claimed by rows, listed by pages, and looped over."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from harness.backends.answers import parse_answer
from harness.backends.contract import BackendSession
from harness.errors import BackendFault, BackendUnreachable, RequestRefused, UsageError
from harness_nordic.client import NrfCloudClient, connect, enrol
from harness_nordic.client_bulk import FailedRow
from harness_nordic.client_models import BulkRecord
from harness_nordic.enums import DeviceStatus
from tests.nordic.client.conftest import Device

if TYPE_CHECKING:
    from harness.backends.contract import Backend, Exchange


@pytest.fixture
def devices(backend: Backend) -> list[Device]:
    """Make three devices that the factory registered."""
    made = [Device() for _number in range(3)]
    for device in made:
        enrol(backend, device.record)
    return made


def test_claim_of_many(client: NrfCloudClient, devices: list[Device], secrets: list[tuple[str, str]]) -> None:
    """Devices come with all that the service says of them, failed rows with their numbers and reasons."""
    first, second, third = devices
    tokens = [device.token() for device in devices]

    outcome = client.claim_many([(tokens[0], ["Oslo", "white"]), "no-token", tokens[1], (tokens[2], [])])

    assert [device.id for device in outcome.claimed] == [first.id, second.id, third.id]
    assert [device.tags for device in outcome.claimed] == [("Oslo", "white"), (), ()]
    assert [(failed.row, failed.token) for failed in outcome.failed] == [(2, "no-token")]
    assert "malformed" in outcome.failed[0].message
    assert {tag.name for tag in client.tags()} == {"Oslo", "white"}
    hidden = [value for value, _label in secrets]
    assert all(any(value in token and len(value) > 70 for value in hidden) for token in tokens)
    assert "no-token" not in repr(outcome)


def test_claim_of_many_is_undone(backend: Backend, devices: list[Device], client: NrfCloudClient) -> None:
    """What was claimed by rows is unclaimed after the test, with the tags that came by the way."""
    worker = connect(backend, BackendSession(run_id="rows", worker="gw1"))
    worker.claim_many([(device.token(), ["mine"]) for device in devices])

    worker.undo()

    assert worker.devices() == []
    assert worker.tags() == []
    client.claim(devices[0].token())
    worker.close()


def test_claim_by_hand_made_rows_is_undone(client: NrfCloudClient, devices: list[Device]) -> None:
    """Rows that were sent by hand are claims of ours, too; so is one that was JSON all along."""
    client.raw.request("POST", "/v1/claimed-devices", content=devices[0].token())
    client.claim_csv(devices[1].token().encode() + b"\r\n")
    client.claim_csv(f'{{"claimToken": "{devices[2].token()}"}}'.encode())
    assert len(client.devices()) == 3

    client.undo()

    assert client.devices() == []


def test_rows_without_an_answer_are_undone(
    backend: Backend, devices: list[Device], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows are written down before the call: when its answer gets lost, they are undone all the same."""
    client = connect(backend, BackendSession(run_id="lost", worker="gw2"))
    send = client._http.send

    def lose_the_answer(method: str, path: str, **content: Any) -> Any:
        send(method, path, **content)
        raise BackendUnreachable("lost")

    monkeypatch.setattr(client._http, "send", lose_the_answer)
    with pytest.raises(BackendUnreachable):
        client.claim_many([device.token() for device in devices])
    monkeypatch.undo()
    assert len(client.devices()) == 3

    client.undo()

    assert client.devices() == []
    client.close()


def test_refused_rows_leave_what_was_ours_before(client: NrfCloudClient, devices: list[Device]) -> None:
    """A row of a device that is claimed already is no claim of this test: it is not undone."""
    client.claim(devices[0].token())
    client.forget()

    outcome = client.claim_many([device.token() for device in devices])
    client.undo()

    assert len(outcome.failed) == 1
    assert [device.id for device in client.devices()] == [devices[0].id]
    client.unclaim(devices[0].id)


def test_too_many_rows(client: NrfCloudClient, devices: list[Device]) -> None:
    """A refusal of the whole body is an error with the service's reason."""
    with pytest.raises(RequestRefused, match=r"ClaimDeviceOwnership \(CSV\) was answered 400: .*1001 rows"):
        client.claim_many([devices[0].token()] * 1001)
    assert client.devices() == []


@pytest.mark.parametrize("tag", ["a,b", 'a"b', "a\nb", ""])
def test_tag_that_no_row_can_hold(client: NrfCloudClient, tag: str, exchanges: list[Exchange]) -> None:
    """A tag that would be another one on the way is refused before anything is sent."""
    with pytest.raises(UsageError, match="no tag of a row"):
        client.claim_many([("token", [tag])])
    assert exchanges == []


@pytest.mark.parametrize(
    ("element", "row", "token", "message"),
    [
        ({"row": 3, "claimToken": "t", "message": "m"}, 3, "t", "m"),
        ({"row": "3", "message": None}, None, "", ""),
        ({"row": True}, None, "", ""),
        ("t", None, "t", ""),
        (7, None, "", ""),
        (None, None, "", ""),
        ([1], None, "", ""),
    ],
)
def test_failed_row_of_any_shape(element: Any, row: int | None, token: str, message: str) -> None:
    """What the service tells of a failed row is not known: what can be understood is taken."""
    assert FailedRow.told(element) == FailedRow(row=row, token=token, message=message)


def test_answers_of_any_shape() -> None:
    """Ids may be ids or devices; what is neither is no answer of a bulk claim."""
    device = {"id": "ABC", "status": "READY"}

    def record(body: Any) -> BulkRecord:
        return parse_answer(BulkRecord, httpx.Response(200, json=body), "claim")

    assert record({"claimedIds": ["ABC"], "failed": []}).ids == ("abc",)
    assert record({"claimedIds": [device]}).ids == ("abc",)
    assert [each.id for each in record({"claimedIds": [device]}).devices] == ["ABC"]
    assert record({"id": "x"}).claimed is None
    with pytest.raises(BackendFault, match="claimedIds"):
        record({"claimedIds": [7]})


def test_loops(client: NrfCloudClient, devices: list[Device]) -> None:
    """Each device has a result of its own; one that is gone stops no other."""
    claimed = client.claim_many([device.token() for device in devices]).claimed
    client.unclaim(claimed[1].id)

    for loop in (client.block_all, client.unblock_all, client.unclaim_all):
        results = loop(claimed)

        assert [(result.device_id, result.done) for result in results] == [
            (claimed[0].id, True),
            (claimed[1].id, False),
            (claimed[2].id, True),
        ]
        assert isinstance(results[1].fault, RequestRefused)
        assert results[1].fault.status == 404
    assert client.devices() == []


def test_pages_and_filters(client: NrfCloudClient, devices: list[Device]) -> None:
    """A page at a time, and what a filter shows."""
    ids = [device.id for device in client.claim_many([device.token() for device in devices]).claimed]
    client.device(ids[1]).block()

    page, token = client.device_page(2)
    rest, end = client.device_page(2, token)

    assert [device.id for device in (*page, *rest)] == ids
    assert end is None
    assert [device.id for device in client.devices_with(status="BLOCKED")] == [ids[1]]
    assert client.devices_with(status=DeviceStatus.READY.value, imei="0" * 15) == []


def test_what_the_real_service_is_not_known_to_have(client: NrfCloudClient) -> None:
    """Filters and pages are asked of a service that has the capability, and of no other."""
    client.backend = replace(client.backend, capabilities=frozenset())
    with pytest.raises(UsageError, match="list-filters"):
        client.devices_with(tag="white")
    with pytest.raises(UsageError, match="paging"):
        client.device_page(1)
