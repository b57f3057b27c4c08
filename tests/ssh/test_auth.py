"""How a board lets us in: anybody, by key, by password; in their order, on one connection, by real peers."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import asyncssh
import pytest

from harness.errors import BoardLost, RigFault
from harness.ssh import SshConnection
from harness.ssh.host_keys import fetch_host_key
from tests.ssh.conftest import DEADLINE, OpenSsh, SshHost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PASSWORD = "pass wörd"


@pytest.fixture(scope="module")
def make_host() -> Iterator[Callable[..., SshHost]]:
    """Make hosts of several manners, each once for all tests of this file."""
    hosts: dict[tuple[tuple[str, Any], ...], SshHost] = {}

    def make(**manners: Any) -> SshHost:
        key = tuple(sorted(manners.items()))
        if key not in hosts:
            hosts[key] = SshHost(**manners)
        hosts[key].methods.clear()
        return hosts[key]

    yield make
    for host in hosts.values():
        host.close()


def says(host: SshHost | OpenSsh, **changes: Any) -> bytes:
    """Log in, execute a command, and return what it says."""
    connection = SshConnection(host.address(**changes), "gate")
    try:
        ended = connection.execute("echo in").wait(time.monotonic() + DEADLINE)
    finally:
        connection.close()
    assert (ended.status, ended.errors) == (0, b"")
    return ended.output


# -- asyncssh ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [{"key": ""}, {}, {"password": PASSWORD}])
def test_host_that_lets_in_anybody(make_host: Callable[..., SshHost], changes: dict[str, str]) -> None:
    """``none`` is tried first: neither our key nor our password is shown where nobody asks for them."""
    host = make_host(open_to_all=True, password=PASSWORD)

    assert says(host, **changes) == b"in\n"
    assert host.methods == []


def test_key_before_password(make_host: Callable[..., SshHost]) -> None:
    """Where both would do, the password is not sent; all on one connection."""
    host = make_host(password=PASSWORD)
    before = host.logins

    assert says(host, password=PASSWORD) == b"in\n"
    assert set(host.methods) == {"key"}
    assert host.logins == before + 1


def test_password_where_the_key_is_not_known(make_host: Callable[..., SshHost]) -> None:
    """A key that is not let in is followed by the password."""
    host = make_host(password=PASSWORD)
    other = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()

    assert says(host, key=other, password=PASSWORD) == b"in\n"
    assert (host.methods[0], host.methods[-1]) == ("key", "password")


def test_password_alone(make_host: Callable[..., SshHost]) -> None:
    """Without a key there is the password, once."""
    host = make_host(password=PASSWORD)

    assert says(host, key="", password=PASSWORD) == b"in\n"
    assert host.methods == ["password"]


def test_password_that_is_asked_for(make_host: Callable[..., SshHost]) -> None:
    """A host that asks for the password by ``keyboard-interactive`` alone is answered."""
    host = make_host(password=PASSWORD, interactive=True, keys=False)

    assert says(host, key="", password=PASSWORD) == b"in\n"
    assert host.methods == ["interactive"]


def test_wrong_password_is_not_tried_twice(make_host: Callable[..., SshHost]) -> None:
    """Who is refused is told by what we tried; the password is in no message, and was sent once."""
    host = make_host(password=PASSWORD)

    with pytest.raises(RigFault, match=r"gate: .* does not let us in by none, password") as refused:
        says(host, key="", password="s3cret")

    assert host.methods == ["password"]
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("manners", "changes", "message"),
    [
        ({}, {"key": ""}, r"does not let us in by none; it takes publickey$"),
        ({"password": PASSWORD, "keys": False}, {"key": ""}, r"by none; it takes password$"),
        ({"password": PASSWORD, "keys": False}, {}, r"by none, key; it takes password$"),
        ({}, {"key": "", "password": PASSWORD}, r"by none, password; it takes publickey$"),
    ],
)
def test_host_that_takes_something_else(
    make_host: Callable[..., SshHost], manners: dict[str, Any], changes: dict[str, str], message: str
) -> None:
    """The message says what we tried, and what the host would take."""
    with pytest.raises(RigFault, match=message):
        says(make_host(**manners), **changes)


def test_password_is_not_shown(make_host: Callable[..., SshHost]) -> None:
    """An address can be shown; the password is no part of it."""
    address = make_host(password=PASSWORD).address(password="s3cret")

    assert "s3cret" not in f"{address!r} {address}"


# -- OpenSSH -------------------------------------------------------------------------------------------------


def test_real_server_lets_us_in_by_key(openssh: OpenSsh) -> None:
    """``none`` and the key, on one connection."""
    before = openssh.connections

    assert says(openssh, password=PASSWORD) == b"in\n"
    assert openssh.connections == before + 1


def test_real_server_refuses(openssh: OpenSsh) -> None:
    """Without a key of ours it says what it takes."""
    with pytest.raises(RigFault, match=r"by none; it takes publickey"):
        says(openssh, key_file="")


def test_real_server_with_an_unknown_key(openssh: OpenSsh) -> None:
    """A key that it does not know is refused."""
    other = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()

    with pytest.raises(RigFault, match="does not let us in by none, key"):
        says(openssh, key=other)


def test_real_server_of_one_attempt(tmp_path: Path) -> None:
    """``none`` costs no attempt of those that a server allows (RFC 4252, section 5.2)."""
    server = OpenSsh(tmp_path, "MaxAuthTries 1")
    try:
        assert says(server) == b"in\n"
    finally:
        server.close()


def test_real_server_with_keys_of_several_kinds(tmp_path: Path) -> None:
    """Of several host keys the server is asked for the kind that is known, an RSA key too."""
    for kind in ("rsa", "ecdsa"):
        asyncssh.generate_private_key(
            {"rsa": "ssh-rsa", "ecdsa": "ecdsa-sha2-nistp256"}[kind]
        ).write_private_key(str(tmp_path / kind), "openssh")
        (tmp_path / kind).chmod(0o600)
    server = OpenSsh(tmp_path, f"HostKey {tmp_path}/rsa", f"HostKey {tmp_path}/ecdsa")
    try:
        for kind in ("rsa", "ecdsa"):
            public = asyncssh.read_private_key(str(tmp_path / kind)).export_public_key().decode().strip()
            assert says(server, host_key=public) == b"in\n"
        assert says(server) == b"in\n"
    finally:
        server.close()


def test_library_writes_nothing_of_its_own(closed_port: int) -> None:
    """A program that set up no logging has our message, and no traceback of the library's beside it."""
    with socket.create_server(("127.0.0.1", closed_port)) as listener:

        def hang_up() -> None:
            listener.accept()[0].close()

        hanging_up = threading.Thread(target=hang_up, daemon=True)
        hanging_up.start()
        program = (
            "from harness.errors import BoardLost\n"
            "from harness.ssh.host_keys import fetch_host_key\n"
            f"try: fetch_host_key('127.0.0.1', {closed_port}, {DEADLINE})\n"
            "except BoardLost as error: print(error)\n"
        )
        ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        hanging_up.join(DEADLINE)

    assert f"127.0.0.1:{closed_port}: " in ended.stdout
    assert ended.stderr == ""


# -- keys of hosts that nobody knows yet ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"])
def test_key_of_a_host(kind: str) -> None:
    """What is fetched is what the host has, and is what an address takes; nobody logs in for it."""
    host = SshHost(kind)
    try:
        fetched = fetch_host_key("127.0.0.1", host.port, DEADLINE)
        assert fetched.split() == host.public.split()[:2]
        assert host.logins == 0
        assert says(host, host_key=fetched) == b"in\n"
    finally:
        host.close()


def test_key_of_a_real_server(openssh: OpenSsh) -> None:
    """As ``ssh-keygen`` wrote it."""
    address = openssh.address()

    assert fetch_host_key(address.host, address.port, DEADLINE) == address.host_key


def test_key_of_nobody(silent_port: int, closed_port: int) -> None:
    """Nobody there, or somebody who says nothing: told in time."""
    with pytest.raises(BoardLost, match=rf"127.0.0.1:{closed_port}: .*refused"):
        fetch_host_key("127.0.0.1", closed_port, DEADLINE)
    started = time.monotonic()
    with pytest.raises(BoardLost, match=rf"127.0.0.1:{silent_port}: "):
        fetch_host_key("127.0.0.1", silent_port, 0.2)
    assert time.monotonic() - started < DEADLINE / 2
