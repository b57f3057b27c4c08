"""What the device says of itself: each check of its configuration, with credentials that break just that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness_pelion.enums import DeveloperVariable as Dev
from harness_pelion.enums import UpdateVariable as Upd
from harness_pelion.update_material import update_resources

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard
    from harness_pelion.resources import DeveloperCredentials, UpdateResources

pytestmark = pytest.mark.board(driver="mbl", destructive=True)

#: Items that a configured device must have, in the order in which it looks for them (section 2.2).
NEEDED = [
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
NOT_NEEDED = ["mbed.UpdateAuthCert", "mbed.VendorId", "mbed.ClassId"]


def each_with_pair(outcome: str, items: list[str]) -> list[Any]:
    """Return a case for each item, with a pair of its own."""
    return [
        pytest.param(item, marks=pytest.mark.proves("status", f"{item} {outcome}"), id=item) for item in items
    ]


@pytest.mark.proves("status", "blank")
def test_blank_device(board: LeasedBoard) -> None:
    """A device that was never provisioned says what it misses first."""
    status = board.driver.status()

    assert (status.configured, status.reason) == (False, "Item does not exist:mbed.UseBootstrap")


@pytest.mark.proves("status", "configured")
def test_configured_device(
    board: LeasedBoard, developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """A device that was provisioned says so, also again after it booted."""
    assert board.driver.provision(developer, update).ok
    assert board.driver.status().configured

    board.driver.reboot()
    board.driver.wait_until_back()

    assert board.driver.status().configured


@pytest.mark.parametrize("item", each_with_pair("is missing", NEEDED))
@pytest.mark.board(driver="mbl", destructive=True, needs={"virtual"})
def test_item_is_missing(
    board: LeasedBoard, developer: DeveloperCredentials, update: UpdateResources, item: str
) -> None:
    """No device is configured with an item missing, whichever it is."""
    assert board.driver.provision(developer, update).ok
    board.virtual.call("drop_item", name=item)

    status = board.driver.status()

    assert (status.configured, status.reason) == (False, f"Item does not exist:{item}")


@pytest.mark.parametrize("item", each_with_pair("may be missing", NOT_NEEDED))
@pytest.mark.board(driver="mbl", destructive=True, needs={"virtual"})
def test_item_that_may_be_missing(
    board: LeasedBoard, developer: DeveloperCredentials, update: UpdateResources, item: str
) -> None:
    """What concerns updates alone is warned of, not refused."""
    assert board.driver.provision(developer, update).ok
    board.virtual.call("drop_item", name=item)

    assert board.driver.status().configured


@pytest.mark.parametrize(
    ("uri", "configured"),
    [
        (b"coaps://127.0.0.1:5684?aid=0123", True),
        (b"coap://127.0.0.1:5684?x=1&aid=0123", True),
        (b"https://127.0.0.1:5684?aid=0123", False),
        (b"coaps://127.0.0.1:5684", False),
        (b"coaps://127.0.0.1:5684?iad=0123", False),
    ],
    ids=["coaps", "coap, second", "https", "without aid", "another parameter"],
)
@pytest.mark.proves("status", "URI format")
def test_server_address(
    board: LeasedBoard,
    developer: DeveloperCredentials,
    update: UpdateResources,
    uri: bytes,
    configured: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """The bootstrap server is named by a CoAP address with the account in it."""
    assert board.driver.provision(developer.with_file(Dev.SERVER_URI, uri), update).ok

    status = board.driver.status()

    reason = "" if configured else "URI format incorrect:mbed.BootstrapServerURI"
    assert (status.configured, status.reason) == (configured, reason)


@pytest.mark.proves("status", "the key does not fit the certificate")
def test_key_of_another_certificate(
    board: LeasedBoard, developer: DeveloperCredentials, update: UpdateResources, pelion: Any
) -> None:
    """A key that belongs to another certificate is noticed on the device."""
    other = pelion.create_developer_certificate(pelion.own_name("other")).credentials()
    mixed = developer.with_file(Dev.DEVICE_PRIVATE_KEY, other.private_key_der)
    assert board.driver.provision(mixed, update).ok

    status = board.driver.status()

    assert (status.configured, status.reason) == (
        False,
        "Certificate public key validation failed:mbed.BootstrapDeviceCert",
    )


@pytest.mark.proves("status", "the endpoint's name is not the certificate's")
def test_another_endpoint_name(
    board: LeasedBoard, developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """The common name of the certificate has to be the endpoint's, byte for byte."""
    renamed = developer.with_file(Dev.ENDPOINT_NAME, developer.endpoint_name.upper().encode() + b"X")
    assert board.driver.provision(renamed, update).ok

    status = board.driver.status()

    assert (status.configured, status.reason) == (
        False,
        "Certificate CN attribute invalid:mbed.BootstrapDeviceCert",
    )


@pytest.mark.parametrize(
    "days",
    [
        pytest.param(
            -1, marks=pytest.mark.proves("status", "the update certificate has expired"), id="expired"
        ),
        pytest.param(
            1, marks=pytest.mark.proves("status", "the update certificate expires soon"), id="valid"
        ),
    ],
)
def test_update_certificate_ends(board: LeasedBoard, developer: DeveloperCredentials, days: int) -> None:
    """An expired update certificate makes the device not configured; a short one does not."""
    assert board.driver.provision(developer, update_resources("update", days=days)).ok

    status = board.driver.status()

    expired = "Certificate expired:mbed.UpdateAuthCert" if days < 0 else ""
    assert (status.configured, status.reason) == (not expired, expired)


@pytest.mark.board(driver="mbl", destructive=True, needs={"virtual"})
@pytest.mark.proves("status", "the developer certificate has expired")
def test_device_certificate_has_expired(
    board: LeasedBoard, developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """It is valid for ten years, by the device's own clock."""
    assert board.driver.provision(developer, update).ok
    board.virtual.call("set_clock", offset_seconds=11 * 365 * 24 * 3600)

    assert board.driver.status().reason == "Certificate expired:mbed.BootstrapDeviceCert"


@pytest.mark.parametrize(
    ("variable", "item"),
    [
        pytest.param(
            variable,
            item,
            marks=pytest.mark.proves("status", f"mbed.{item} is of another size"),
            id=item,
        )
        for variable, item in [(Upd.VENDOR_ID, "VendorId"), (Upd.CLASS_ID, "ClassId")]
    ],
)
@pytest.mark.parametrize("size", [15, 17])
def test_id_of_another_size(
    board: LeasedBoard,
    developer: DeveloperCredentials,
    update: UpdateResources,
    variable: Upd,
    item: str,
    size: int,
) -> None:
    """Vendor and class are UUIDs: 16 bytes."""
    assert board.driver.provision(developer, update.with_file(variable, b"\x01" * size)).ok

    assert board.driver.status().reason == f"Item size is wrong:mbed.{item}"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("0100", "Item size is wrong:mbed.UseBootstrap"),
        ("02000000", "Bootstrap mode value incorrect:mbed.UseBootstrap"),
        ("00000000", "Item does not exist:mbed.LwM2MServerCACert"),
    ],
    ids=["short", "unknown", "no bootstrap"],
)
@pytest.mark.board(driver="mbl", destructive=True, needs={"virtual"})
@pytest.mark.proves("status", "the mode is wrong")
def test_mode(
    board: LeasedBoard, developer: DeveloperCredentials, update: UpdateResources, content: str, reason: str
) -> None:
    """A device that says that it needs no bootstrap must have the other credentials."""
    assert board.driver.provision(developer, update).ok
    board.virtual.call("store_item", name="mbed.UseBootstrap", data=content)

    assert board.driver.status().reason == reason


@pytest.mark.parametrize(("offset", "fits"), [("+01:00", True), ("-12:30", True), ("1 hour", False)])
@pytest.mark.board(driver="mbl", destructive=True, needs={"virtual"})
@pytest.mark.proves("status", "UTC offset")
def test_utc_offset(
    board: LeasedBoard,
    developer: DeveloperCredentials,
    update: UpdateResources,
    offset: str,
    fits: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """It may be missing; if it is there, it is one."""
    assert board.driver.provision(developer, update).ok
    board.virtual.call("store_item", name="mbed.UTCOffset", data=offset.encode().hex())

    assert board.driver.status().reason == ("" if fits else "UTC offset incorrect:mbed.UTCOffset")
