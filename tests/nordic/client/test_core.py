"""The typed client of the core API, against a running fake and against literal answers."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.backends.contract import Backend, BackendSession, UnkeptAccounts
from harness.backends.http import ServiceHttp
from harness.errors import BackendFault, RequestRefused, UsageError
from harness_nordic.client import NrfCloudClient, connect
from harness_nordic.client_core import CoreClient
from harness_nordic.client_core_models import OnboardingRow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.backends.contract import Exchange
    from tests.nordic.conftest import Service

PEM = Path("suites/nrfcloud/material/client.pem").read_text().strip()
CLOSE = "Connection: close\r\n"


def row(device_id: str = "device-1", **columns: Any) -> OnboardingRow:
    """Make a row."""
    return OnboardingRow(id=device_id, certificate=PEM, **columns)


class Key:
    """A key's fingerprint."""

    whose = "us"


@pytest.fixture
def literal(literal_service: Service) -> Iterator[CoreClient]:
    """Connect to literal answers."""
    with ServiceHttp(literal_service.url, headers={"Authorization": "Bearer key"}) as http:
        yield CoreClient(http, UnkeptAccounts(), Key())


def say(service: Service, status: int, body: Any) -> None:
    """Let the next answer be JSON, and the last one of its connection."""
    service.status(status, json.dumps(body).encode(), CLOSE)


def test_row_as_nordics_client_writes_it() -> None:
    """``id,subtype,tags,fwtypes,"<PEM>"`` and LF (nrfcloud fact sheet, section 2.10)."""
    written = OnboardingRow(
        id="x", certificate="P\nQ", sub_type="s", tags=("a", "b"), firmware_types=("APP", "BOOT")
    )

    assert written.text() == 'x,s,a|b,APP|BOOT,"P\nQ"\n'
    assert OnboardingRow(id="x", certificate="P").text() == 'x,,,APP|MODEM,"P"\n'
    assert "P" not in repr(OnboardingRow(id="x", certificate="PPP")).removeprefix("OnboardingRow").replace(
        "APP", ""
    )


@pytest.mark.parametrize(
    "columns", [{"sub_type": "a,b"}, {"tags": ("a|b",)}, {"sub_type": 'a"b'}, {"tags": ("a\nb",)}], ids=str
)
def test_column_that_no_row_can_hold(columns: dict[str, Any]) -> None:
    """What would be another column on the way is refused."""
    with pytest.raises(UsageError, match="no column of a row"):
        row(**columns).text()
    with pytest.raises(UsageError, match="no PEM"):
        OnboardingRow(id="x", certificate='"').text()


def test_onboarded_device(client: NrfCloudClient) -> None:
    """Onboarded, read, renamed, changed, deleted."""
    result = client.core.onboard([row(sub_type="tracker", tags=("red",)), row("bad id")])

    assert (result.status, list(result.errors)) == ("FAILED", [1])
    (device,) = client.core.devices()
    assert repr(device) == "<OnboardedDevice device-1>"
    assert (device.sub_type, device.tags, device.groups, device.firmware_types) == (
        "tracker",
        ("red",),
        (),
        ("APP", "MODEM"),
    )
    assert device.created_at.endswith("Z")
    device.rename("Hugo")
    device.update_state({"desired": {"a": 1}})
    assert (device.refresh().name, device.state) == ("Hugo", {"desired": {"a": 1}})
    device.delete()
    assert not client.core.has("device-1")
    for call in (device.refresh, device.delete, lambda: device.rename("x")):
        with pytest.raises(RequestRefused) as refusal:
            call()
        assert refusal.value.status == 404


def test_account_firmwares_and_jobs(client: NrfCloudClient) -> None:
    """Whose key it is, what there is to be ordered, and an order that is taken back after the test."""
    assert client.core.tenant_id() == client.owner_id
    bundle = client.core.firmwares()[0]
    job = client.core.order_update(bundle.id, tags=["red"])
    assert client.core.send("GET", f"/v1/fota-jobs/{job}").status_code == 200
    with pytest.raises(RequestRefused, match="CreateFOTAJob was answered 400"):
        client.core.order_update(bundle.id)

    client.undo()

    assert client.core.send("GET", f"/v1/fota-jobs/{job}").status_code == 404


def test_undo_deletes_what_was_onboarded_here(
    backend: Backend, client: NrfCloudClient, exchanges: list[Exchange]
) -> None:
    """Newest first, and nothing that was there before."""
    client.core.onboard([row("before")])
    client.forget()
    client.core.onboard([row("a"), row("before"), row("b"), row("c")])
    client.core.device("b").delete()
    exchanges.clear()

    client.undo()

    deleted = [each.url.rpartition("/")[2] for each in exchanges if each.method == "DELETE"]
    assert deleted == ["c", "a"]
    assert [device.id for device in client.core.devices()] == ["before"]
    exchanges.clear()
    client.undo()
    assert exchanges == []
    client.core.delete("before")


def test_device_that_provisioning_onboards(client: NrfCloudClient) -> None:
    """One that is expected is deleted after the test; one that was there when it was expected stays."""
    client.core.onboard([row("there")])
    client.forget()
    for expected in ("there", "coming", "never"):
        client.core.expect(expected)
    body = row("coming").text()
    client.raw.request("POST", "/v1/devices", content=body, headers={"Content-Type": "text/csv"})

    client.undo()

    (kept,) = client.core.devices()
    assert kept.id == "there"
    kept.delete()


def test_operation_that_takes_its_time(literal: CoreClient, literal_service: Service) -> None:
    """It is asked for until it is neither PENDING nor IN_PROGRESS."""
    for status in ("PENDING", "IN_PROGRESS", "SUCCEEDED"):
        say(literal_service, 200, {"status": status})

    assert literal.result_of("op").status == "SUCCEEDED"

    assert len(literal_service.requests) == 3


def test_operation_that_never_ends(
    literal: CoreClient, literal_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the deadline it is the service's fault."""
    monkeypatch.setattr("harness_nordic.client_core.OPERATION_DEADLINE", 0.0)
    say(literal_service, 200, {"status": "PENDING"})

    with pytest.raises(BackendFault, match="op was PENDING for too long"):
        literal.result_of("op")


def test_closing_ends_the_wait(literal: CoreClient, literal_service: Service) -> None:
    """Whoever waits for an operation hears at once that the client was closed."""
    for _time in range(3):
        say(literal_service, 200, {"status": "PENDING"})

    def close() -> None:
        literal_service.wait_requests(1)
        literal.close()

    closing = threading.Thread(target=close)
    closing.start()

    with pytest.raises(BackendFault, match="closed while the onboarding op was under way"):
        literal.result_of("op")

    closing.join(10)


def test_errors_are_asked_for_without_the_key(literal: CoreClient, literal_service: Service) -> None:
    """The summary may lie anywhere: our key does not go there."""
    url = f"{literal_service.url}/elsewhere?signed=1"
    say(literal_service, 202, {"bulkOpsRequestId": "op"})
    say(literal_service, 200, {"status": "FAILED", "errorSummaryUrl": url})
    say(literal_service, 200, {"errors": ["[0]: bad, very", "what?", "[2]:worse"]})

    result = literal.onboard([row("a"), row("b"), row("c")])

    assert dict(result.errors) == {0: "bad, very", 2: "worse"}
    heads = [head for head, _body in literal_service.requests]
    assert [b"uthorization" in head for head in heads] == [True, True, False]
    assert heads[0].startswith(b"POST /v1/devices")
    assert literal_service.requests[0][1].startswith(b'a,,,APP|MODEM,"-----BEGIN CERTIFICATE')


def test_job_without_an_answer(literal: CoreClient, literal_service: Service) -> None:
    """An order of which nobody knows whether it was taken is told, and not forgotten."""
    literal_service.status(500, b"{}", CLOSE)
    with pytest.raises(RequestRefused, match="answered 500"):
        literal.order_update("bundle", tags=["red"])

    (fault,) = literal.accounts.undo()

    assert "not known which update was ordered" in str(fault)


@pytest.mark.parametrize(
    "answer", [(500, {}), (200, {"id": "x", "$meta": {"createdAt": "yesterday"}})], ids=str
)
def test_onboarding_without_an_answer(
    literal: CoreClient, literal_service: Service, answer: tuple[int, Any]
) -> None:
    """A device is deleted only when it was onboarded at the time of the call."""
    literal_service.status(500, b"{}", CLOSE)
    with pytest.raises(RequestRefused, match="answered 500"):
        literal.onboard([row("x")])
    say(literal_service, *answer)

    faults = literal.accounts.undo()

    assert len(faults) == (1 if answer[0] == 500 else 0)
    assert [head.split(b" ")[0] for head, _body in literal_service.requests] == [b"POST", b"GET"]


def test_core_has_an_address_of_its_own(literal_service: Service, backend: Backend) -> None:
    """Where the core is another host, its calls go there, with the key, and provisioning's do not."""
    apart = Backend(
        name="nrfcloud",
        mode="fake",
        url=backend.url,
        control=backend.control,
        addresses={"core": literal_service.url},
    )
    client = connect(apart, BackendSession(run_id="apart", worker="main"))
    say(literal_service, 200, {"team": {"tenantId": "elsewhere"}})

    assert client.core.tenant_id() == "elsewhere"
    assert client.devices() == []

    ((head, _body),) = literal_service.requests
    assert head.startswith(b"GET /v1/account")
    assert b"Bearer " in head
    client.close()
