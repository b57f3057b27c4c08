"""Where a board is reached by SSH: what the rig file says, what a virtual board says, what nobody says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import RigFault, UsageError
from harness.inventory.board import Board
from harness.inventory.builtin import survey
from harness.inventory.leased_board import LeasedBoard
from harness.plugins import load_plugins
from harness.rig import load_rig
from harness.ssh import SshAddress, address_of, open_ssh
from harness.ssh.address import split_host_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKF1/3B1kvAHj8XQjUR5V4bKJpMN4x1fC0nV7mUgQwq7"
RIG = f"""
[[board]]
id = "gate"
profile = "guardian-gateway"
[board.ssh]
host = "gate.example"
key_file = "{{key_file}}"
host_key = "{HOST_KEY} made last year"
"""
TOLD = {"host": "127.0.0.1", "port": 2222, "user": "u", "host_key": HOST_KEY, "private_key_pem": "KEY"}


def board_of_rig(directory: Path, text: str) -> LeasedBoard:
    """Return the only board of a rig file."""
    file = directory / "rig.toml"
    file.write_text(text)
    plugins = load_plugins()
    (board,) = survey(plugins, load_rig(file)).boards
    assert board == Board.from_json(board.to_json())
    return LeasedBoard(board, plugins, capture_directory=None)


class Virtual:
    """A virtual board that says something of its SSH."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        self.id = "v1"
        self.description = Board(id="v1", kind="k", driver="d", bench="/no/bench")
        self.virtual = self
        self.secrets: list[tuple[str, str]] = []
        self._said = said

    def call(self, method: str) -> Any:
        assert method == "ssh"
        return self._said

    def register_secret(self, value: str, label: str) -> None:
        self.secrets.append((value, label))


def test_rig_file_says_it(tmp_path: Path) -> None:
    """A board that has nothing but SSH is a board; a relative file of a key is meant from the rig file."""
    board = board_of_rig(tmp_path, RIG.format(key_file="keys/gate"))

    assert board.description.endpoints == {}
    assert address_of(board) == SshAddress(
        host="gate.example",
        port=22,
        user="root",
        key_file=str(tmp_path / "keys/gate"),
        host_key=f"{HOST_KEY} made last year",
    )


def test_home_directory_in_the_path_of_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tilde stands for the home directory, as in a shell."""
    monkeypatch.setenv("HOME", str(tmp_path))

    assert address_of(board_of_rig(tmp_path, RIG.format(key_file="~/k"))).key_file == str(tmp_path / "k")


def test_board_of_which_the_file_says_who_it_is(tmp_path: Path) -> None:
    """It is there all the same: by SSH its host key tells which board it is, and no port has to be asked."""
    text = RIG.format(key_file="k").replace("[board.ssh]", 'identity = "SN-1"\n[board.ssh]')

    board = board_of_rig(tmp_path, text)

    assert (board.id, board.description.identity, board.description.confirmed) == ("gate", "SN-1", False)
    assert address_of(board).host == "gate.example"


def test_home_directory_of_nobody(tmp_path: Path) -> None:
    """A path that begins with the home of an unknown user names file, key and value."""
    with pytest.raises(
        UsageError, match=r"rig\.toml: board\.ssh\.key_file: names an unknown home \(got '~nobody-such/k'\)"
    ):
        board_of_rig(tmp_path, RIG.format(key_file="~nobody-such/k"))


@pytest.fixture
def open_board(tmp_path: Path) -> Callable[[str], LeasedBoard]:
    """Make a board of a rig file that names no key: what is said of its password is a line."""
    without_key = RIG.replace('key_file = "{key_file}"', "{line}")
    return lambda line: board_of_rig(tmp_path, without_key.format(line=line))


def test_board_that_lets_in_anybody(open_board: Callable[[str], LeasedBoard]) -> None:
    """Neither a key nor a password has to be said."""
    address = address_of(open_board(""))

    assert (address.key_file, address.key, address.password) == ("", "", "")


def test_password_of_a_file(open_board: Callable[[str], LeasedBoard], tmp_path: Path) -> None:
    """It is read when it is needed, is a secret from then on, and is in no description of the board."""
    board = open_board('password_file = "secret/gate"')
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/gate").touch(0o600)
    (tmp_path / "secret/gate").write_text("two words\n")
    told: list[tuple[str, str]] = []
    board.register_secret = lambda value, label: told.append((value, label))  # type: ignore[method-assign]

    opened = open_ssh(board)

    assert opened.address.password == "two words"
    assert told == [("two words", "password")]
    assert "two words" not in f"{board.description.to_json()} {opened.address!r}"


@pytest.mark.parametrize(
    ("mode", "content", "message"),
    [
        (0o644, "word", r"board.ssh.password_file: others may read the password .*chmod 600"),
        (0o600, "", r"board.ssh.password_file: holds no password"),
        (0o600, None, r"board.ssh.password_file: cannot be read: No such file"),
    ],
)
def test_file_that_is_no_file_of_a_password(
    open_board: Callable[[str], LeasedBoard], tmp_path: Path, mode: int, content: str | None, message: str
) -> None:
    """The message names the key and the file, and never what is in it."""
    if content is not None:
        (tmp_path / "gate").write_text(content)
        (tmp_path / "gate").chmod(mode)

    with pytest.raises(UsageError, match=message):
        open_ssh(open_board('password_file = "gate"'))


def test_password_of_the_environment(
    open_board: Callable[[str], LeasedBoard], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rig file names the variable; one that is not set is named, with the key that means it."""
    monkeypatch.delenv("GATE_PASSWORD", raising=False)
    board = open_board('password_env = "GATE_PASSWORD"')

    with pytest.raises(UsageError, match=r"^GATE_PASSWORD: no password .*board.ssh.password_env"):
        address_of(board)
    monkeypatch.setenv("GATE_PASSWORD", "a\nb")
    with pytest.raises(UsageError, match=r"^GATE_PASSWORD: no password; expected one line of text"):
        address_of(board)
    monkeypatch.setenv("GATE_PASSWORD", "s3cret")
    assert address_of(board).password == "s3cret"


@pytest.mark.parametrize(
    ("said", "key", "password"),
    [
        ({}, "", ""),
        ({"password": "s3cret"}, "", "s3cret"),
        ({"private_key_pem": None, "password": None}, "", ""),
    ],
)
def test_virtual_board_of_another_manner(said: dict[str, Any], key: str, password: str) -> None:
    """A virtual board says what lets us in: a key, a password, or neither."""
    told = {name: value for name, value in TOLD.items() if name != "private_key_pem"}
    board: Any = Virtual({**told, **said})

    opened = open_ssh(board)

    assert (opened.address.key, opened.address.password) == (key, password)
    assert board.secrets == ([(password, "password")] if password else [])


def test_nobody_says_it(tmp_path: Path) -> None:
    """The message says what the rig file has to say."""
    text = '[[board]]\nid = "gate"\nprofile = "guardian-gateway"\nendpoints.console = "socket://h:1"\n'

    with pytest.raises(UsageError, match=r"board.ssh: nobody says .* board gate .*; expected a table in rig"):
        open_ssh(board_of_rig(tmp_path, text))


def test_virtual_board_says_it_itself() -> None:
    """What a bench says is used, and its private key is a secret from then on."""
    board: Any = Virtual(TOLD)

    opened = open_ssh(board)

    assert opened.address == SshAddress(host="127.0.0.1", port=2222, user="u", host_key=HOST_KEY, key="KEY")
    assert board.secrets == [("KEY", "private key")]
    opened.close()


@pytest.mark.parametrize("said", [{}, {**TOLD, "port": "many"}, None])
def test_virtual_board_that_says_something_else(said: Any) -> None:
    """What cannot be used is the bench's fault and no crash."""
    board: Any = Virtual(said)

    with pytest.raises(RigFault, match="does not say where its SSH is"):
        address_of(board)


def test_comment_behind_a_host_key_is_left_out() -> None:
    """A line of ``ssh-keyscan`` without its host is taken as it is."""
    kind, data = split_host_key(f"{HOST_KEY} comment")
    assert (kind, data[:15]) == ("ssh-ed25519", b"\x00\x00\x00\x0bssh-ed25519")
