"""The typed client against services of all kinds, and curl as an independent peer of the fake."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from harness.backends.contract import Backend, BackendSession, BackendSpec
from harness.backends.launcher import start_fake
from harness.errors import BackendFault, UsageError
from harness_nordic import plugin
from harness_nordic.client import NrfCloudClient, connect
from harness_nordic.enums import DeviceStatus
from tests.nordic.client.conftest import Device

if TYPE_CHECKING:
    from types import SimpleNamespace

    from harness.backends.contract import Exchange


def test_exchanges_are_told(client: NrfCloudClient, exchanges: list[Exchange]) -> None:
    """The report gets the calls of the service under their names, and nothing of the control socket."""
    client.devices()
    client.raw.request("GET", "/nowhere")

    assert [(exchange.operation, exchange.status) for exchange in exchanges] == [
        ("ListClaimedDevices", 200),
        ("GET /nowhere", 404),
    ]


def test_raw_requests(client: NrfCloudClient) -> None:
    """A hand-made request has the team's key unless it brings another, and never raises for a status."""
    assert client.raw.request("GET", "/v1/claimed-devices").status_code == 200
    for header in ("", "Bearer ", "Bearer wrong"):
        answer = client.raw.request("GET", "/v1/claimed-devices", headers={"Authorization": header})
        assert answer.status_code == 401


def test_curl_claims_and_fetches(backend: Backend, client: NrfCloudClient, device: Device) -> None:
    """An independent peer claims, makes a command, fetches it to the byte, and reports."""
    key = client.raw._http._headers["Authorization"]

    def curl(*arguments: str, data: bytes | None = None) -> tuple[int, bytes, bytes]:
        done = subprocess.run(
            ["curl", "-sS", "-i", "--max-time", "10", *arguments], input=data, check=True, capture_output=True
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        return int(head.split()[1]), head.lower(), body

    claims = f"{backend.url}/v1/claimed-devices"
    status, _, body = curl(
        "-H", f"Authorization: {key}", "-d", json.dumps({"claimToken": device.token()}), claims
    )
    assert (status, json.loads(body)["id"]) == (201, device.id)
    status, _, body = curl(
        "-H",
        f"Authorization: {key}",
        "-d",
        json.dumps({"request": {"finished": {}}}),
        f"{claims}/{device.id}/provisioning",
    )
    assert status == 201
    command = json.loads(body)["id"]

    bearer = ("-H", f"Authorization: Bearer {device.jwt()}", "-H", "Connection: close")
    status, head, body = curl(*bearer, f"{backend.url}/v1/provisioning/commands?after=&limit=10")
    assert status == 200
    assert body == b"\x81\x82\x78\x26" + f"{command}.1".encode() + b"\x02"
    assert b"content-length: 43" in head
    assert b"transfer-encoding" not in head

    report = b"\x81\x82\x78\x26" + f"{command}.1".encode() + b"\x18\x66"
    status, _, body = curl(
        *bearer,
        "-H",
        "Content-Type: application/cbor",
        "--data-binary",
        "@-",
        f"{backend.url}/v1/provisioning/response",
        data=report,
    )
    assert (status, body) == (200, b"")
    assert client.device(device.id).status is DeviceStatus.PROVISIONED
    status, _, body = curl(*bearer, f"{backend.url}/v1/provisioning/commands")
    assert (status, body) == (204, b"")
    assert curl("-X", "DELETE", "-H", f"Authorization: {key}", f"{claims}/{device.id}")[0] == 204
    assert curl(*bearer, f"{backend.url}/v1/provisioning/commands")[0] == 401


def test_service_that_is_no_fake(backend: Backend, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a URL the key comes from the environment, and what only a fake can do is refused in words."""
    fake = connect(backend, BackendSession(run_id="run", worker="main"))
    there = Backend(name="nrfcloud", mode="url", url=backend.url)
    monkeypatch.delenv("NRFCLOUD_API_KEY", raising=False)
    with pytest.raises(UsageError, match="NRFCLOUD_API_KEY: no API key"):
        connect(there, BackendSession(run_id="run", worker="main"))

    key = fake.raw._http._headers["Authorization"].removeprefix("Bearer ")
    monkeypatch.setenv("NRFCLOUD_API_KEY", key)
    client = connect(there, BackendSession(run_id="run", worker="main"))
    assert client.capabilities == frozenset()
    assert client.claim(device.token()).id == device.id
    for call in (
        client.another_team,
        lambda: client.colleague("viewer"),
        lambda: client.device_requests("x"),
    ):
        with pytest.raises(UsageError, match="fake"):
            call()
    with pytest.raises(UsageError, match="fake only"):
        client.enrol(device.record)
    client.undo()
    client.close()
    assert fake.devices() == []
    fake.close()


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"[]", "body: "),
        (b'{"status": "READY"}', "id: Field required"),
        (b'{"id": "x", "status": "SLEEPING"}', "status: "),
        (b"no JSON", "body: "),
    ],
    ids=repr,
)
def test_answers_that_are_none(
    client: NrfCloudClient, monkeypatch: pytest.MonkeyPatch, body: bytes, why: str
) -> None:
    """An answer that does not hold what it must is the service's fault, told by name and place."""
    import httpx

    monkeypatch.setattr(
        client._http, "send", lambda *_arguments, **_content: httpx.Response(200, content=body)
    )

    with pytest.raises(BackendFault, match=f"GetClaimedDevice was answered 200.*{why}"):
        client.device("x")


def test_lists_that_never_end(client: NrfCloudClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that gives the same page for ever is not followed for ever."""
    import httpx

    tokens = iter(range(10**9))

    def endless(*_arguments: Any, **_content: Any) -> httpx.Response:
        return httpx.Response(200, json={"items": [], "pageNextToken": str(next(tokens))})

    with monkeypatch.context() as patch:
        patch.setattr(client._http, "send", endless)
        patch.setattr("harness_nordic.client_pages.MOST_PAGES", 5)
        with pytest.raises(BackendFault, match="5 pages"):
            client.devices()
    with monkeypatch.context() as patch:
        patch.setattr(
            client._http,
            "send",
            lambda *_arguments, **_content: httpx.Response(200, json={"items": [], "pageNextToken": "same"}),
        )
        assert client.devices() == []


class _Virtual:
    """The bench's controls of a virtual board, recorded."""

    def __init__(self, record: dict[str, Any]) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._record = record

    def call(self, method: str, **params: Any) -> Any:
        self.calls.append((method, params))
        return self._record if method == "factory_record" else None


def board(driver: str, *, virtual: bool, record: dict[str, Any]) -> SimpleNamespace:
    """Make what the hook needs of a board."""
    from types import SimpleNamespace

    told: list[str] = []
    return SimpleNamespace(
        description=SimpleNamespace(driver=driver, virtual=virtual),
        driver=SimpleNamespace(use_service=told.append, agents=("board", "host"), told=told),
        remarks=[],
        virtual=_Virtual(record),
    )


def test_introduction(backend: Backend, client: NrfCloudClient) -> None:
    """A virtual nRF91 is enrolled with the fake and told where the service is; any other board is let be."""
    device = Device()
    introduced: Any = board("nrf91", virtual=True, record=device.record)

    plugin.harness_introduce_board(introduced, backend)

    assert introduced.virtual.calls == [
        ("set_service", {"url": backend.url}),
        ("set_service", {"url": backend.address("coap")}),
        ("factory_record", {}),
    ]
    assert introduced.driver.told == [backend.url]
    assert introduced.remarks == []
    assert client.claim(device.token()).id == device.id
    others: list[tuple[Any, Backend]] = [
        (board("other", virtual=True, record={}), backend),
        (board("nrf91", virtual=True, record={}), Backend(name="other", mode="url", url="http://x")),
    ]
    for other, service in others:
        plugin.harness_introduce_board(other, service)
        assert other.virtual.calls == []
    at_url: Any = board("nrf91", virtual=True, record={})
    plugin.harness_introduce_board(at_url, Backend(name="nrfcloud", mode="url", url="http://x"))
    assert at_url.virtual.calls == [("set_service", {"url": "http://x"})]


def test_started_by_hand(tmp_path_factory: pytest.TempPathFactory, device: Device) -> None:
    """Served by hand, the fake has a team whose key is told to the operator and written to no file."""
    (spec,) = plugin.harness_backends()
    assert isinstance(spec, BackendSpec)
    directory = tmp_path_factory.mktemp("hand")
    with start_fake(spec, directory, lifeline=None, options=spec.serve_options) as fake:
        key = fake.notes["API key"]
        done = subprocess.run(
            ["curl", "-s", "-H", f"Authorization: Bearer {key}", f"{fake.backend.url}/v1/claimed-devices"],
            check=True,
            capture_output=True,
        )
        assert json.loads(done.stdout) == {"items": [], "total": 0}
        assert key not in fake.log.read_text()
        with open(f"/proc/{fake.backend.pid}/cmdline", encoding="utf-8") as arguments:  # noqa: PTH123 - short
            assert key not in arguments.read()
        assert fake.backend.pid != os.getpid()
