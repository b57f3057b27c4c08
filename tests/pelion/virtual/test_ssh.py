"""SSH of the device, by the unmodified OpenSSH client and by paramiko."""

from __future__ import annotations

import io
import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import paramiko
import pytest

from tests.pelion.virtual.device import DEADLINE, UTIL
from tests.pelion.virtual.material import ENDPOINT, material

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.pelion.virtual.device import Device


@contextmanager
def transport(device: Device) -> Iterator[paramiko.Transport]:
    """Connect by paramiko, up to the login."""
    access = device.call("ssh")
    connected = paramiko.Transport((access["host"], access["port"]))
    try:
        connected.start_client(timeout=DEADLINE)
        yield connected
    finally:
        connected.close()


def private_key(device: Device) -> paramiko.Ed25519Key:
    """Return the key that the device knows root by."""
    return paramiko.Ed25519Key.from_private_key(io.StringIO(device.call("ssh")["private_key_pem"]))


def test_provisioning(device: Device, tmp_path: Path) -> None:
    """The four connections of section 1.6, by ``ssh`` and ``scp -O``: the device is configured."""
    first = material().write_to(tmp_path / "developer")
    target = "/scratch/provisioning-certs"
    assert device.ssh(f"rm -r -f {target}; mkdir -p {target}") == (0, b"", b"")
    assert device.put(first, to=target, options=["-r"])[0] == 0
    assert device.ssh(f"mv '{target}/developer'/* {target}") == (0, b"", b"")

    assert device.util("--provision") == (
        0,
        b"Provisioning device.\nProvisioning process completed without error.\n",
        b"",
    )
    assert device.ssh(f"rm -r -f {target}") == (0, b"", b"")
    assert device.util("--get-pelion-status")[0] == 0
    assert device.call("kcm")["mbed.EndpointName"]["size"] == len(ENDPOINT)
    assert not [path for path in device.call("files", path="/scratch") if path != "/scratch"]
    assert len(device.call("connections")) == 6


def test_status_and_streams(device: Device) -> None:
    """Exit codes, standard output and standard error come apart; what is not there is not found."""
    assert device.ssh("echo out; echo err >&2; exit 7") == (7, b"out\n", b"err\n")
    assert device.ssh("nonsense --x") == (127, b"", b"sh: nonsense: not found\n")
    assert device.util("--get-pelion-status") == (
        1,
        b"Querying device status... \n",
        b"Item does not exist:mbed.UseBootstrap\n",
    )
    assert device.util("")[0] == 2
    assert device.ssh("'open") == (2, b"", b"sh: syntax error: unterminated quoted string\n")
    assert device.ssh("cat > /scratch/x; sha256sum /scratch/x", b"abc")[1] == (
        b"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  /scratch/x\n"
    )


@pytest.mark.parametrize(
    ("auth", "offered"), [("key", ["publickey"]), ("password", ["password"]), ("none", None)]
)
def test_methods(make_device: Callable[..., Device], auth: str, offered: list[str] | None) -> None:
    """Root comes in by the one method that is set, nobody else by any."""
    device = make_device(ssh_auth=auth)
    with transport(device) as connected:
        if offered is None:
            assert connected.auth_none("root") == []
            assert connected.is_authenticated()
        else:
            with pytest.raises(paramiko.BadAuthenticationType) as refusal:
                connected.auth_none("root")
            assert refusal.value.allowed_types == offered
    if auth != "password":
        assert device.ssh("whoami") == (0, b"root\n", b"")
    assert device.ssh("whoami", user="admin")[0] == 255


def test_none_then_key_on_one_connection(make_device: Callable[..., Device]) -> None:
    """A client that asks for the service again before each method is borne, as dropbear bears it."""
    device = make_device(ssh_auth="key")
    with transport(device) as connected:
        with pytest.raises(paramiko.BadAuthenticationType):
            connected.auth_none("root")
        strange = paramiko.ECDSAKey.generate()
        with pytest.raises(paramiko.AuthenticationException):
            connected.auth_publickey("root", strange)
        connected.auth_publickey("root", private_key(device))
        channel = connected.open_session()
        channel.settimeout(DEADLINE)
        channel.exec_command("whoami")
        assert channel.recv_exit_status() == 0


def test_password(make_device: Callable[..., Device]) -> None:
    """The right password opens, a wrong one does not; it is the board's own."""
    device = make_device(ssh_auth="password")
    password = device.call("ssh")["password"]
    with transport(device) as connected:
        with pytest.raises(paramiko.AuthenticationException):
            connected.auth_password("root", password + "x")
        connected.auth_password("root", password)
        assert connected.is_authenticated()
    assert make_device(number=1).call("ssh")["password"] != password
    assert password not in str(device.host.on_loop(device.board.describe))


def test_shell_without_a_command(device: Device) -> None:
    """Lines are run as they come; with a terminal there is a prompt, and what is typed comes back."""
    status, output, errors = device._run(
        ["ssh", "-T", *device.options(), "root@127.0.0.1"], b"cd /scratch\npwd\nnonsense\nexit\n"
    )
    assert (status, output, errors) == (127, b"/scratch\n", b"sh: nonsense: not found\n")
    with transport(device) as connected:
        connected.auth_none("root")
        channel = connected.open_session()
        channel.settimeout(DEADLINE)
        channel.get_pty()
        channel.invoke_shell()
        channel.sendall(b"echo hallx\x7fo\r\x04")
        said = b""
        while piece := channel.recv(1000):
            said += piece
        assert said.startswith(b"root@mbed-linux-os-")
        assert b"# echo hallx\x7fo\r\nhallo\r\nroot@" in said
        assert channel.recv_exit_status() == 0


@pytest.mark.parametrize("lines", [b"exit 3\n", b"true && exit 3\nwhoami\n", b"exit x\nexit 3\n"])
def test_shell_that_is_left(device: Device, lines: bytes) -> None:
    """A shell ends where it is told to, with the status that it is told; without a number it goes on."""
    status, output, errors = device._run(["ssh", "-T", *device.options(), "root@127.0.0.1"], lines)
    assert (status, output) == (3, b"")
    assert errors == (b"sh: exit: Illegal number: x\n" if b"x\n" in lines else b"")


def test_window_that_gets_another_size(device: Device) -> None:
    """Whoever makes the window larger goes on in the same shell."""
    with transport(device) as connected:
        connected.auth_none("root")
        channel = connected.open_session()
        channel.settimeout(DEADLINE)
        channel.get_pty()
        channel.invoke_shell()
        channel.resize_pty(132, 43)
        channel.sendall(b"echo still here\r\x04")
        said = b""
        while piece := channel.recv(1000):
            said += piece
        assert b"\r\nstill here\r\n" in said
        assert channel.recv_exit_status() == 0


def test_no_sftp(device: Device, tmp_path: Path) -> None:
    """There is no SFTP, as on the real device: only the old protocol."""
    (tmp_path / "file").write_bytes(b"x")
    words = ["scp", *device.options(), str(tmp_path / "file"), "root@127.0.0.1:/scratch/file"]
    assert device._run(words, b"")[0] != 0
    assert device.call("files", path="/scratch") == []
    with transport(device) as connected:
        connected.auth_none("root")
        with pytest.raises((paramiko.SSHException, EOFError)):
            paramiko.SFTPClient.from_transport(connected)


def test_reboot(device: Device) -> None:
    """A reboot is answered, cuts the connection and comes back: same key and port, empty scratch."""
    access = device.call("ssh")
    first = device.ssh("cat /proc/sys/kernel/random/boot_id; touch /scratch/a /config/a")
    assert device.ssh("reboot") == (0, b"", b"")
    second = device.ssh("cat /proc/sys/kernel/random/boot_id; ls /scratch /config")
    assert first[0] == second[0] == 0
    assert first[1] not in second[1]
    assert second[1].split(b"\n", 1)[1] == b"/config:\na\nuser\n\n/scratch:\n"
    assert device.call("ssh") == access


def test_reboot_takes_its_time(make_device: Callable[..., Device]) -> None:
    """While a device boots nobody listens; an open connection of before is cut."""
    device = make_device(boot_s=0.3)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", device.call("ssh")["port"]), DEADLINE)
    device.host.wait_said(b"cloud client")
    device.host.wait(lambda _sent: bool(device.board.up))
    with transport(device) as connected:
        connected.auth_none("root")
        start = len(device.host.sent())
        device.ssh("reboot")
        device.host.wait_said(b"Booting Linux", start)
        connected.join(DEADLINE)
        assert not connected.is_active()


def test_power_off_by_command(device: Device) -> None:
    """After ``poweroff`` the device is dark until somebody switches it on."""
    assert device.ssh("poweroff")[:2] == (0, b"")  # ssh itself may say that the connection broke
    device.host.wait_dark()
    status, _output, errors = device.ssh("true")
    assert (status, b"Connection refused" in errors) == (255, True)
    device.power_on()
    assert device.ssh("true") == (0, b"", b"")


def test_power_cut_in_a_command(device: Device, tmp_path: Path) -> None:
    """Who waits for a command when the power goes hears nothing more."""
    material().write_to(tmp_path / "certs")
    device.ssh("mkdir /scratch/provisioning-certs")
    device.put(*(tmp_path / "certs").iterdir(), to="/scratch/provisioning-certs")
    device.call("cut_power_at", point="after store", nth=5, comes_back=True)
    device.call("connections", clear=True)

    assert device.util("--provision")[0] == 255

    device.host.wait_dark()
    assert device.ssh("ls /scratch") == (0, b"", b"")
    assert device.util("--get-pelion-status")[2] == b"Item does not exist:mbed.UseBootstrap\n"
    assert len(device.call("kcm")) == 5
    assert device.call("connections")[0] == {
        "number": 1,
        "user": "root",
        "commands": [f"{UTIL} --provision"],
    }


def test_cut_at_a_connection(device: Device) -> None:
    """The nth connection is cut before its banner; it counts as one that came."""
    device.call("cut_ssh_at", nth=2)
    assert [device.ssh("true")[0] for _ in range(3)] == [0, 255, 0]
    told = device.call("connections")
    assert [(each["number"], each["user"]) for each in told] == [(1, "root"), (2, ""), (3, "root")]
    assert device.call("connections", clear=True) == told
    assert device.call("connections") == []


@pytest.mark.parametrize(("when", "done"), [("login", False), ("command", False), ("answer", True)])
def test_cut_at_a_command(device: Device, when: str, done: bool) -> None:  # noqa: FBT001 - a table
    """A connection is cut behind the login, instead of a command, or behind it."""
    device.call("cut_ssh_at", nth=1, when=when)
    assert device.ssh("touch /scratch/x")[0] == 255
    assert device.call("files", path="/scratch") == (["/scratch/x"] if done else [])
    assert device.ssh("true")[0] == 0


def test_cut_in_a_file(device: Device, tmp_path: Path) -> None:
    """The connection is lost in the middle of the second file, which is not whole then."""
    for name in "ab":
        (tmp_path / name).write_bytes(name.encode() * 1000)
    device.call("cut_ssh_at", nth=2, when="file")
    assert device.put(tmp_path / "a", tmp_path / "b", to="/scratch")[0] != 0
    assert device.ssh("cat /scratch/a")[1] == b"a" * 1000
    assert device.ssh("stat -c %s /scratch/b")[1] == b"500\n"
    assert device.put(tmp_path / "a", tmp_path / "b", to="/scratch")[0] == 0
    assert device.ssh("cat /scratch/b")[1] == b"b" * 1000


def test_refusing_and_silent(device: Device) -> None:
    """Nobody listens, or somebody takes connections and says nothing, until that ends."""
    address = ("127.0.0.1", device.call("ssh")["port"])
    device.call("set_ssh", mode="refusing")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, DEADLINE)
    device.call("set_ssh", mode="silent")
    device.call("connections", clear=True)
    with socket.create_connection(address, DEADLINE) as silent:
        deadline = time.monotonic() + DEADLINE
        while not device.call("connections"):  # the kernel took it; the device may not have yet
            assert time.monotonic() < deadline, "the device takes no connection"
            threading.Event().wait(0.01)  # it tells nobody
        silent.settimeout(0.1)
        with pytest.raises(TimeoutError):
            silent.recv(1)
        silent.settimeout(DEADLINE)
        device.host.on_loop(device.board.clear_faults)
        assert silent.recv(1) == b""
    assert device.ssh("true")[0] == 0
    assert device.call("ssh")["port"] == address[1]


def test_refusing_outlasts_a_boot(device: Device) -> None:
    """An order on the port stays over a power cycle, and without power it changes nothing."""
    device.power_off()
    device.call("set_ssh", mode="refusing")
    device.power_on()
    assert device.ssh("true")[0] == 255
    device.call("set_ssh", mode="open")
    assert device.ssh("true")[0] == 0


def test_each_device_is_its_own(make_device: Callable[..., Device]) -> None:
    """Keys, ports and host names differ."""
    told = [make_device(number=number, host_number=number).call("ssh") for number in range(2)]
    for name in ("port", "host_key", "private_key_pem", "password"):
        assert told[0][name] != told[1][name]


def test_garbage_on_the_port(device: Device) -> None:
    """Who speaks no SSH is let go, and others are served."""
    with socket.create_connection(("127.0.0.1", device.call("ssh")["port"]), DEADLINE) as strange:
        strange.sendall(b"GET / HTTP/1.1\r\n\r\n" * 1000)
        strange.settimeout(DEADLINE)
        with suppress(ConnectionError):  # its end, or a reset
            while strange.recv(4096):
                pass
    assert device.ssh("true")[0] == 0
