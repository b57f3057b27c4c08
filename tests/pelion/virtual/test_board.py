"""The device as a board: what it says of itself, what it keeps, what it costs."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.pelion.virtual.device import DEADLINE, Device
from tests.pelion.virtual.material import material

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def inject(device: Device) -> None:
    """Put credentials into the key store."""
    for name, data in {"mbed.UseBootstrap": b"\x01\0\0\0", **material().items}.items():
        device.call("store_item", name=name, data=data.hex())


def test_describe(make_device: Callable[..., Device]) -> None:
    """The inventory knows what it is, where it is and by which key; no secret."""
    device = make_device(number=3, host_number=42)
    told = device.host.on_loop(device.board.describe)
    access = device.call("ssh")
    assert told == {
        "model": "MBL device",
        "firmware": "mbl-0.10",
        "serial": "MBL000003",
        "host_name": "mbed-linux-os-42",
        "ssh_host": "127.0.0.1",
        "ssh_port": str(access["port"]),
        "ssh_user": "root",
        "ssh_host_key": access["host_key"],
    }


def test_console(device: Device) -> None:
    """The console carries a boot log and hears nothing."""
    said = device.host.sent()
    assert said.startswith(b"[    0.000000] Booting Linux on physical CPU 0x0\r\n")
    assert said.endswith(b"cloud client, serial number MBL000000.\r\n")
    device.type(b"root\r\nls\r\n")
    assert device.host.sent() == said


def test_power_cycle(device: Device) -> None:
    """Credentials, permanent files, log and host name stay; what is in RAM goes."""
    inject(device)
    log = device.call("client_log")
    device.ssh("touch /scratch/a /home/root/b")
    before = device.call("kcm"), device.ssh("hostname; cat /etc/hostname")
    device.power_off()
    device.power_on()
    assert (device.call("kcm"), device.ssh("hostname; cat /etc/hostname")) == before
    assert device.call("client_log").startswith(log)
    assert device.ssh("ls /scratch /home/root") == (0, b"/home/root:\nb\n\n/scratch:\n", b"")
    assert device.util("--get-pelion-status")[0] == 0
    device.host.on_loop(device.board.reset)
    assert device.util("--get-pelion-status")[0] == 0


def test_forget(device: Device) -> None:
    """A device that forgets is as new; without power, too."""
    inject(device)
    device.ssh("touch /scratch/a")
    device.call("forget")
    assert device.call("kcm") == {}
    assert device.ssh("ls /scratch") == (0, b"", b"")
    inject(device)
    device.power_off()
    device.call("forget")
    assert device.call("kcm") == {}
    assert device.ssh("true")[0] == 255


def test_cloud_client(device: Device) -> None:
    """The cloud client runs from boot on, writes its log, and is restarted by systemd."""
    log = "cat /var/log/mbl-cloud-client.log"
    first = device.ssh(log)[1]
    assert b"Error occurred : ConnectorFailedToReadCredentials" in first
    assert (
        device.ssh("systemctl restart mbl-cloud-client; systemctl is-active mbl-cloud-client")[1]
        == b"active\n"
    )
    assert device.ssh(log)[1].startswith(first)
    assert device.call("client_state")["state"] == "failed"
    device.power_off()
    assert device.call("client_state")["state"] == "stopped"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"ssh_auth": "any"}, "ssh_auth is 'any'; expected one of none, key, password"),
        ({"boot_s": -1}, "boot_s is -1; expected seconds from 0 to 86400"),
        ({"boot_s": True}, "boot_s is True; expected seconds"),
        ({"disk_bytes": 1.5}, "disk_bytes is 1.5; expected bytes from 0"),
        ({"mdns": 1}, "mdns is 1; expected true or false"),
        ({"host_number": 10000}, "host_number is 10000; expected a number from -1 to 9999"),
        ({"ssh_port": 65536}, "ssh_port is 65536; expected a port from 0 to 65535"),
        ({"ssh_address": "192.0.2.1"}, "ssh_address is '192.0.2.1'; expected a loopback address, or"),
        ({"ssh_address": "::"}, "ssh_address is '::'; expected a loopback address, or"),
        ({"ssh_address": "fe80::1"}, "ssh_address is 'fe80::1'; expected a loopback address, or"),
        ({"ssh_address": "localhost"}, "ssh_address is 'localhost'; expected a loopback address, or"),
        ({"ssh_address": 22}, "ssh_address is 22; expected a loopback address, or"),
        ({"ssh_address": "fe80::1%no-such"}, "cannot listen at fe80::1%no-such port 0: "),
        ({"nonsense": 1}, "unknown option 'nonsense'; known are "),
    ],
)
def test_wrong_options(options: dict[str, Any], expected: str, tmp_path: Path) -> None:
    """An option that cannot be is refused, with what could be."""
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}"):
        Device(0, options, tmp_path / "device")


def test_port_that_is_taken(tmp_path: Path) -> None:
    """Who is to have one port gets it, or is refused."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused = f"^cannot listen at 127.0.0.1 port {port}: Address already in use"
        with pytest.raises(ValueError, match=refused):
            Device(0, {"ssh_port": port}, tmp_path / "device")


def test_other_address(make_device: Callable[..., Device]) -> None:
    """A device is where it was built to be, and says so."""
    device = make_device(ssh_address="127.9.8.7")

    assert device.call("ssh")["host"] == "127.9.8.7"
    with socket.create_connection(("127.9.8.7", device.call("ssh")["port"]), 10) as link:
        assert link.recv(4) == b"SSH-"
    with pytest.raises(ValueError, match="ssh_address is fixed when the device is made"):
        device.call("configure", ssh_address="127.0.0.1")


def test_wrong_kind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Another kind is refused."""
    monkeypatch.setattr("tests.pelion.virtual.device.KIND", "toaster")
    with pytest.raises(ValueError, match="unknown kind 'toaster'; expected mbl-device-virtual"):
        Device(0, {}, tmp_path / "device")


def test_threads_end(tmp_path: Path) -> None:
    """With the board its threads end, and its port is free."""
    before = set(threading.enumerate())
    device = Device(0, {}, tmp_path / "device")
    device.power_on()
    assert device.ssh("true")[0] == 0
    device.close()
    for thread in set(threading.enumerate()) - before:
        thread.join(DEADLINE)
        assert not thread.is_alive()
    assert device.host.failures == []


def test_a_port_is_the_devices_own(make_device: Callable[..., Device]) -> None:
    """No other device takes the port of one that is dark."""
    first = make_device()
    port = first.call("ssh")["port"]
    first.power_off()
    assert make_device(number=1).call("ssh")["port"] != port
    first.power_on()
    assert first.call("ssh")["port"] == port
    assert first.ssh("true")[0] == 0


START = """
import os, sys
from harness_pelion.virtual.board import create
from harness.virtual.async_thread import AsyncThread
from harness.virtual.contract import VirtualBoardSpec

class Host:
    run_async = AsyncThread().start
    def send(self, role, data): pass
    def call_later(self, seconds, callback): raise AssertionError
    def call_soon(self, callback): pass
    def run_blocking(self, work): pass
    def cut_power(self, *, comes_back): pass

create(Host(), VirtualBoardSpec(id="0", kind="mbl-device-virtual", number=0)).power_on()
print(*sorted(name for name in ("zeroconf", "paramiko") if name in sys.modules))
os._exit(0) if not sys.stdout.flush() else None
"""


def test_start_loads_no_mdns() -> None:
    """What only a device that is looked for needs is not loaded by others, nor is a client's SSH."""
    done = subprocess.run(
        [sys.executable, "-c", START], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "\n"
