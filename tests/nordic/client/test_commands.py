"""Commands and their secrets in the typed client, against a running fake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import BackendFault, RequestRefused
from harness.redaction import Redactor
from harness_nordic import plugin
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
from harness_nordic.enums import CommandStatus, CommandType

if TYPE_CHECKING:
    from harness_nordic.client import NrfCloudClient
    from tests.nordic.client.conftest import Device


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
