"""The control calls of a device: unfit ones are refused, orders end with the test."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.pelion.virtual.device import UTIL
from tests.pelion.virtual.material import material

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.pelion.virtual.device import Device


@pytest.mark.parametrize(
    ("method", "params", "expected"),
    [
        ("dance", {}, "unknown method 'dance'; known are "),
        ("ssh", {"port": 1}, "ssh: got an unexpected keyword argument 'port'"),
        ("cut_power_at", {"point": "never"}, "point is 'never'; expected one of 'before store', "),
        ("cut_power_at", {"point": "before store", "nth": 0}, "nth is 0; expected a count from 1"),
        ("cut_ssh_at", {"nth": True}, "nth is True; expected a count from 1"),
        ("cut_ssh_at", {"when": "never"}, "when is 'never'; expected one of connection, login, "),
        ("set_ssh", {"mode": "shut"}, "mode is 'shut'; expected one of open, refusing, silent"),
        ("fill_disk", {"mount": "/x"}, "mount is '/x'; expected one of /, /scratch, "),
        ("fill_disk", {"left": -1}, "left is -1; expected bytes from 0"),
        ("set_read_only", {"on": 1}, "on is 1; expected true or false"),
        ("set_link", {"up": "no"}, "up is 'no'; expected true or false"),
        ("advertise", {"on": None}, "on is None; expected true or false"),
        ("set_clock", {"offset_seconds": "1"}, "offset_seconds is '1'; expected seconds"),
        ("set_clock", {"offset_seconds": 1e12}, "offset_seconds is 1000000000000.0; expected seconds"),
        ("configure", {"nonsense": 1}, "unknown option 'nonsense'"),
        ("configure", {"boot_s": "x"}, "boot_s is 'x'; expected seconds from 0 to 86400"),
        ("configure", {"disk_bytes": 1}, "disk_bytes is fixed when the device is made"),
        ("store_item", {"name": "a b", "data": "00"}, "the key store refuses it: File name invalid:"),
        ("store_item", {"name": "a", "data": "xyz"}, "non-hexadecimal number"),
        ("drop_item", {"name": ""}, "the key store refuses it: File name invalid:"),
        ("deregister", {}, "the client is "),
        ("update_registration", {}, "the client is "),
    ],
)
def test_unfit_call(device: Device, method: str, params: dict[str, Any], expected: str) -> None:
    """A call that does not fit is refused, and says what would."""
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}"):
        device.call(method, **params)


def test_orders_end(make_device: Callable[..., Device]) -> None:
    """What a test ordered ends with it: the device is built as at first, and keeps what it keeps."""
    device = make_device(lifetime_s=60, ssh_auth="key")
    built = device.call("configuration")
    device.call("configure", lifetime_s=5, ssh_auth="none", production=True)
    device.call("set_link", up=False)
    device.call("set_clock", offset_seconds=1e6)
    device.call("fill_disk")
    device.call("set_read_only", on=True)
    device.call("cut_power_at", point="before command")
    device.call("cut_ssh_at")
    assert device.call("configuration") != built
    assert device.call("client_state")["link_up"] is False

    device.host.on_loop(device.board.clear_faults)

    assert device.call("configuration") == built
    assert device.call("client_state")["link_up"] is True
    assert device.ssh("touch /scratch/x && date +%Y-%m-%d > /scratch/day") == (0, b"", b"")
    assert device.host.supply_cuts == 0
    assert device.ssh("date +%Y-%m-%d | sha256sum; sha256sum < /scratch/day")[0] == 0


def test_registers_as_the_real_client(device: Device) -> None:
    """Unless a test orders otherwise: for 600 s, and again every 300 s (pelion fact sheet, section 6.1)."""
    built = device.call("configuration")

    assert (built["lifetime_s"], built["register_every_s"]) == (600, 300)


def test_full_disk(device: Device) -> None:
    """Some bytes are left, everywhere or on one file system."""
    device.call("fill_disk", mount="/scratch", left=3)
    assert device.ssh("echo 12 > /scratch/a && echo 12 > /home/root/a")[0] == 0
    assert device.ssh("echo 12 > /scratch/b")[2] == b"sh: write error: No space left on device\n"
    device.call("fill_disk")
    assert device.ssh("echo 12 > /home/root/b")[0] == 1
    with pytest.raises(ValueError, match="File operation general error"):
        device.call("store_item", name="a", data="00")


def test_items(device: Device) -> None:
    """Items are put in and taken out; of their content the digest is told."""
    device.call("store_item", name="mbed.Manufacturer", data=b"abc".hex())
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert device.call("kcm") == {"mbed.Manufacturer": {"size": 3, "sha256": digest}}
    assert device.call("drop_item", name="mbed.Manufacturer") is True
    assert device.call("drop_item", name="mbed.Manufacturer") is False


def test_clock(device: Device) -> None:
    """The status follows the device's own clock."""
    for name, data in {"mbed.UseBootstrap": b"\x01\0\0\0", **material().items}.items():
        device.call("store_item", name=name, data=data.hex())
    assert device.util("--get-pelion-status")[0] == 0
    device.call("set_clock", offset_seconds=100 * 24 * 3600)
    assert device.util("--get-pelion-status")[2] == b"Certificate expired:mbed.UpdateAuthCert\n"


def test_as_from_the_factory(device: Device) -> None:
    """Items, files and the log are forgotten, and what was removed or changed is there again."""
    image = device.call("files")
    device.call("store_item", name="mbed.Manufacturer", data="00")
    done = device.ssh(
        f"rm {UTIL}; echo x > /etc/hostname; chmod 000 /usr/bin/ls; touch /config/a /scratch/a /home/root/a"
    )
    assert done == (0, b"", b"")

    device.call("forget")

    assert device.call("kcm") == {}
    assert device.call("files") == image
    assert device.call("client_log").count("started") == 1
    assert device.util("--get-pelion-status")[2] == b"Item does not exist:mbed.UseBootstrap\n"
    assert device.ssh("cat /etc/hostname; /usr/bin/ls -d /etc")[1].startswith(b"mbed-linux-os-")
    assert device.call("file_mode", path="/usr/bin/ls") == "f0755"


def test_points(device: Device) -> None:
    """The points that were passed are told and forgotten; no content is in them."""
    device.ssh("echo secret > /scratch/x")
    told = device.call("points", clear=True)
    assert ("after write", "write /scratch/x") in [tuple(each) for each in told]
    assert "secret" not in str(told)
    assert device.call("points") == []
    device.ssh("true")
    device.call("clear_points")
    assert device.call("points") == []


def test_files(device: Device) -> None:
    """A test looks at paths and modes without SSH."""
    device.ssh("mkdir -m 700 /scratch/d; touch /scratch/d/f")
    assert device.call("files", path="/scratch") == ["/scratch/d", "/scratch/d/f"]
    assert device.call("files", path="/scratch/") == ["/scratch/d", "/scratch/d/f"]
    assert device.call("files", path="/nowhere") == []
    assert [device.call("file_mode", path=f"/scratch/{each}") for each in ("d", "d/f", "g")] == [
        "d0700",
        "f0644",
        None,
    ]
