"""nrf_cloud_onboard and nrf_cloud_device_mgmt: the core API's clients (section 2.10)."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest

from tests.clients.material import make_authority, openssl

if TYPE_CHECKING:
    from harness_nordic.client import NrfCloudClient
    from tests.clients.world import Exchange, Ran, World

ONBOARD = "nrf_cloud_onboard"
MANAGE = "nrf_cloud_device_mgmt"


def write_rows(world: World, *rows: list[str]) -> None:
    """Write the tool's input."""
    with (world.directory / "onboard.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


@pytest.fixture
def certificate(world: World) -> str:
    """A device's certificate, made by openssl."""
    make_authority(world.directory)
    words = (
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=device -keyout key.pem -out csr.pem"
    )
    openssl(*words.split(), directory=world.directory)
    words = "x509 -req -in csr.pem -CA authority.pem -CAkey authority-key.pem -CAcreateserial -days 9"
    return openssl(*words.split(), directory=world.directory).decode()


def onboard(world: World, api_key: str, *more: str) -> Ran:
    """Run the tool."""
    return world.run(ONBOARD, "--api-key", api_key, "--res", "results.csv", "--plain", *more)


def results(world: World) -> dict[str, str]:
    """Return what the tool says became of each device."""
    _, _, table = (world.directory / "results.csv").read_text().partition("Device ID,Result\n")
    return dict(line.split(",", 1) for line in table.splitlines())


def calls(ran: Ran) -> list[tuple[str, int]]:
    """Return the calls and their statuses."""
    return [(exchange.call, exchange.status) for exchange in ran.exchanges]


def posted(ran: Ran) -> Exchange:
    """Return the request with the rows."""
    (exchange,) = [each for each in ran.exchanges if each.call == "POST /v1/devices"]
    return exchange


def test_onboard(world: World, team: NrfCloudClient, api_key: str, certificate: str) -> None:
    """Rows become devices of the core, each with what its row says; the tool polls until that is sure."""
    write_rows(
        world,
        ["one", "lamp", "blue|loud", "APP|MODEM", certificate],
        ["two", "", "", "BOOT", certificate],
    )
    ran = onboard(world, api_key)

    assert ran.status == 0, ran.output
    assert "Onboarding status: SUCCEEDED" in ran.output
    assert results(world) == {"one": "OK", "two": "OK"}
    assert posted(ran).host == "api.nrfcloud.com"
    assert posted(ran).request.headers["content-type"] == "text/csv"
    assert posted(ran).status == 202
    one, two = sorted(team.core.devices(), key=lambda device: device.id)
    assert (one.id, one.sub_type, one.firmware_types) == ("one", "lamp", ("APP", "MODEM"))
    assert set(one.tags) == {"blue", "loud"}
    assert (two.id, two.firmware_types) == ("two", ("BOOT",))


def test_rows_that_fail(world: World, team: NrfCloudClient, api_key: str, certificate: str) -> None:
    """The tool fetches the summary of errors, and puts each beside the device of its row."""
    write_rows(
        world,
        ["good", "", "", "APP", certificate],
        ["wrong type", "", "", "APP|TOASTER", certificate],
        ["also-good", "", "", "APP", certificate],
        ["no-certificate", "", "", "APP", "none"],
    )
    ran = onboard(world, api_key)

    assert ran.status == 0, ran.output
    assert "Onboarding status: FAILED" in ran.output
    became = results(world)
    assert [name for name, result in became.items() if result == "OK"] == ["good", "also-good"]
    assert set(became) == {"good", "wrong type", "also-good", "no-certificate"}
    assert sorted(device.id for device in team.core.devices()) == ["also-good", "good"]


def test_check_first(world: World, team: NrfCloudClient, api_key: str, certificate: str) -> None:
    """With ``--chk`` a device that is there is left alone."""
    write_rows(world, ["once", "", "", "APP", certificate])
    first = onboard(world, api_key, "--chk")
    again = onboard(world, api_key, "--chk")

    assert calls(first)[:2] == [("GET /v1/devices/once", 404), ("POST /v1/devices", 202)]
    assert calls(again) == [("GET /v1/devices/once", 200)]
    assert 'Device "once" already onboarded' in again.output
    assert [device.id for device in team.core.devices()] == ["once"]


def test_names_and_versions(world: World, team: NrfCloudClient, api_key: str, certificate: str) -> None:
    """With a file about the devices the tool sets their names, and the modem's firmware in their shadows."""
    write_rows(world, ["named", "", "", "APP", certificate])
    (world.directory / "devinfo.csv").write_text("named,mfw_nrf91x1_2.0.2,359404230000000\n")
    ran = onboard(
        world, api_key, "--devinfo", "devinfo.csv", "--set-mfwv", "--name-imei", "--name-prefix", "bench-"
    )  # fmt: skip

    assert ran.status == 0, ran.output
    assert calls(ran)[-2:] == [("PATCH /v1/devices/named/state", 202), ("PUT /v1/devices/named/name", 202)]
    (device,) = team.core.devices()
    assert device.name == "bench-359404230000000"
    assert device.state["reported"]["device"]["deviceInfo"]["modemFirmware"] == "mfw_nrf91x1_2.0.2"


def test_key_of_nobody(world: World, team: NrfCloudClient, certificate: str) -> None:
    """Without a key of the service nothing is onboarded; the tool ends with 0 all the same."""
    write_rows(world, ["one", "", "", "APP", certificate])
    ran = onboard(world, "0" * 40)

    assert ran.status == 0
    assert calls(ran) == [("POST /v1/devices", 401)]
    assert "Onboarding failed" in ran.output
    assert team.core.devices() == []


@pytest.mark.parametrize(
    ("how", "target"), [("--dev-id", {"deviceIds": ["one"]}), ("--tag", {"tags": ["blue"]})]
)
def test_update_job(
    world: World, team: NrfCloudClient, api_key: str, certificate: str, how: str, target: dict[str, list[str]]
) -> None:
    """The management tool lists bundles and devices, and orders an update for a device or a tag."""
    write_rows(world, ["one", "", "blue", "APP|MODEM", certificate])
    onboard(world, api_key)
    (bundle, *_) = [each for each in team.core.firmwares() if each.type == "MODEM"]
    value = next(iter(target.values()))[0]
    ran = world.run(
        MANAGE, "--api-key", api_key, how, value, "--bundle-id", bundle.id,
        "--name", "to 2.0.2", "--desc", "by the bench", stdin="y\ny\ny\n",
    )  # fmt: skip

    assert ran.status == 0, ran.output
    job = ran.exchanges[-1]
    assert (job.call, job.status // 100) == ("POST /v1/fota-jobs", 2)
    assert f"Created job: {job.answer.json['jobId']}" in ran.output
    sent = job.request.json
    assert sent["bundleId"] == bundle.id
    assert {name: sent[name] for name in target} == target


def test_list_of_devices(world: World, team: NrfCloudClient, api_key: str, certificate: str) -> None:
    """The management tool reads every page of devices, twenty at a time."""
    names = [f"device-{number:02}" for number in range(23)]
    write_rows(world, *([name, "", "", "APP|MODEM", certificate] for name in names))
    onboard(world, api_key)
    ran = world.run(MANAGE, "--api-key", api_key, "--ad", "--dev-id", "", "--tag", "nobody", stdin="n\nn\n")

    pages = [exchange for exchange in ran.exchanges if exchange.call.startswith("GET /v1/devices?")]
    assert [len(page.answer.json["items"]) for page in pages] == [20, 3]
    assert all(name in ran.output for name in names)
