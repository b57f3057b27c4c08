"""The agent over SSH, by the unmodified OpenSSH client and by paramiko: the same words, files whole."""

from __future__ import annotations

import base64
import io
import os
import subprocess
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import paramiko
import pytest
from cryptography.hazmat.primitives import serialization

from tests.guardian.making import make_key
from tests.guardian.virtual.paper_service import COMPONENT, HW_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.guardian.virtual.paper_bench import BoardInHand
    from tests.guardian.virtual.paper_service import PaperService

DEADLINE = 20.0


class OpenSsh:
    """The command ``ssh``, which knows this board's key and nothing of the user's own configuration."""

    def __init__(self, access: dict[str, Any], directory: Path) -> None:
        self._key, known = directory / "key", directory / "known_hosts"
        self._key.write_text(access["private_key_pem"])
        self._key.chmod(0o600)
        known.write_text(f"[{access['host']}]:{access['port']} {access['host_key']}\n")
        options = {
            "BatchMode": "yes",
            "IdentitiesOnly": "yes",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": known,
            "ConnectTimeout": 10,
        }
        self._words = ["ssh", "-F", "none", "-p", str(access["port"]), "-i", str(self._key)]
        for name, value in options.items():
            self._words += ["-o", f"{name}={value}"]
        self._words.append(f"{access['user']}@{access['host']}")

    def start(self, command: str, attempts: int = 1) -> subprocess.Popen[bytes]:
        """Begin a command; the client tries to connect so often, a second apart."""
        pipes: Any = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        environment = {name: value for name, value in os.environ.items() if name != "SSH_AUTH_SOCK"}
        return subprocess.Popen(
            [*self._words[:1], "-o", f"ConnectionAttempts={attempts}", *self._words[1:], command],
            env=environment,
            **pipes,
        )

    def run(self, command: str, content: bytes = b"", attempts: int = 1) -> tuple[int, bytes, bytes]:
        """Run a command, and return its status and what it wrote."""
        with self.start(command, attempts) as process:
            output, errors = process.communicate(content, timeout=DEADLINE)
        return process.returncode, output, errors

    def agent(self, words: str, content: bytes = b"", attempts: int = 1) -> tuple[int, str, str]:
        """Give the agent a command."""
        status, output, errors = self.run(f"guardian-agent {words}", content, attempts)
        return status, output.decode(), errors.decode()


@pytest.fixture
def gateway(make_board: Callable[..., BoardInHand]) -> BoardInHand:
    """A gateway that is switched on."""
    return make_board("guardian-gateway-virtual", number=1)


@pytest.fixture
def ssh(gateway: BoardInHand, tmp_path: Path) -> OpenSsh:
    """The way to the gateway."""
    return OpenSsh(gateway.call("ssh"), tmp_path)


@pytest.fixture
def both_doors(
    make_board: Callable[..., BoardInHand], make_ready: Callable[[BoardInHand], BoardInHand]
) -> BoardInHand:
    """A component with console and SSH, ready to provision."""
    return make_ready(make_board(ssh=True))


@contextmanager
def by_paramiko(access: dict[str, Any]) -> Iterator[paramiko.SSHClient]:
    """Connect by paramiko."""
    kind, blob = access["host_key"].split()
    client = paramiko.SSHClient()
    key = paramiko.PKey.from_type_string(kind, base64.b64decode(blob))
    client.get_host_keys().add(f"[{access['host']}]:{access['port']}", kind, key)
    user_key = paramiko.Ed25519Key.from_private_key(io.StringIO(access["private_key_pem"]))
    try:
        client.connect(
            access["host"],
            access["port"],
            access["user"],
            pkey=user_key,
            look_for_keys=False,
            allow_agent=False,
            timeout=DEADLINE,
        )
        yield client
    finally:
        client.close()


def openssh_pem(key: Any) -> str:
    """Return a private key as OpenSSH keeps it."""
    form, secret = serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    text: str = key.private_bytes(serialization.Encoding.PEM, form, secret).decode()
    return text


def test_whole_provisioning(gateway: BoardInHand, ssh: OpenSsh, service: PaperService) -> None:
    """A technician does everything by ``ssh``: the package goes in, the board provisions, files come out."""
    package = service.package()
    assert ssh.run("guardian-agent put package", package) == (0, b"", b"")
    assert ssh.run("guardian-agent get package") == (0, package, b"")
    assert ssh.agent(f"init {COMPONENT} {HW_ID}") == (0, "", "")
    assert ssh.agent(f"service {service.url}") == (0, "", "")

    status, told, errors = ssh.agent("provision")

    (request_id,) = service.rows
    assert (status, told, errors) == (0, f"provisioned (request {request_id})\n", "")
    assert "state: provisioned\n" in ssh.agent("status")[1]
    assert len(ssh.agent("certificates")[1].splitlines()) == 3
    assert ssh.run("guardian-agent get profile")[1] == service.rows[request_id].profile
    assert "provisioned" not in gateway.host.sent().decode()


def test_refusals(ssh: OpenSsh) -> None:
    """The exit code is the agent's number, and standard error says what is wrong; words are a shell's."""
    assert ssh.agent("request") == (3, "", "ERROR 3 FILENOTFOUND: there is no provisioning package\n")
    too_large = "ERROR 4 OUTOFMEMORY: a file has at most 65536 bytes\n"
    assert ssh.agent("put package", b"x" * 65_537) == (4, "", too_large)
    assert ssh.agent("init 'a b' 'it''s'") == (0, "", "")
    assert "component: a b\nhw_id: its\n" in ssh.agent("identify")[1]


def test_nothing_else_runs(gateway: BoardInHand) -> None:
    """There is no shell and no other program."""
    with by_paramiko(gateway.call("ssh")) as client:
        for command in ("", "ls", "guardian-agent-2 status", "'open quote"):
            channel = client.get_transport().open_session()  # type: ignore[union-attr]  # it is connected
            channel.settimeout(DEADLINE)
            channel.exec_command(command) if command else channel.invoke_shell()
            assert channel.recv_exit_status() == 127
            assert b"not found; expected guardian-agent WORDS" in channel.recv_stderr(1000)


def test_two_doors_to_one_agent(both_doors: BoardInHand, service: PaperService, tmp_path: Path) -> None:
    """A component with console and SSH has one agent: what one door began, the other one sees and ends."""
    board, ssh = both_doors, OpenSsh(both_doors.call("ssh"), tmp_path)
    service.automatic = False
    with ssh.start("guardian-agent provision") as process:
        service.wait_asked("GET", "certified-profile")
        assert board.status()["state"] == "requested"
        assert board.say("provision").startswith("ERROR 1 FAIL: something is under way already")
        assert board.ask("cancel") == {}
        _output, errors = process.communicate(timeout=DEADLINE)
    assert (process.returncode, errors) == (1, b"ERROR 1 FAIL: cancelled\n")
    assert b"+PROVISION" not in board.host.sent()


def test_power_ends_it(both_doors: BoardInHand, service: PaperService, tmp_path: Path) -> None:
    """A power cut ends connections and port; with power the board is there again under the same key."""
    ssh = OpenSsh(both_doors.call("ssh"), tmp_path)
    service.automatic = False
    with ssh.start("guardian-agent provision") as process:
        service.wait_asked("GET", "certified-profile")
        both_doors.power_off()
        process.communicate(timeout=DEADLINE)
    assert process.returncode == 255
    status, _told, errors = ssh.agent("status")
    assert (status, "Connection refused" in errors) == (255, True)

    both_doors.power_on()
    assert "state: requested\n" in ssh.agent("status", attempts=5)[1]


def test_cut_in_a_command(gateway: BoardInHand, ssh: OpenSsh) -> None:
    """Who asked when the power went hears nothing more; the write was done or not."""
    gateway.call("cut_power_at", point="before flash", comes_back=True)

    assert ssh.agent("init pump SN-1")[0] == 255
    gateway.host.wait_dark()
    assert "hw_id: -\n" in ssh.agent("identify", attempts=5)[1]


@pytest.mark.parametrize(("user", "own_key"), [("guardian", True), ("root", True), ("guardian", False)])
def test_strangers(gateway: BoardInHand, user: str, own_key: bool) -> None:  # noqa: FBT001 - a table
    """Nobody comes in by another key or under another name."""
    access = gateway.call("ssh")
    pem = access["private_key_pem"] if own_key else openssh_pem(make_key("Ed25519"))
    welcome = own_key and user == access["user"]
    transport = paramiko.Transport((access["host"], access["port"]))
    try:
        transport.start_client(timeout=DEADLINE)
        with nullcontext() if welcome else pytest.raises(paramiko.AuthenticationException):
            transport.auth_publickey(user, paramiko.Ed25519Key.from_private_key(io.StringIO(pem)))
        assert transport.is_authenticated() is welcome
    finally:
        transport.close()


def test_no_password(gateway: BoardInHand) -> None:
    """A password opens nothing: only keys are asked for."""
    access = gateway.call("ssh")
    transport = paramiko.Transport((access["host"], access["port"]))
    try:
        transport.start_client(timeout=DEADLINE)
        with pytest.raises(paramiko.BadAuthenticationType) as refusal:
            transport.auth_password(access["user"], "guardian")
        assert refusal.value.allowed_types == ["publickey"]
    finally:
        transport.close()


def test_keys_are_the_boards_own(make_board: Callable[..., BoardInHand]) -> None:
    """Each board has keys and a port of its own; no private key is told to the inventory."""
    boards = [make_board("guardian-gateway-virtual", number=number) for number in range(2)]
    access = [board.call("ssh") for board in boards]
    told = [dict(board.host.on_loop(board.board.describe)) for board in boards]

    for name in ("host_key", "private_key_pem", "port"):
        assert access[0][name] != access[1][name]
    assert "PRIVATE" not in str(told)
    assert told[0]["ssh_port"] == str(access[0]["port"])
    assert told[0]["ssh_host_key"] == access[0]["host_key"]
