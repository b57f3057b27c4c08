"""The check whether a device is configured, row by row of its table (pelion fact sheet, section 2.2)."""

from __future__ import annotations

import pytest

from tests.pelion.virtual.material import (
    ENDPOINT,
    OTHER_ENDPOINT,
    Material,
    certificate,
    ec_key,
    material,
    pkcs8,
)
from tests.pelion.virtual.util_bench import UtilBench

ONE = b"\x01\x00\x00\x00"
DAY = 24 * 3600.0

OWN_KEY = ec_key(ENDPOINT)


def configured(changes: dict[str, bytes] | None = None, *without: str) -> UtilBench:
    """Return a device whose key store holds these items beside and in the place of the usual ones."""
    bench = UtilBench()
    items = Material({"mbed.UseBootstrap": ONE, **material().items}).with_items(changes or {})
    for name, data in items.without(*without).items.items():
        bench.kcm.store(name, data)
    return bench


ROWS = [
    ("1 no sign", {"mbed.UTCOffset": b"02:00"}, "UTC offset incorrect:mbed.UTCOffset"),
    ("1 text", {"mbed.UTCOffset": b"+2:000"}, "UTC offset incorrect:mbed.UTCOffset"),
    ("2 five bytes", {"mbed.UseBootstrap": b"\x01" + bytes(4)}, "Item size is wrong:mbed.UseBootstrap"),
    ("2 one byte", {"mbed.UseBootstrap": b"\x01"}, "Item size is wrong:mbed.UseBootstrap"),
    ("2 value", {"mbed.UseBootstrap": b"\x02\0\0\0"}, "Bootstrap mode value incorrect:mbed.UseBootstrap"),
    ("2 big", {"mbed.UseBootstrap": b"\0\0\0\x01"}, "Bootstrap mode value incorrect:mbed.UseBootstrap"),
    ("3", {"mbed.EndpointName": b""}, "Item empty:mbed.EndpointName"),
    ("6 empty", {"mbed.BootstrapServerURI": b""}, "Item empty:mbed.BootstrapServerURI"),
    (
        "6 scheme",
        {"mbed.BootstrapServerURI": b"https://x:5684?aid=y"},
        "URI format incorrect:mbed.BootstrapServerURI",
    ),
    (
        "6 account",
        {"mbed.BootstrapServerURI": b"coaps://x:5684"},
        "URI format incorrect:mbed.BootstrapServerURI",
    ),
    (
        "6 word",
        {"mbed.BootstrapServerURI": b"coaps://x:5684?bid=aid="},
        "URI format incorrect:mbed.BootstrapServerURI",
    ),
    (
        "7",
        {"mbed.BootstrapDevicePrivateKey": pkcs8(ec_key("somebody else's"))},
        "Certificate public key validation failed:mbed.BootstrapDeviceCert",
    ),
    (
        "9 other",
        {"mbed.EndpointName": OTHER_ENDPOINT.encode()},
        "Certificate CN attribute invalid:mbed.BootstrapDeviceCert",
    ),
    (
        "9 case",
        {"mbed.EndpointName": ENDPOINT.upper().encode()},
        "Certificate CN attribute invalid:mbed.BootstrapDeviceCert",
    ),
    (
        "9 end",
        {"mbed.EndpointName": ENDPOINT.encode() + b"\0"},
        "Certificate CN attribute invalid:mbed.BootstrapDeviceCert",
    ),
    (
        "9 none",
        {"mbed.BootstrapDeviceCert": certificate(OWN_KEY, "/O=ARM Ltd")},
        "Certificate CN attribute invalid:mbed.BootstrapDeviceCert",
    ),
    ("12 class", {"mbed.ClassId": bytes(15)}, "Item size is wrong:mbed.ClassId"),
    ("12 vendor", {"mbed.VendorId": bytes(17)}, "Item size is wrong:mbed.VendorId"),
    ("12 order", {"mbed.VendorId": b"", "mbed.ClassId": b""}, "Item size is wrong:mbed.ClassId"),
]


@pytest.mark.parametrize(("changes", "text"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_wrong_item(changes: dict[str, bytes], text: str) -> None:
    """One item is wrong: the row's text and the item's name, exit code 1."""
    assert configured(changes).run("--get-pelion-status") == (1, "Querying device status... \n", f"{text}\n")


@pytest.mark.parametrize(
    "item",
    [
        "mbed.UseBootstrap",
        "mbed.EndpointName",
        "mbed.Manufacturer",
        "mbed.ModelNumber",
        "mbed.DeviceType",
        "mbed.HardwareVersion",
        "mbed.MemoryTotalKB",
        "mbed.SerialNumber",
        "mbed.BootstrapServerCACert",
        "mbed.BootstrapServerURI",
        "mbed.BootstrapDevicePrivateKey",
        "mbed.BootstrapDeviceCert",
    ],
)
def test_missing_item(item: str) -> None:
    """Each item that must exist is named when it does not (rows 2 to 7)."""
    assert configured(None, item).status() == (1, f"Item does not exist:{item}\n")


def test_order_of_what_is_missing() -> None:
    """The first that is missing is named, in the order of the table."""
    order = [
        "mbed.UseBootstrap",
        "mbed.EndpointName",
        "mbed.Manufacturer",
        "mbed.ModelNumber",
        "mbed.DeviceType",
        "mbed.HardwareVersion",
        "mbed.MemoryTotalKB",
        "mbed.SerialNumber",
        "mbed.BootstrapServerCACert",
        "mbed.BootstrapServerURI",
        "mbed.BootstrapDevicePrivateKey",
        "mbed.BootstrapDeviceCert",
    ]
    for position, item in enumerate(order):
        assert configured(None, *order[position:]).status() == (1, f"Item does not exist:{item}\n")


def test_order_of_what_is_wrong() -> None:
    """Of several wrong items the first of the table is named."""
    wrong = [
        ("mbed.UTCOffset", b"x", "UTC offset incorrect:mbed.UTCOffset"),
        ("mbed.UseBootstrap", b"x", "Item size is wrong:mbed.UseBootstrap"),
        ("mbed.BootstrapServerURI", b"x", "URI format incorrect:mbed.BootstrapServerURI"),
        (
            "mbed.BootstrapDevicePrivateKey",
            pkcs8(ec_key("else")),
            "Certificate public key validation failed:mbed.BootstrapDeviceCert",
        ),
        ("mbed.EndpointName", b"x", "Certificate CN attribute invalid:mbed.BootstrapDeviceCert"),
        ("mbed.ClassId", b"x", "Item size is wrong:mbed.ClassId"),
        ("mbed.VendorId", b"x", "Item size is wrong:mbed.VendorId"),
    ]
    for position, (_item, _data, text) in enumerate(wrong):
        changes = {item: data for item, data, _text in wrong[position:]}
        assert configured(changes).status() == (1, f"{text}\n")


@pytest.mark.parametrize(
    ("days", "text"),
    [
        (89, ""),
        (91, "Certificate expired:mbed.UpdateAuthCert\n"),
        (3649, "Certificate expired:mbed.UpdateAuthCert\n"),
        (3651, "Certificate expired:mbed.BootstrapDeviceCert\n"),
    ],
)
def test_expiry(days: int, text: str) -> None:
    """Certificates expire by the device's own clock, the device's one is looked at first (rows 10 and 11)."""
    bench = configured()
    bench.clock.offset = days * DAY
    assert bench.status() == (1 if text else 0, text)


def test_not_valid_yet() -> None:
    """A certificate of the future is only worth a warning: a device's clock may be behind."""
    bench = configured()
    bench.clock.offset = -365 * DAY
    assert bench.status() == (0, "")


def test_production_build() -> None:
    """A production build wants a certificate for clients (row 8); a development build does not."""
    plain = certificate(OWN_KEY, f"/CN={ENDPOINT}")
    server = certificate(OWN_KEY, f"/CN={ENDPOINT}", 3650, "extendedKeyUsage=serverAuth")
    for wrong in (plain, server):
        bench = configured({"mbed.BootstrapDeviceCert": wrong})
        assert bench.status() == (0, "")
        bench.settings.production = True
        assert bench.status() == (1, "Certificate invalid:mbed.BootstrapDeviceCert\n")
    bench = configured()
    bench.settings.production = True
    assert bench.status() == (0, "")


@pytest.mark.parametrize(
    ("changes", "without"),
    [
        ({}, ("mbed.UpdateAuthCert", "mbed.VendorId", "mbed.ClassId")),
        ({"mbed.UTCOffset": b"+02:00"}, ()),
        ({"mbed.UTCOffset": b"-11:30"}, ()),
        ({"mbed.UTCOffset": b""}, ()),
        ({"mbed.LwM2MServerURI": b"coaps://x?aid=y"}, ()),
        ({"mbed.SerialNumber": b"", "mbed.Manufacturer": b""}, ()),
        ({"mbed.BootstrapServerURI": b"coap://x:1?a=b&aid=y"}, ()),
    ],
)
def test_only_warnings(changes: dict[str, bytes], without: tuple[str, ...]) -> None:
    """What is only worth a warning fails nothing."""
    assert configured(changes, *without).status() == (0, "")


def test_direct_mode() -> None:
    """With bootstrap off the items of the LwM2M server are those that count."""
    bench = configured({"mbed.UseBootstrap": bytes(4)})
    assert bench.status() == (1, "Item does not exist:mbed.LwM2MServerCACert\n")
    usual = material().items
    bench.kcm.store("mbed.LwM2MServerCACert", usual["mbed.BootstrapServerCACert"])
    assert bench.status() == (1, "Item does not exist:mbed.LwM2MServerURI\n")
    bench.kcm.store("mbed.LwM2MServerURI", usual["mbed.BootstrapServerURI"])
    bench.kcm.store("mbed.LwM2MDevicePrivateKey", usual["mbed.BootstrapDevicePrivateKey"])
    bench.kcm.store("mbed.LwM2MDeviceCert", usual["mbed.BootstrapDeviceCert"])
    assert bench.status() == (0, "")
