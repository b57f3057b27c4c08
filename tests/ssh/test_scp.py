"""Files to a board and from it by SCP: what arrives, with which modes, and what is told when it does not."""

from __future__ import annotations

import errno
import shlex
import stat
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import paramiko
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import BoardFault, BoardLost, ConsoleTimeout, UsageError
from harness.ssh import SshConnection
from harness.ssh.files import get, put, put_bytes
from tests.ssh.conftest import DEADLINE, OpenSsh, SshHost, make_buffer_small

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    import asyncssh

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


# -- boards that misbehave -----------------------------------------------------------------------------------


@pytest.fixture
def far_end(
    host: SshHost, connection: SshConnection
) -> Iterator[Callable[[Callable[[Any], Awaitable[None]]], SshConnection]]:
    """Choose what a board does when it is asked for ``scp``."""

    def choose(far_end: Callable[[asyncssh.SSHServerProcess[bytes]], Awaitable[None]]) -> SshConnection:
        host.scp = far_end
        return connection

    yield choose
    host.scp = None


@pytest.mark.parametrize(
    "said", ["Read-only file system", "No space left on device", "Permission denied", "Input/output error"]
)
@pytest.mark.parametrize("after", [0, 1, 2])
def test_refusals_are_told(far_end: Any, said: str, after: int) -> None:
    """At the beginning, when the file is named, or after its bytes."""

    async def refuse(process: Any) -> None:
        for step in range(after):
            process.stdout.write(b"\0")
            await (process.stdin.readline() if step == 0 else process.stdin.readexactly(101))
        process.stdout.write(f"\1scp: /scratch/a: {said}\n".encode())
        process.exit(1)

    with pytest.raises(BoardFault, match=rf"gate: /scratch was not copied: scp: /scratch/a: {said}$"):
        put_bytes(far_end(refuse), {"a": b"x" * 100}, "/scratch")


def test_failure_after_the_last_file(far_end: Any) -> None:
    """A far end that took everything and ends with a failure has not copied."""

    async def fail_late(process: Any) -> None:
        process.stdout.write(b"\0")
        await process.stdin.readline()
        process.stdout.write(b"\0")
        await process.stdin.readexactly(4)
        process.stdout.write(b"\0")
        await process.stdin.read()
        process.stderr.write(b"scp: fsync: Input/output error\n")
        process.exit(1)

    with pytest.raises(BoardFault, match="scp: fsync: Input/output error"):
        put_bytes(far_end(fail_late), {"a": b"abc"}, "/scratch")


@pytest.mark.parametrize("when", ["beginning", "middle", "end"])
def test_board_that_says_nothing(far_end: Any, when: str) -> None:
    """The deadline holds wherever it falls silent, and the connection is of use afterwards."""

    async def fall_silent(process: Any) -> None:
        if when != "beginning":
            process.stdout.write(b"\0")
            await process.stdin.readline()
            process.stdout.write(b"\0")
        if when == "end":
            await process.stdin.readexactly(5)
            process.stdout.write(b"\0")
        await process.stdin.channel.wait_closed()

    connection, started = far_end(fall_silent), time.monotonic()
    with pytest.raises(ConsoleTimeout, match=r"gate: /scratch was not copied within 0.3 s"):
        put_bytes(connection, {"a": b"1234"}, "/scratch", timeout=0.3)

    assert time.monotonic() - started < DEADLINE / 2
    assert connection.execute("echo 1").wait(time.monotonic() + DEADLINE).output == b"1\n"


def test_board_that_takes_no_more(far_end: Any) -> None:
    """Nor does a board hold us that takes a part of a large file and no more."""

    async def take_a_part(process: Any) -> None:
        process.stdout.write(b"\0")
        await process.stdin.readline()
        process.stdout.write(b"\0")
        process.stdin.channel.pause_reading()
        await process.stdin.channel.wait_closed()

    with pytest.raises(ConsoleTimeout, match="was not copied within"):
        put_bytes(far_end(take_a_part), {"a": b"x" * 30_000_000}, "/scratch", timeout=0.4)


def test_board_that_freezes_in_the_middle_of_a_file(far_end: Any, host: SshHost) -> None:
    """Nor one that hears nothing any more while so much of a file is under way that no buffer takes more."""

    async def freeze(process: Any) -> None:
        process.stdout.write(b"\0")
        await process.stdin.readline()
        process.stdout.write(b"\0")
        await process.stdin.readexactly(1)
        process.get_extra_info("connection")._transport.pause_reading()
        await process.stdin.channel.wait_closed()

    connection = far_end(freeze)
    make_buffer_small(connection)
    began = time.monotonic()
    with pytest.raises(ConsoleTimeout, match="gate: /scratch was not copied within 1 s"):
        put_bytes(connection, {"a": b"x" * 30_000_000}, "/scratch", timeout=1.0)

    assert time.monotonic() - began < DEADLINE / 2


def test_board_that_falls_silent_when_it_is_asked(host_silent_in_mid_request: SshHost) -> None:
    """Nor does one whose connection stays and that hears nothing any more."""
    connection, began = SshConnection(host_silent_in_mid_request.address(), "gate"), time.monotonic()

    with closing(connection), pytest.raises(ConsoleTimeout, match="was not copied within 1 s"):
        put_bytes(connection, {"a": b"1"}, "/scratch", timeout=1.0)

    assert time.monotonic() - began < DEADLINE / 2


def test_connection_that_is_reset(connection: SshConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the network says of a connection that breaks is no fault of a file of ours."""

    def break_off(transport: paramiko.Transport, **_wanted: Any) -> None:
        transport.close()
        raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")  # as the library raises it

    monkeypatch.setattr(paramiko.Transport, "open_session", break_off)

    with pytest.raises(BoardLost, match="gate: the connection broke while /scratch was copied"):
        put_bytes(connection, {"a": b"1"}, "/scratch")


def test_connection_that_breaks(far_end: Any) -> None:
    """A board that goes away in the middle is lost, and the next command is on a new connection."""

    async def cut(process: Any) -> None:
        process.stdout.write(b"\0")
        await process.stdin.readline()
        process.get_extra_info("connection").abort()

    connection = far_end(cut)
    with pytest.raises(BoardLost, match="gate: the connection broke while /scratch was copied"):
        put_bytes(connection, {"a": b"1"}, "/scratch")
    assert connection.execute("echo 1").wait(time.monotonic() + DEADLINE).output == b"1\n"


@pytest.mark.parametrize(
    "lines",
    [
        [b"C0644 1 ../evil\n"],
        [b"C0644 1 /evil\n"],
        [b"C0644 1 ..\n"],
        [b"D0755 0 ..\n", b"C0644 1 evil\n"],
        [b"D0755 0 a/../..\n", b"C0644 1 evil\n"],
        [b"D0755 0 fine\n", b"D0755 0 ..\n", b"D0755 0 ..\n", b"C0644 1 evil\n"],
        [b"D0755\n"],
        [b"C0644\n"],
    ],
)
def test_board_does_not_choose_where_files_go(far_end: Any, tmp_path: Path, lines: list[bytes]) -> None:
    """A name that leads elsewhere is refused; nothing is made outside of what was asked for."""

    async def mislead(process: Any) -> None:
        for line in lines:
            await process.stdin.readexactly(1)
            process.stdout.write(line)
        await process.stdin.readexactly(1)
        process.stdout.write(b"x\0")
        await process.stdin.channel.wait_closed()

    target = tmp_path / "here"
    target.mkdir()
    with pytest.raises(BoardFault, match="gate: /log was not copied: it names a file"):
        get(far_end(mislead), "/log", target, recursive=True, timeout=DEADLINE)

    assert {each.name for each in tmp_path.iterdir()} == {"here"}
    assert set(tree(tmp_path)) == set()


def test_file_of_which_the_half_is_there(far_end: Any, tmp_path: Path) -> None:
    """A file that breaks off is told of."""

    async def break_off(process: Any) -> None:
        await process.stdin.readexactly(1)
        process.stdout.write(b"C0644 10 log\n")
        await process.stdin.readexactly(1)
        process.stdout.write(b"12345")
        process.exit(1)

    with pytest.raises(BoardFault, match="/log was not copied"):
        get(far_end(break_off), "/log", tmp_path / "log")


def test_what_is_no_scp(far_end: Any, tmp_path: Path) -> None:
    """A board that says something else, for example a greeting of its shell, is no success."""

    async def greet(process: Any) -> None:
        process.stdout.write(b"Welcome to the board!\n")
        process.exit(0)

    async def end(process: Any) -> None:
        process.exit(0)

    for far in (greet, end):
        with pytest.raises(BoardFault, match="/log was not copied"):
            get(far_end(far), "/log", tmp_path / "log")
    with pytest.raises(BoardFault, match=r"/scratch was not copied: .*Welcome"):
        put_bytes(far_end(greet), {"a": b"1"}, "/scratch")
