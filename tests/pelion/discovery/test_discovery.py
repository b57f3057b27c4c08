"""Discovery: devices are found by their mark, as soon as one answers, and told apart from other hosts."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from zeroconf import ServiceInfo

from harness.errors import RigFault, UsageError
from harness_pelion import discovery
from harness_pelion.discovery import FoundDevice, discover
from tests.pelion.discovery.responder import SERVICE, Announced, announcing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HERE = ["127.0.0.1"]
#: Part of every name: others may announce devices on loopback at the same time.
RUN = f"t{os.getpid()}"


@pytest.fixture(scope="module")
def devices() -> Iterator[None]:
    """Two devices, and hosts that are none, for all tests of this file."""
    with announcing(
        Announced(f"mbed-linux-os-2-{RUN}", ["127.0.0.3"], 2222),
        Announced(f"mbed-linux-os-1-{RUN}", ["127.0.0.4", "fd00::4"]),
        Announced(f"workstation-{RUN}", ["127.0.0.2"], properties={}),
        Announced(f"printer-{RUN}", ["127.0.0.2"], properties={"mblosx": "mblos", "other": "mblos"}),
    ):
        yield


def ours(found: list[FoundDevice]) -> list[FoundDevice]:
    """Those that this file's tests announced."""
    return [device for device in found if device.name.endswith(RUN)]


@pytest.mark.usefixtures("devices")
def test_devices_are_found_and_sorted() -> None:
    """Every device is found with its address and the port of its SSH; other hosts with SSH are not."""
    found = ours(discover(10, interfaces=HERE))

    assert found == [
        FoundDevice(name=f"mbed-linux-os-2-{RUN}", address="127.0.0.3", port=2222),
        FoundDevice(name=f"mbed-linux-os-1-{RUN}", address="127.0.0.4", port=22),
    ]


@pytest.mark.usefixtures("devices")
def test_it_ends_soon_after_the_first_device() -> None:
    """Nobody waits half a minute for a device that is there."""
    begin = time.monotonic()

    assert ours(discover(30, interfaces=HERE))

    assert time.monotonic() - begin < 15


def test_a_device_that_comes_later_is_found() -> None:
    """A device that boots while somebody looks is found."""
    name = f"late-{RUN}"
    wanted = threading.Event()
    looking = threading.Event()

    def boot() -> None:
        looking.wait(10)
        with announcing(Announced(name)):
            wanted.wait(20)

    thread = threading.Thread(target=boot)
    thread.start()
    try:
        deadline = time.monotonic() + 20
        names: set[str] = set()
        looking.set()
        while name not in names and time.monotonic() < deadline:
            names = {device.name for device in discover(10, interfaces=HERE, settle=0.1)}
    finally:
        wanted.set()
        thread.join(20)
    assert name in names


def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody answers, nothing is found, and that only when the time is over."""
    monkeypatch.setattr(discovery, "SERVICE", f"_{RUN}._tcp.local.")
    begin = time.monotonic()

    assert discover(0.3, interfaces=HERE) == []

    assert time.monotonic() - begin >= 0.3


@pytest.mark.parametrize("interface", ["192.0.2.200", "eth0", "", "localhost", "2001:db8::99"])
def test_wrong_interface(interface: str) -> None:
    """An interface that is not ours is refused."""
    with pytest.raises(UsageError) as raised:
        discover(0.1, interfaces=["127.0.0.1", interface])

    assert str(raised.value) == (
        f"--interface: no address of this host (got {interface!r}); expected one like 192.0.2.7"
    )


def test_host_without_multicast(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that cannot ask at all says so; one without IPv6 asks by IPv4."""
    asked: list[Any] = []

    def refuse(**options: Any) -> None:
        asked.append(options["ip_version"].name)
        raise OSError(97, "Address family not supported by protocol")

    monkeypatch.setattr(discovery, "Zeroconf", refuse)
    with pytest.raises(RigFault, match="cannot look for devices by multicast DNS"):
        discover(0.1)

    assert asked == ["All", "V4Only"]


def described(
    *addresses: bytes, name: str = "it", properties: Any = None, port: int = 22, scope: int = 0
) -> Any:
    """Return what a responder said, as the library hands it over."""
    return ServiceInfo(
        SERVICE,
        f"{name}.{SERVICE}",
        addresses=list(addresses),
        port=port,
        properties={"mblos": None} if properties is None else properties,
        interface_index=scope or None,
    )


LINK_LOCAL = bytes.fromhex("fe80000000000000021b63fffeabe6a6")
GLOBAL = bytes.fromhex("20010db8000000000000000000000001")


@pytest.mark.parametrize(
    ("info", "address"),
    [
        (described(LINK_LOCAL, scope=1), "fe80::21b:63ff:feab:e6a6%lo"),
        (described(LINK_LOCAL), None),
        (described(LINK_LOCAL, GLOBAL, scope=1), "2001:db8::1"),
        (described(GLOBAL, b"\xa9\xfe\1\2"), "2001:db8::1"),
        (described(LINK_LOCAL, b"\xa9\xfe\1\2", scope=1), "169.254.1.2"),
        (described(GLOBAL, b"\xc0\0\2\1"), "192.0.2.1"),
        (described(), None),
        (described(b"\xc0\0\2\1", port=0), None),
        (described(b"\xc0\0\2\1", properties={}), None),
        (described(b"\xc0\0\2\1", properties={"mblos": "1"}), "192.0.2.1"),
        (described(b"\xc0\0\2\1", name="bad\u202ename"), None),
    ],
    ids=[
        "link-local with its interface",
        "link-local of no interface",
        "global before link-local",
        "global IPv6 before link-local IPv4",
        "link-local IPv4 first",
        "IPv4 first",
        "no address",
        "no port",
        "no mark",
        "a mark with a value",
        "a name for a terminal to stumble over",
    ],
)
def test_which_address_counts(info: Any, address: str | None) -> None:
    """The address that is reached most likely counts; a link-local one needs its interface."""
    device = discovery._device(info)

    assert (device and device.address) == address


@pytest.mark.parametrize("name", ["a\x1b[31m", "\x00", "\x7f"])
def test_name_that_no_service_may_have(name: str) -> None:
    """A name with control characters is left out, whoever announces it."""
    assert discovery._service(f"{name}.{SERVICE}") is None
    assert discovery._service(f"fine.{SERVICE}") is not None


@pytest.mark.usefixtures("devices")
def test_select_on_the_command_line(tmp_path: Path) -> None:
    """``harness pelion select`` finds, lists and keeps a device by its name."""
    words = ["pelion", "select", f"mbed-linux-os-2-{RUN}", "--interface", "127.0.0.1", "--timeout", "20"]
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", *words],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (
        0,
        "Discovering devices. This will take up to 20 seconds.\n",
    )
    assert f": mbed-linux-os-2-{RUN}: 127.0.0.3 port 2222\n" in done.stdout
    assert done.stdout.endswith(f"selected: mbed-linux-os-2-{RUN} (127.0.0.3)\n")
    assert (tmp_path / ".mbl-dev.json").stat().st_mode & 0o777 == 0o600
