"""The typed client against a running fake, and curl as an independent peer of that fake."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc import jwt
from joserfc.jwk import ECKey

from harness.backends.contract import Backend, BackendSession, BackendSpec
from harness.backends.launcher import start_fake
from harness.errors import BackendFault, BackendUnreachable, RequestRefused, UsageError
from harness.redaction import Redactor
from harness_nordic import plugin
from harness_nordic.client import NrfCloudClient, connect, enrol
from harness_nordic.client_claims import device_uuid_of
from harness_nordic.client_requests import (
    CertificateSigningRequest,
    ClientCertificate,
    ClientPrivateKey,
    ClientPrivateKeyGeneration,
    CloudAccessKeyGeneration,
    CommandRequest,
    Configuration,
    Finished,
    PreSharedKey,
    ServerCertificate,
)
from harness_nordic.enums import CommandStatus, CommandType, DeviceStatus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import SimpleNamespace

    from harness.backends.contract import Exchange

FIRMWARE = "25c95751-efa4-40d4-8b4a-1dcaab81fac9"


class Device:
    """A device with a key of its own, whose token is put together by hand (fact sheet, section 4.1)."""

    def __init__(self) -> None:
        """Make a device that nobody knows yet."""
        self.id = str(uuid.uuid4())
        self.key = ec.generate_private_key(ec.SECP256R1())

    @property
    def record(self) -> dict[str, Any]:
        """The factory record."""
        point = self.key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return {
            "uuid": self.id,
            "public_key": point.hex(),
            "imei": "359404230261381",
            "device_type": 3,
            "firmware_uuid": FIRMWARE,
        }

    def token(self) -> str:
        """Make an attestation token."""
        body = bytes.fromhex("d9d9f7850150") + uuid.UUID(self.id).bytes + b"\x03\x50"
        body += uuid.UUID(FIRMWARE).bytes + b"\x50" + bytes(16)
        signed = bytes.fromhex("846a5369676e61747572653143a101265839") + body + b"\xf6"
        r, s = decode_dss_signature(self.key.sign(signed, ec.ECDSA(hashes.SHA256())))
        cose = bytes.fromhex("d28443a10126a1044121f65840") + r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return ".".join(base64.urlsafe_b64encode(half).decode().rstrip("=") for half in (body, cose))

    def jwt(self) -> str:
        """Make a JWT that lives until 2100."""
        pem = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        claims = {"iss": f"nRF9160.{self.id}", "exp": 4_102_444_800}
        return jwt.encode({"typ": "JWT", "alg": "ES256"}, claims, ECKey.import_key(pem))


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """Run the fake that the plugin names."""
    (spec,) = plugin.harness_backends()
    with start_fake(spec, tmp_path_factory.mktemp("fake"), lifeline=None) as fake:
        yield fake.backend


@pytest.fixture
def device(backend: Backend) -> Device:
    """Make a device that the factory registered."""
    device = Device()
    enrol(backend, device.record)
    return device


@pytest.fixture
def secrets() -> list[tuple[str, str]]:
    """Collect what the client registers as secret."""
    return []


@pytest.fixture
def exchanges() -> list[Exchange]:
    """Collect the exchanges that the client tells the report."""
    return []


@pytest.fixture
def client(
    backend: Backend, secrets: list[tuple[str, str]], exchanges: list[Exchange]
) -> Iterator[NrfCloudClient]:
    """Connect as a team of its own."""
    session = BackendSession(
        run_id="run",
        worker="main",
        on_exchange=exchanges.append,
        register_secret=lambda value, label: secrets.append((value, label)),
    )
    client = connect(backend, session)
    yield client
    client.undo()
    client.close()


def test_claimed_device(client: NrfCloudClient, device: Device) -> None:
    """A claim gives the device with all that the service says of it."""
    claimed = client.claim(device.token(), tags=["a", "b"])

    assert (claimed.id, claimed.status, claimed.tags) == (device.id, DeviceStatus.READY, ("a", "b"))
    assert (claimed.imei, claimed.device_type) == ("359404230261381", "nrf9160_SICA")
    assert (claimed.firmware_id, claimed.ownership_status) == (FIRMWARE, "IDENTIFIED")
    assert claimed.owner_id == client.owner_id
    assert claimed.claimed_at.endswith("Z")
    assert repr(claimed) == f"<ClaimedDevice {device.id} READY>"
    read = client.device(device.id)
    assert (read.id, read.tags, read.claimed_at) == (claimed.id, claimed.tags, claimed.claimed_at)


def test_dry_run(client: NrfCloudClient, device: Device) -> None:
    """A dry run claims nothing, and tells a taken device from a free one."""
    client.dry_run(device.token())
    assert client.devices() == []

    client.claim(device.token())
    with pytest.raises(RequestRefused) as refusal:
        client.dry_run(device.token())

    assert refusal.value.status == 409


def test_refusals_are_clear(client: NrfCloudClient) -> None:
    """A refusal names the call, the status and what the service says."""
    with pytest.raises(RequestRefused, match="ClaimDeviceOwnership was answered 422: malformed token"):
        client.claim("not-a-token")


def test_list_over_pages(backend: Backend, client: NrfCloudClient) -> None:
    """The list is whole though the service gives it in pages."""
    devices = [Device() for _number in range(103)]
    for device in devices:
        enrol(backend, device.record)
        client.claim(device.token())

    assert [device.id for device in client.devices()] == [device.id for device in devices]


def test_block_unblock_unclaim(client: NrfCloudClient, device: Device) -> None:
    """The status follows when it is refreshed, and only then."""
    claimed = client.claim(device.token())
    claimed.block()
    assert claimed.status is DeviceStatus.READY
    assert claimed.refresh().status is DeviceStatus.BLOCKED
    claimed.unblock()
    assert claimed.refresh().status is DeviceStatus.READY
    claimed.unclaim()
    for call in (claimed.refresh, claimed.unclaim, claimed.block, claimed.unblock):
        with pytest.raises(RequestRefused) as refusal:
            call()
        assert refusal.value.status == 404


@pytest.mark.parametrize(
    ("request_", "type_", "fields"),
    [
        (
            ServerCertificate(sec_tag=1, content="PEM"),
            "serverCertificate",
            {"secTag": 1, "content": "PEM"},
        ),
        (
            ClientCertificate(sec_tag=1, content="PEM"),
            "clientCertificate",
            {"secTag": 1, "content": "PEM"},
        ),
        (ClientPrivateKey(sec_tag=1, content="PEM"), "clientPrivateKey", {"secTag": 1, "content": "PEM"}),
        (
            ClientPrivateKey(sec_tag=1, content="PEM", password="word"),
            "clientPrivateKey",
            {"secTag": 1, "content": "PEM", "password": "word"},
        ),
        (
            PreSharedKey(sec_tag=1, identity="me", secret="00"),
            "preSharedKey",
            {"secTag": 1, "identity": "me", "secret": "00"},
        ),
        (
            CertificateSigningRequest(sec_tag=1),
            "certificateSigningRequest",
            {"secTag": 1, "attributes": "", "keyUsage": "101010000"},
        ),
        (CloudAccessKeyGeneration(sec_tag=1), "cloudAccessKeyGeneration", {"secTag": 1}),
        (ClientPrivateKeyGeneration(sec_tag=1), "clientPrivateKeyGeneration", {"secTag": 1}),
        (Configuration(properties={"a": "b"}), "config", {"properties": {"a": "b"}}),
        (Finished(), "finished", {}),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, CommandRequest) else "",
)
def test_commands_of_every_type(
    client: NrfCloudClient, device: Device, request_: CommandRequest, type_: str, fields: dict[str, Any]
) -> None:
    """A command of every type is sent as the API names it, and read back so."""
    made = client.claim(device.token()).add_command(request_, description="why")

    read = client.device(device.id).command(made.id)

    for command in (made, read):
        assert command.request == {type_: fields}
        assert command.type is CommandType(type_)
        assert (command.description, command.status) == ("why", CommandStatus.PENDING)
        assert command.response == {}
    assert repr(read) == f"<Command {read.id} PENDING>"


def test_secrets_are_registered(
    client: NrfCloudClient, device: Device, secrets: list[tuple[str, str]]
) -> None:
    """API key, tokens, keys, passwords and PSKs are registered where they enter, and shown by no repr."""
    token = device.token()
    claimed = client.claim(token)
    requests = (
        ClientPrivateKey(sec_tag=1, content="KEY-TEXT", password="PASS-WORD"),
        PreSharedKey(sec_tag=1, identity="me", secret="00aa11bb"),
    )
    for request in requests:
        claimed.add_command(request)

    values = [value for value, _label in secrets]
    assert set(values[1:]) == {token, "KEY-TEXT", "PASS-WORD", "00aa11bb"}
    assert secrets[0][1] == "nRF Cloud API key"
    assert len(values[0]) == 40
    shown = repr(requests)
    assert not any(value in shown for value in ("KEY-TEXT", "PASS-WORD", "00aa11bb"))


def test_what_is_no_secret(client: NrfCloudClient, device: Device, secrets: list[tuple[str, str]]) -> None:
    """Text that is too short to be told from other text is not registered: redaction would refuse it."""
    claimed = client.claim(device.token())
    secrets.clear()
    for text in ("", "token"):
        with pytest.raises(RequestRefused):
            client.claim(text)
        with pytest.raises(RequestRefused):
            client.dry_run(text)
    claimed.add_command(PreSharedKey(sec_tag=1, identity="me", secret="00ff"))

    assert secrets == []


def test_patterns_of_secrets(device: Device) -> None:
    """Tokens and KEYGEN output are taken out of any text; a long line of base64 is no trouble."""
    redactor = Redactor(plugin.harness_secrets())
    keygen = f"{'MFkw' * 30}.0oRDoQEm{'oQRB' * 40}"
    token = device.token()
    harmless = "abcd" * 20_000

    for secret, label in ((token, "attestation token"), (keygen, "signed by the board")):
        text = redactor.redact(f'%X: "{secret}"\r\nOK')
        assert text == f'%X: "[redacted: {label}]"\r\nOK'
    assert token[:60] not in redactor.redact(f"cut off: {token[:60]}")
    assert redactor.redact(harmless) == harmless


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


def test_teams(client: NrfCloudClient, device: Device) -> None:
    """Another team sees nothing of ours; a viewer of our team sees it and changes nothing."""
    claimed = client.claim(device.token())
    other, viewer = client.another_team(), client.colleague("viewer")

    assert other.owner_id != client.owner_id == viewer.owner_id
    assert other.devices() == []
    assert [found.id for found in viewer.devices()] == [claimed.id]
    with pytest.raises(RequestRefused) as refusal:
        viewer.device(claimed.id).block()
    assert refusal.value.status == 403
    assert client.another_team(role="viewer").devices() == []


def test_undo(backend: Backend, client: NrfCloudClient, exchanges: list[Exchange]) -> None:
    """Undo unclaims what was claimed, also by other teams, newest first; what is gone already may be."""
    devices = [Device() for _number in range(4)]
    for device in devices:
        enrol(backend, device.record)
    other = client.another_team()
    for device in devices[:3]:
        client.claim(device.token())
    other.claim(devices[3].token())
    client.raw.request("DELETE", f"/v1/claimed-devices/{devices[1].id}")
    client.device(devices[0].id).unclaim()
    exchanges.clear()

    client.undo()

    undone = [(exchange.url.rpartition("/")[2], exchange.status) for exchange in exchanges]
    assert undone == [(devices[3].id, 204), (devices[2].id, 204), (devices[1].id, 404)]
    exchanges.clear()
    client.undo()
    assert exchanges == []
    assert client.devices() == other.devices() == []


def test_undo_touches_nothing_of_others(
    client: NrfCloudClient, device: Device, exchanges: list[Exchange]
) -> None:
    """A claim that the service refused is not undone: the device is somebody else's, or was ours before."""
    other = client.another_team()
    client.claim(device.token())
    client.forget()
    for refused in (client, other):
        with pytest.raises(RequestRefused):
            refused.claim(device.token())
    exchanges.clear()

    client.undo()

    assert exchanges == []
    (kept,) = client.devices()
    kept.unclaim()


def test_claim_without_an_answer_is_undone(
    backend: Backend, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A claim is written down before the call: when its answer gets lost, it is undone all the same."""
    client = connect(backend, BackendSession(run_id="run", worker="main"))
    send = client._http.send

    def lose_the_answer(method: str, path: str, **content: Any) -> Any:
        send(method, path, **content)
        raise BackendUnreachable("the answer was lost")

    with monkeypatch.context() as patch:
        patch.setattr(client._http, "send", lose_the_answer)
        with pytest.raises(BackendUnreachable):
            client.claim(device.token())
    assert len(client.devices()) == 1

    client.undo()

    assert client.devices() == []
    client.close()


def test_undo_goes_on_after_a_fault(backend: Backend, device: Device) -> None:
    """A fault while undoing is told after everything else was tried."""
    client = connect(backend, BackendSession(run_id="run", worker="main"))
    other = client.another_team()
    client.claim(device.token())
    for team in (client, other):  # what was claimed under such a name cannot be unclaimed: no such path
        team._claims._begin("x/block").made = True

    with pytest.raises(BackendFault, match="UnclaimDevice was answered 40"):
        client.undo()

    assert client.devices() == []
    client.close()


def test_device_log(backend: Backend, client: NrfCloudClient, device: Device) -> None:
    """The log tells what the device asked, with the ids that it was served: here it is curl that asks."""
    command = client.claim(device.token()).add_command(Finished())
    subprocess.run(
        [
            "curl",
            "-s",
            "-H",
            f"Authorization: Bearer {device.jwt()}",
            f"{backend.url}/v1/provisioning/commands",
        ],
        check=True,
        capture_output=True,
    )

    (request,) = client.device_requests(device.id)

    assert (request.method, request.path, request.status) == ("GET", "/v1/provisioning/commands", 200)
    assert request.ids == (f"{command.id}.1",)
    with pytest.raises(RequestRefused):
        client.device_requests("nobody")


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


def test_device_uuid_of_a_token() -> None:
    """The UUID is read from a token of the documentation; what is no token has none."""
    token = (
        "2dn3hQFQUDYxVDkxSqqLuwABAgMEBQZQJclXUe-kQNSLSh3Kq4H6yVAAAQIDBAUGBwgJCgsMDQ4P."
        "0oRDoQEmoQRBIfZYQPuXc-ijq_PjRM_6BeH--vflm2bs2tfbBV6YV99qLnFbDvdjTXecCBYMWhRozhfCbZVCs0SRSGgbO5kgDhCD3JM"
    )

    assert device_uuid_of(token) == "50363154-3931-4aaa-8bbb-000102030405"
    for text in ("", "a", "ä.b", "2dn3hQFQUDYx.x", "AAAA" * 20):
        assert device_uuid_of(text) is None


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


def test_command_of_an_unknown_type(
    client: NrfCloudClient, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that tells nothing of a command but its id is believed so far; its type is a fault."""
    import httpx

    claimed = client.claim(device.token())
    with monkeypatch.context() as patch:
        patch.setattr(
            client._http, "send", lambda *_arguments, **_content: httpx.Response(200, json={"id": "x"})
        )
        command = claimed.command("x")

    with pytest.raises(BackendFault, match="of what type command x is"):
        _ = command.type


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

    return SimpleNamespace(
        description=SimpleNamespace(driver=driver, virtual=virtual), virtual=_Virtual(record)
    )


def test_introduction(backend: Backend, client: NrfCloudClient) -> None:
    """A virtual nRF91 is enrolled with the fake and told where the service is; any other board is let be."""
    device = Device()
    introduced: Any = board("nrf91", virtual=True, record=device.record)

    plugin.harness_introduce_board(introduced, backend)

    assert introduced.virtual.calls == [("factory_record", {}), ("set_service", {"url": backend.url})]
    assert client.claim(device.token()).id == device.id
    others: list[tuple[Any, Backend]] = [
        (board("other", virtual=True, record={}), backend),
        (board("nrf91", virtual=False, record={}), backend),
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
