"""From an API key to a registered device, by commands alone: a served fake and a virtual device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.virtual.client import BenchClient
from harness.virtual.launcher import start_bench
from tests.pelion.described import described_device

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.virtual.client import VirtualBoardControls
    from tests.pelion.cli.conftest import Person, Service

FILE = "update_default_resources.c"


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualBoardControls]:
    """A virtual device that makes itself known on loopback."""
    kinds = [("mbl-device-virtual", "mbl", {"mdns": True})]
    with start_bench(tmp_path_factory.mktemp("b"), kinds) as running, BenchClient(running.socket) as client:
        yield client.board("mbl")


def test_the_seeds_steps(
    person: Person, service: Service, board: VirtualBoardControls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The steps of the product's document, in its order and spelling, end in a registered device."""
    port = board.call("ssh")["port"]
    shown = person.run("list", "--interface", "127.0.0.1", "--timeout", "20")
    (line,) = [line for line in shown.out.splitlines() if line.endswith(f": 127.0.0.1 port {port}")]
    name = line.split(": ")[1]
    assert name.startswith("mbed-linux-os-")
    assert person.run("select", name, "--interface", "127.0.0.1").code == 0
    monkeypatch.setenv("PELION_API_KEY", person.key)
    assert person.run("save-api-key").code == 0
    monkeypatch.delenv("PELION_API_KEY")
    assert person.run("get-pelion-status").code == 1

    done = person.run("provision-pelion", "my-device", FILE, "--create-dev-cert", "--restart")

    assert done.code == 0, done.err
    assert "Provisioning process completed without error.\n" in done.out
    assert person.run("get-pelion-status").out == (
        "Device is configured correctly. You can connect to Pelion Cloud!\n"
    )
    (certificate,) = service.client.developer_certificates()
    device = described_device(service.client, certificate.id, 20)
    assert device.vendor_id == "fa6b4a53d5ad5fdfbe9de663e4d41ffe"
    assert device.device_class == "4d131344feab5a2e84a20dccdd905f35"
    assert board.call("file_mode", path="/scratch/provisioning-certs") is None
    certificates = person.run("certificates").out
    assert f"  my-device  (developer, {certificate.id})\n" in certificates
    assert "  update_default_resources  (update resources)\n" in certificates
