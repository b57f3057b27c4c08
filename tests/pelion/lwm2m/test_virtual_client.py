"""The virtual board's client at these servers: two implementations that share nothing agree."""

from __future__ import annotations

import base64
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization

from tests.pelion.cloud_client.paper_board import CLASS_ID, VENDOR_ID, PaperBoard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness_pelion.fake.records import DeviceRecord
    from tests.pelion.lwm2m.device_site import Developer, DeviceSite

LAST_EXCHANGE = ("after exchange", "answer GET /10255/0/4")


@contextmanager
def board_with(site: DeviceSite, developer: Developer) -> Iterator[PaperBoard]:
    """Hold a board with developer credentials."""
    board = PaperBoard()
    key = serialization.load_pem_private_key(developer.pair.key.encode(), None)
    pem = site.issuing.bootstrap.pem
    uri = f"{site.bootstrap.server_uri}?aid={developer.account.id}"
    board.store.items |= {
        "mbed.UseBootstrap": b"\1\0\0\0",
        "mbed.EndpointName": developer.id.encode(),
        "mbed.BootstrapServerURI": uri.encode(),
        "mbed.BootstrapDeviceCert": developer.pair.der,
        "mbed.BootstrapDevicePrivateKey": key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        "mbed.BootstrapServerCACert": base64.b64decode("".join(pem.splitlines()[1:-1])),
        "mbed.Manufacturer": b"dev_manufacturer",
        "mbed.SerialNumber": b"0",
        "mbed.VendorId": VENDOR_ID,
        "mbed.ClassId": CLASS_ID,
    }
    try:
        yield board
    finally:
        board.close()


def the_device(site: DeviceSite, developer: Developer) -> DeviceRecord:
    """Return the only device of an account."""
    (device,) = site.devices(developer.account)
    return device


def test_a_provisioned_board_registers(site: DeviceSite) -> None:
    """From credentials to the directory: one device, its ids, events in order."""
    developer = site.developer()
    with board_with(site, developer) as board:
        board.start()
        state = board.wait_state("registered")
        board.wait(lambda: LAST_EXCHANGE in board.points.passed())
        site.wait_until(lambda: the_device(site, developer).device_class != "")
        device = the_device(site, developer)
        assert state["device_id"] == device.id
        assert (device.state, device.endpoint_type, device.lifetime) == ("registered", "default", 600)
        assert (device.vendor_id, device.device_class) == (VENDOR_ID.hex(), CLASS_ID.hex())
        board.on_loop(board.client.deregister)
        site.wait_until(lambda: the_device(site, developer).state == "deregistered")


def test_wherever_the_power_goes_one_device_is_counted(site: DeviceSite) -> None:
    """A cut at every point from the first handshake on: after a retry it is registered, and the only one."""
    with board_with(site, site.developer()) as board:
        board.start()
        board.wait(lambda: LAST_EXCHANGE in board.points.passed())
        points = board.points.passed()
    assert len(points) == 24
    seen: dict[str, int] = {}
    for point, detail in points:
        seen[point] = seen.get(point, 0) + 1
        developer = site.developer(site.account(devices=1))
        with board_with(site, developer) as board:
            board.points.arm(point, seen[point], comes_back=False)
            board.start()
            board.wait_dark()
            board.start()
            state = board.wait_state("registered")
            assert state["device_id"] == the_device(site, developer).id, (point, detail)
            refused = site.notes(developer.account.id, "bootstrap refused")
            assert refused == [], (point, detail)


def test_what_is_wrong_is_found_by_the_board(site: DeviceSite) -> None:
    """Each damage that can be ordered at bootstrap is refused; the next try registers one device."""
    for kind, step in (
        ("damaged-tlv", "security"),
        ("wrong-device-certificate", "security"),
        ("wrong-server-certificate", "security"),
        ("refuse", "request"),
        ("close", "finish"),
        ("refuse", "handshake"),
    ):
        developer = site.developer()
        site.order(developer, "bootstrap", kind, step)
        with board_with(site, developer) as board:
            board.start()
            board.wait_state("registered")
            assert board.errors(), kind
            assert len(site.devices(developer.account)) == 1, kind
