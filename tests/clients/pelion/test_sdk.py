"""The vendor's unmodified ``mbed-cloud-sdk``, older and newer interface, against the served fake."""

from __future__ import annotations

import hashlib
import socket
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.clients.pelion.world import Mbl, World

NOBODYS = "0" * 32
SECONDS = 30.0


def test_account_of_the_key(world: World) -> None:
    """The call by which MBL CLI validates a key (pelion fact sheet, section 4)."""
    assert world.sdk("account").json == {"id": world.account.account().id}


def test_developer_certificate_from_birth_to_end(world: World) -> None:
    """It is made, found in lists and by its id, renamed, deleted; its header is the service's own text."""
    made = world.sdk("add", "sdk one").json
    kept = world.account.developer_certificate(made["id"])
    text = kept.record.security_file_content
    assert made["header"] == [len(text), hashlib.sha256(text.encode()).hexdigest()]
    assert (made["name"], made["type"], made["status"]) == ("sdk one", "developer", "ACTIVE")
    assert f"CN={made['id']}" in made["subject"]

    assert world.sdk("get", made["id"]).json == made
    assert world.sdk("certificates").json == [[made["id"], "sdk one", "developer"]]
    assert world.sdk("certificates_named", "sdk one").json == [[made["id"], "sdk one", "developer"]]
    assert world.sdk("certificates_named", "sdk two").json == []
    assert world.sdk("rename", made["id"], "sdk two").json["name"] == "sdk two"
    assert world.sdk("delete", made["id"]).status == 0

    assert world.account.trusted_certificates() == []
    assert world.sdk("get", made["id"]).json is None


def test_name_that_is_taken(world: World) -> None:
    """The phrase is the one that MBL CLI looks for."""
    assert world.sdk("add", "once").status == 0

    refused = world.sdk("add", "once")

    assert (refused.status, refused.json) == (1, {"status": 409, "reason": "Conflict"})
    assert len(world.account.trusted_certificates()) == 1


def test_pages(world: World) -> None:
    """The SDK follows the pages by itself."""
    names = [f"page {number}" for number in range(5)]
    for name in names:
        world.account.create_developer_certificate(name)

    assert world.sdk("pages", "2").json == names[::-1]


def test_nothing_there(world: World) -> None:
    """What does not exist is None for the SDK, and an empty list."""
    assert world.sdk("get", NOBODYS).json is None
    assert world.sdk("device", NOBODYS).json is None
    assert world.sdk("devices", "registered", NOBODYS).json == []
    assert world.sdk("events").json == []


def test_devices_and_events(world: World, mbl: Mbl) -> None:
    """A device that has really registered is found by the filters, and its events tell how it came there."""
    update = ("-p", "update_default_resources.c")
    assert mbl("save-api-key", world.key).status == 0
    assert mbl("provision-pelion", "dev", "update", "-c", *update).status == 0
    assert mbl("shell", "systemctl restart mbl-cloud-client").status == 0
    (certificate,) = world.account.developer_certificates()
    seen = world.registered_device(certificate.id)

    assert world.sdk("devices", "registered", certificate.id).json == [
        [
            seen.id,
            "registered",
            "fa6b4a53d5ad5fdfbe9de663e4d41ffe",
            "4d131344feab5a2e84a20dccdd905f35",
            "connector",
        ]
    ]
    assert world.sdk("devices", "deregistered", certificate.id).json == []
    assert world.sdk("devices", "registered", NOBODYS).json == []
    assert world.sdk("device", seen.id).json == [seen.id, "registered"]
    events = world.sdk("events").json
    assert {device for device, _changed, _changes in events} == {seen.id}
    passed = [changes["state"] for _device, changed, changes in events if changed]
    assert sorted(passed) == ["bootstrapped", "cloud_enrolling", "registered"]


def test_api_keys(world: World) -> None:
    """A key is made, renamed and deleted."""
    before = [key.name for key in world.account.api_keys()]

    answer = world.sdk("keys", "more").json

    assert answer["renamed"] == "more renamed"
    assert sorted(answer["listed"]) == sorted([*before, "more renamed"])
    assert answer["left"] == before


def test_newer_interface(world: World) -> None:
    """Foundation sees the same certificate, both servers' credentials, and its deletion."""
    answer = world.sdk("foundation", "by foundation").json

    identifier, subject, is_developer = answer["trusted"]
    assert is_developer is True
    assert f"CN={identifier}" in subject
    assert answer["account"] == world.account.account().id
    for which, kept in (
        ("bootstrap", world.account.bootstrap_server()),
        ("lwm2m", world.account.lwm2m_server()),
    ):
        assert answer[which] == [kept.server_uri, kept.server_certificate]
        assert answer[which][0].startswith("coaps://")
        assert "BEGIN CERTIFICATE" in answer[which][1]
    assert (answer["listed"], answer["registered"], answer["left"]) == (["by foundation"], [], [])


@pytest.mark.parametrize("operation", ["account", "certificates", "events"])
def test_wrong_key(world: World, operation: str) -> None:
    """Nobody's key is refused, and the SDK says how."""
    refused = world.sdk(operation, key="ak_" + "0" * 40)

    assert (refused.status, refused.json) == (1, {"status": 401, "reason": "Unauthorized"})


def test_dead_host(world: World) -> None:
    """Where nobody listens there is no answer of the service's, but an error of the connection."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    failed = world.sdk("account", MBED_CLOUD_SDK_HOST=f"http://127.0.0.1:{port}")

    assert failed.status == 1
    assert "Connection refused" in failed.errors
    assert world.key not in failed.output + failed.errors
