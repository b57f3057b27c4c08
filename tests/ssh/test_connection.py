"""Commands executed by SSH: what comes back, who is let in and who is trusted, and that nothing hangs."""

from __future__ import annotations

import socket
import subprocess
import time
from typing import TYPE_CHECKING

import asyncssh
import paramiko
import pytest

from harness.errors import BoardFault, BoardLost, ConsoleTimeout, RigFault, UsageError
from harness.ssh import Ended, SshConnection
from harness.ssh.connection import CONNECT_SECONDS
from tests.ssh.conftest import DEADLINE, SshHost, make_buffer_small

if TYPE_CHECKING:
    from pathlib import Path


def run(connection: SshConnection, command: str, stdin: bytes = b"") -> Ended:
    """Execute a command and wait for its end."""
    return connection.execute(command, stdin).wait(time.monotonic() + DEADLINE)


def test_both_outputs_and_the_status(connection: SshConnection) -> None:
    """Standard output, standard error and the exit status come back as they are."""
    assert run(connection, "echo two words") == Ended(0, b"two words\n", b"")
    assert run(connection, "fail") == Ended(3, b"out", b"err")


def test_what_the_server_says_itself_is_no_error(connection: SshConnection) -> None:
    """That the user has no home is OpenSSH's own word, not the command's."""
    assert run(connection, "homeless").errors == b"own\n"


@pytest.mark.parametrize("size", [0, 1, 70_000, 1_000_000])
def test_standard_input_arrives_whole(connection: SshConnection, size: int) -> None:
    """What a command is handed ends where it ends."""
    assert run(connection, "count", b"\x00" * size).output == str(size).encode()


def test_one_login_serves_many_commands(host: SshHost, connection: SshConnection) -> None:
    """The connection is made with the first command and kept."""
    before = host.logins
    for number in range(3):
        assert run(connection, f"echo {number}").output == f"{number}\n".encode()
    assert host.logins == before + 1


def test_connection_that_broke_is_made_anew(host: SshHost, connection: SshConnection) -> None:
    """A host that booted meanwhile is reached again by the next command, or by the one after it."""
    assert run(connection, "echo 1").status == 0
    host.cut()
    with pytest.raises(BoardLost, match="gate"):
        run(connection, "cut")

    assert run(connection, "echo 2").output == b"2\n"


def test_connection_that_breaks_meanwhile(connection: SshConnection) -> None:
    """A command that was cut off is no command that ended."""
    with pytest.raises(BoardLost, match=r"gate: .*'cut'"):
        run(connection, "cut")


def test_command_that_does_not_end(connection: SshConnection) -> None:
    """The deadline holds, the message has what was said, and one may wait on."""
    running = connection.execute("hang")
    for _again in range(2):
        with pytest.raises(ConsoleTimeout, match="gate: 'hang' did not end in time; it said b'so far'"):
            running.wait(time.monotonic() + 2)  # enough for what it says on a busy machine, too
    running.close()
    with pytest.raises(BoardLost):
        running.wait(time.monotonic() + DEADLINE)


def test_command_to_its_end(connection: SshConnection) -> None:
    """It is handed its input, and told of as a whole; one that does not end in time is given up."""
    assert connection.run("count", b"given", timeout=DEADLINE) == Ended(0, b"5", b"")
    assert connection.run("fail", timeout=DEADLINE) == Ended(3, b"out", b"err")

    with pytest.raises(ConsoleTimeout, match="'hang' did not end in time"):
        connection.run("hang", timeout=1.0)

    assert connection.run("echo on", timeout=DEADLINE).output == b"on\n", "the connection is of use still"


def test_command_that_says_too_much(connection: SshConnection) -> None:
    """Nobody's memory is filled by what a board says."""
    with pytest.raises(BoardFault, match="'flood' says more than 4194304 bytes"):
        run(connection, "flood")


def test_command_that_complains_at_length(connection: SshConnection) -> None:
    """What it says on its other output neither keeps it from ending nor fills anybody's memory."""
    assert run(connection, "complain 4194304").errors == b"x" * 4_194_304
    with pytest.raises(BoardFault, match="'complain 5000000' says more than 4194304 bytes"):
        run(connection, "complain 5000000")


def test_end_is_told_again(connection: SshConnection) -> None:
    """Who asks twice how a command ended gets the same answer."""
    running = connection.execute("fail")
    first = running.wait(time.monotonic() + DEADLINE)
    assert running.wait(0.0) is first


# -- who is trusted ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256"])
def test_another_host_is_not_talked_to(host: SshHost, kind: str) -> None:
    """A host that has another key than the one that is known is refused, whatever kind its key is of."""
    before, logins = list(host.commands), host.logins
    other = asyncssh.generate_private_key(kind).export_public_key().decode().strip()
    connection = SshConnection(host.address(host_key=other), "gate")

    with pytest.raises(RigFault, match=r"gate: what answers at tester@127.0.0.1:.* is another one: its key"):
        connection.execute("echo 1")

    assert (host.commands, host.logins) == (before, logins)


def test_key_that_is_not_let_in(host: SshHost) -> None:
    """Who is not let in is told so; no other key is tried, and no password."""
    other = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()

    with pytest.raises(RigFault, match="does not let us in"):
        SshConnection(host.address(key=other), "gate").execute("echo 1")


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_keys_of_every_kind_can_be_read(tmp_path: Path, host: SshHost, kind: str) -> None:
    """A file of a key is read, whatever kind the key is of: a wrong one is refused by the host, not by us."""
    file = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(file)], check=True)

    with pytest.raises(RigFault, match="does not let us in"):
        SshConnection(host.address(key="", key_file=str(file)), "gate").execute("echo 1")


def test_key_of_a_file(tmp_path: Path, host: SshHost) -> None:
    """The key that is let in may be in a file."""
    file = tmp_path / "key"
    file.write_bytes(host.user_key.export_private_key())
    connection = SshConnection(host.address(key="", key_file=str(file)), "gate")

    assert run(connection, "echo 1").output == b"1\n"
    connection.close()


@pytest.mark.parametrize("content", [None, b"", b"no key", b"\xff\xfe"])
def test_key_that_cannot_be_read(tmp_path: Path, host: SshHost, content: bytes | None) -> None:
    """A file that is missing or holds no key is one clear message that names it."""
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(UsageError, match=r"key_file: board gate: .* \(got '.*key'\); expected a private key"):
        SshConnection(host.address(key="", key_file=str(file)), "gate").execute("echo 1")


def test_key_with_a_passphrase(tmp_path: Path, host: SshHost) -> None:
    """Nobody is asked for a passphrase in the middle of a session."""
    file = tmp_path / "key"
    key = asyncssh.generate_private_key("ecdsa-sha2-nistp256")
    file.write_bytes(key.export_private_key("pkcs1-pem", passphrase="secret"))

    with pytest.raises(UsageError, match="expected a private key without a passphrase") as refusal:
        SshConnection(host.address(key="", key_file=str(file)), "gate").execute("echo 1")
    assert "BEGIN" not in str(refusal.value)


@pytest.mark.parametrize(
    "text", ["ssh-ed25519", "ssh-ed25519 !!", "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIA==", ""]
)
def test_host_key_that_is_none(host: SshHost, text: str) -> None:
    """A host key that cannot be read is refused before anybody is called."""
    with pytest.raises(UsageError, match="host_key: board gate"):
        SshConnection(host.address(host_key=text), "gate").execute("echo 1")


def test_private_key_is_not_shown(host: SshHost) -> None:
    """The address of a host can be shown: our key is no part of it."""
    address = host.address()

    assert "BEGIN" not in f"{address!r} {address}"
    assert str(address) == f"tester@127.0.0.1:{host.port}"


# -- nobody there --------------------------------------------------------------------------------------------


def test_nobody_listens(host: SshHost) -> None:
    """A port where nobody listens is a board that is lost."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    with pytest.raises(BoardLost, match=f"gate: tester@127.0.0.1:{port}"):
        SshConnection(host.address(port=port), "gate").execute("echo 1")


def test_somebody_who_says_nothing(host: SshHost) -> None:
    """A host that takes the connection and says nothing is given up in time."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = host.address(port=silent.getsockname()[1])
        with pytest.raises(BoardLost, match="gate"):
            SshConnection(address, "gate").execute("echo 1", timeout=0.3)


def test_host_that_falls_silent_when_it_is_asked(host_silent_in_mid_request: SshHost) -> None:
    """Nobody waits longer than he said for a host whose connection stays and that hears nothing any more."""
    connection, began = SshConnection(host_silent_in_mid_request.address(), "gate"), time.monotonic()

    with pytest.raises(BoardLost, match=r"gate: .*no answer in time"):
        connection.run("echo 1", timeout=1.0)

    assert time.monotonic() - began < CONNECT_SECONDS / 2


def test_host_that_freezes_while_it_is_handed_input(
    host: SshHost, connection: SshConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor for one that does so while so much input is under way that no buffer takes more."""
    exec_command = paramiko.Channel.exec_command

    def execute_the_last(channel: paramiko.Channel, command: str) -> None:
        exec_command(channel, command)
        host.fall_silent()

    monkeypatch.setattr(paramiko.Channel, "exec_command", execute_the_last)
    make_buffer_small(connection)
    began = time.monotonic()
    with pytest.raises(BoardLost, match=r"gate: .*no answer in time"):
        connection.execute("count", b"x" * 30_000_000, timeout=1.0)

    assert time.monotonic() - began < CONNECT_SECONDS / 2


def test_connecting_counts_for_the_whole(host: SshHost) -> None:
    """Who has little time for a command is told soon that nobody answers."""
    began = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = host.address(port=silent.getsockname()[1])

        with pytest.raises(BoardLost, match="gate"):
            SshConnection(address, "gate").run("echo 1", timeout=0.3)

    assert time.monotonic() - began < CONNECT_SECONDS / 2
