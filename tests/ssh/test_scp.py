"""Files to a board and from it by SCP: what arrives, with which modes, and what is told when it does not."""

from __future__ import annotations

import shlex
import stat
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import BoardFault, BoardLost, UsageError
from harness.ssh import SshConnection
from harness.ssh.files import get, put, put_bytes
from tests.ssh.conftest import DEADLINE, OpenSsh, SshHost

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTENT = bytes(range(256)) * 300


def mode_of(path: Path) -> int:
    """Return who may do what with a file."""
    return stat.S_IMODE(path.stat().st_mode)


def tree(directory: Path) -> dict[str, bytes]:
    """Return the files below a directory, by their paths in it."""
    files = (each for each in directory.rglob("*") if each.is_file())
    return {str(each.relative_to(directory)): each.read_bytes() for each in files}


@pytest.fixture(scope="module", params=["openssh", "asyncssh"])
def board(request: pytest.FixtureRequest) -> Iterator[SshConnection]:
    """A connection to a board with the SCP of OpenSSH, or with that of another implementation."""
    if request.param == "openssh":
        address = request.getfixturevalue("openssh").address()
        host = None
    else:
        host = SshHost(own_scp=True)
        address = host.address()
    connection = SshConnection(address, "gate")
    yield connection
    connection.close()
    if host is not None:
        host.close()


# -- to a board ----------------------------------------------------------------------------------------------


def test_files_arrive_as_they_are(board: SshConnection, tmp_path: Path) -> None:
    """An empty file too, and names that a shell would take apart."""
    there = tmp_path / "a board's $HOME; ls"
    there.mkdir()
    for name, content in (("one", CONTENT), ("two words", b""), ("-r", b"x")):
        (tmp_path / name).write_bytes(content)

    put(board, [tmp_path / "one", tmp_path / "two words", tmp_path / "-r"], str(there))

    assert tree(there) == {"one": CONTENT, "two words": b"", "-r": b"x"}


def test_files_keep_their_modes(openssh: OpenSsh, tmp_path: Path) -> None:
    """Who may do what with a file here may do it there (asyncssh's SCP does not care)."""
    connection, modes = SshConnection(openssh.address(), "gate"), {"a": 0o640, "b": 0o600, "c": 0o755}
    for name, mode in modes.items():
        (tmp_path / name).touch()
        (tmp_path / name).chmod(mode)
    (tmp_path / "there").mkdir()
    put(connection, [tmp_path / name for name in modes], f"{tmp_path}/there")
    connection.close()

    assert {name: mode_of(tmp_path / "there" / name) for name in modes} == modes


def test_directories_arrive_whole(board: SshConnection, tmp_path: Path) -> None:
    """Recursively, several at once."""
    for name in ("dev", "update"):
        (tmp_path / name / "inner").mkdir(parents=True)
        (tmp_path / name / "a.bin").write_bytes(name.encode())
        (tmp_path / name / "inner" / "b.bin").write_bytes(CONTENT)
    there = tmp_path / "there"
    there.mkdir()

    put(board, [tmp_path / "dev", tmp_path / "update"], str(there), recursive=True)

    assert tree(there / "dev") == {"a.bin": b"dev", "inner/b.bin": CONTENT}
    assert tree(there / "update") == {"a.bin": b"update", "inner/b.bin": CONTENT}


def test_bytes_become_private_files(openssh: OpenSsh, tmp_path: Path) -> None:
    """Neither what they hold nor their directories are for anybody else."""
    connection = SshConnection(openssh.address(), "gate")
    put_bytes(connection, {"plain": b"p", "dev/KEY.bin": CONTENT, "dev/EMPTY.bin": b""}, str(tmp_path))
    connection.close()

    assert tree(tmp_path) == {"plain": b"p", "dev/KEY.bin": CONTENT, "dev/EMPTY.bin": b""}
    assert {mode_of(tmp_path / name) for name in ("plain", "dev/KEY.bin")} == {0o600}
    assert mode_of(tmp_path / "dev") == 0o700


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    files=st.dictionaries(
        st.text(st.characters(codec="ascii", exclude_characters="/\\\0\n\r"), min_size=1, max_size=12).filter(
            lambda name: name.strip() not in {"", ".", ".."} and name == name.strip()
        ),
        st.binary(max_size=2000),
        max_size=3,
    )
)
def test_whatever_bytes(board: SshConnection, tmp_path: Path, files: dict[str, bytes]) -> None:
    """Any names and contents come out on the other side as they went in."""
    there = tmp_path / str(len(list(tmp_path.iterdir())))
    there.mkdir()
    put_bytes(board, {f"d/{name}": content for name, content in files.items()}, str(there))

    assert tree(there / "d" if files else there) == files


@pytest.mark.parametrize("name", ["", ".", "..", "a/..", "../a", "/a", "a/", "a/b/c", "a\nb", "a\0b", " "])
def test_names_that_are_none(closed_port: int, host: SshHost, name: str) -> None:
    """They are refused before anybody is called."""
    with pytest.raises(ValueError, match="no name of a file in a directory"):
        put_bytes(
            SshConnection(host.address(port=closed_port), "gate"), {"fine": b"", name: b"x"}, "/scratch"
        )


def test_one_connection_for_many_transfers(openssh: OpenSsh, tmp_path: Path) -> None:
    """Transfers and commands share the connection that is there."""
    connection, before = SshConnection(openssh.address(), "gate"), openssh.connections
    put_bytes(connection, {"a": b"1"}, str(tmp_path))
    connection.execute(f"mv {shlex.quote(str(tmp_path))}/a {tmp_path}/b").wait(time.monotonic() + DEADLINE)
    get(connection, f"{tmp_path}/b", tmp_path / "c")
    connection.close()

    assert tree(tmp_path) == {"b": b"1", "c": b"1"}
    assert openssh.connections == before + 1


# -- from a board --------------------------------------------------------------------------------------------


def test_file_from_a_board(board: SshConnection, tmp_path: Path) -> None:
    """Under another name, or into a directory; its path is taken literally."""
    (tmp_path / "a * b").write_bytes(CONTENT)
    (tmp_path / "here").mkdir()
    get(board, f"{tmp_path}/a * b", tmp_path / "copy")
    get(board, f"{tmp_path}/a * b", tmp_path / "here")

    assert (tmp_path / "copy").read_bytes() == CONTENT
    assert tree(tmp_path / "here") == {"a * b": CONTENT}


def test_directory_from_a_board(board: SshConnection, tmp_path: Path) -> None:
    """Recursively."""
    (tmp_path / "log" / "old").mkdir(parents=True)
    (tmp_path / "log" / "now").write_bytes(b"now")
    (tmp_path / "log" / "old" / "then").write_bytes(CONTENT)

    get(board, f"{tmp_path}/log", tmp_path / "copy", recursive=True)

    assert tree(tmp_path / "copy") == {"now": b"now", "old/then": CONTENT}


# -- what goes wrong -----------------------------------------------------------------------------------------


def test_full_device(openssh: OpenSsh) -> None:
    """What the board's own scp says of it is in the message."""
    connection = SshConnection(openssh.address(), "gate")
    with pytest.raises(BoardFault, match=r"gate: /dev/full was not copied: .*No space left on device"):
        put(connection, [openssh.directory / "config"], "/dev/full")
    assert connection.execute("echo 1").wait(time.monotonic() + DEADLINE).output == b"1\n"
    connection.close()


def test_directory_that_is_not_there(board: SshConnection, tmp_path: Path) -> None:
    """Neither to it nor from it: the message says what is missing, and nothing is made here."""
    (tmp_path / "a").write_bytes(b"1")
    with pytest.raises(BoardFault, match=r"/none/x was not copied: .*[Nn]o such file"):
        put(board, [tmp_path / "a"], f"{tmp_path}/none/x")
    with pytest.raises(BoardFault, match=r"/none was not copied: .*[Nn]o such file"):
        get(board, f"{tmp_path}/none", tmp_path / "copy")

    assert tree(tmp_path) == {"a": b"1"}


def test_directory_where_a_file_is_wanted(board: SshConnection, tmp_path: Path) -> None:
    """Who wants a directory has to say so."""
    (tmp_path / "d").mkdir()
    with pytest.raises(BoardFault, match=r"d was not copied: .*(?i:not a regular file|is a directory)"):
        get(board, f"{tmp_path}/d", tmp_path / "copy")
    with pytest.raises(UsageError, match="d: is a directory"):
        put(board, [tmp_path / "d"], str(tmp_path))
    with pytest.raises(UsageError, match="none: there is no such file"):
        put(board, [tmp_path / "none"], str(tmp_path))


def test_target_here_that_cannot_be_written(board: SshConnection, tmp_path: Path) -> None:
    """That is no fault of the board's."""
    (tmp_path / "a").write_bytes(b"1")
    with pytest.raises(UsageError, match=r"none/copy: cannot be used: No such file or directory"):
        get(board, f"{tmp_path}/a", tmp_path / "none" / "copy")


def test_board_without_scp(tmp_path: Path) -> None:
    """What its shell says is told."""
    server = OpenSsh(tmp_path, path="/none")
    connection = SshConnection(server.address(), "gate")
    try:
        with pytest.raises(BoardFault, match=r"gate: /scratch was not copied: .*scp: .*not found"):
            put_bytes(connection, {"a": b"1"}, "/scratch")
    finally:
        connection.close()
        server.close()


def test_nobody_there(host: SshHost, closed_port: int) -> None:
    """A board that is not there is lost."""
    with pytest.raises(BoardLost, match=r"gate: .*refused"):
        put_bytes(SshConnection(host.address(port=closed_port), "gate"), {"a": b"1"}, "/scratch")
