"""A board that boots is waited for: until it listens again, is another one, or has taken too long."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from harness.errors import BoardLost, RigFault, UsageError
from harness.ssh import SshConnection
from tests.ssh.conftest import DEADLINE, SshHost

if TYPE_CHECKING:
    from harness.ssh import SshAddress


@pytest.fixture
def away(closed_port: int) -> SshAddress:
    """The address of a host that went away; its port is free."""
    host = SshHost()
    address = host.address(port=closed_port)
    host.close()
    return address


def output(connection: SshConnection) -> bytes:
    """Execute a command, and return what it says."""
    return connection.execute("echo in").wait(time.monotonic() + DEADLINE).output


def test_host_that_is_there(host: SshHost) -> None:
    """A connection that is there is given up for a new one: it may be that of before the boot."""
    connection = SshConnection(host.address(), "gate")
    assert output(connection) == b"in\n"
    before = host.logins
    connection.wait_until_back(DEADLINE)

    assert output(connection) == b"in\n"
    assert host.logins == before + 1
    connection.close()


def test_host_that_comes_back(closed_port: int) -> None:
    """It refuses at first, and is there later, on the same port and with the same key."""
    first = SshHost(port=closed_port)
    connection = SshConnection(first.address(), "gate")
    assert output(connection) == b"in\n"
    first.close()
    refused = threading.Event()
    real = connection._connected

    def connected(deadline: float) -> object:
        try:
            return real(deadline)
        except OSError:
            refused.set()
            raise

    connection._connected = connected  # type: ignore[method-assign,assignment]  # to see that it was refused
    waiting = threading.Thread(target=connection.wait_until_back, args=(DEADLINE,), daemon=True)
    waiting.start()
    assert refused.wait(DEADLINE)
    again = SshHost(port=closed_port, keys_of=first)
    waiting.join(DEADLINE)

    assert not waiting.is_alive()
    assert output(connection) == b"in\n"
    assert again.logins == 1
    connection.close()
    again.close()


def test_host_that_never_comes_back(away: SshAddress) -> None:
    """The wait ends in time, and says where nobody was, for how long, and why."""
    started = time.monotonic()
    with pytest.raises(BoardLost, match=r"gate: tester@127.0.0.1:\d+ is not back after 2 s: .*refused"):
        SshConnection(away, "gate").wait_until_back(2)

    assert time.monotonic() - started < DEADLINE / 2


def test_host_that_takes_connections_and_says_nothing(host: SshHost, silent_port: int) -> None:
    """A port forwarder in front of a board that is off is no board that is back."""
    with pytest.raises(BoardLost, match=r"is not back after 0.3 s: "):
        SshConnection(host.address(port=silent_port), "gate").wait_until_back(0.3)


def test_another_host_on_the_same_address(host: SshHost) -> None:
    """A board with another key is not waited for: it is told at once."""
    other = SshHost()
    started = time.monotonic()
    with pytest.raises(RigFault, match="is another one: its key is ssh-ed25519"):
        SshConnection(host.address(port=other.port), "gate").wait_until_back(10 * DEADLINE)
    other.close()

    assert other.logins == 0
    assert time.monotonic() - started < DEADLINE


def test_host_that_does_not_let_us_in_any_more(host: SshHost) -> None:
    """Neither is one that refuses us waited for."""
    with pytest.raises(RigFault, match="does not let us in"):
        SshConnection(host.address(key=""), "gate").wait_until_back(10 * DEADLINE)


def test_key_that_cannot_be_read(host: SshHost) -> None:
    """Nor is anybody asked when our key cannot be read."""
    with pytest.raises(UsageError, match="key_file"):
        SshConnection(host.address(key="", key_file="/none"), "gate").wait_until_back(10 * DEADLINE)
