"""Transfers by SCP with boards that misbehave: that they end, what is told, and where files go."""

from __future__ import annotations

import errno
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import paramiko
import pytest

from harness.errors import BoardFault, BoardLost, ConsoleTimeout
from harness.ssh import SshConnection
from harness.ssh.files import get, put_bytes
from tests.ssh.conftest import DEADLINE, SshHost, make_buffer_small

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    import asyncssh


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


def test_board_that_freezes_in_the_middle_of_a_file(far_end: Any) -> None:
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
    assert not any(each.is_file() for each in tmp_path.rglob("*"))


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
