"""The old SCP protocol: by ``scp -O``, by the library ``scp``, and byte by byte."""

from __future__ import annotations

import asyncio
import hashlib
import io
from typing import TYPE_CHECKING, Any

import paramiko
import pytest
import scp as scp_library
from hypothesis import given, settings
from hypothesis import strategies as st

from harness_pelion.virtual.bench_calls import BenchCalls
from harness_pelion.virtual.filesystem import File, Filesystem
from harness_pelion.virtual.power import make_points
from harness_pelion.virtual.scp import ScpEnd, read_arguments

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.pelion.virtual.device import Device

DEADLINE = 20.0


class Wire:
    """Both directions of a channel: what is to be read, in pieces, and what was written."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = [each for each in pieces if each]
        self.written = b""

    async def read(self, most: int) -> bytes:
        """Give the next piece."""
        return self._pieces.pop(0)[:most] if self._pieces else b""

    def write(self, data: bytes) -> None:
        """Keep what is sent."""
        self.written += data


def make_filesystem() -> Filesystem:
    """Return an empty file system."""
    return Filesystem(make_points(), lambda: 0.0, 1 << 20, 1 << 20)


def exchange(
    filesystem: Filesystem, arguments: str, *pieces: bytes, directory: str = "/"
) -> tuple[int, bytes]:
    """Run one end against what the other one sends; return its exit code and what it answers."""
    wire = Wire(pieces)
    calls = BenchCalls(lambda action: action())
    end = ScpEnd(wire, filesystem, calls, directory)
    return asyncio.run(end.run(read_arguments(arguments.split()))), wire.written


def contents(filesystem: Filesystem, where: str) -> dict[str, bytes | None]:
    """Return what is below a directory: of files their content."""
    return {
        path.removeprefix(f"{where}/"): entry.data if isinstance(entry, File) else None
        for path, entry in filesystem.walk(where)
        if path != where
    }


def test_sink_byte_by_byte() -> None:
    """A directory with two files, one empty: every line is answered by a zero byte."""
    filesystem = make_filesystem()
    sent = b"D0700 0 dir\nC0600 3 a.bin\nabc\0C0644 0 b\n\0E\nC0640 1 c\nx\0"
    expected = {"dir": None, "dir/a.bin": b"abc", "dir/b": b"", "c": b"x"}
    assert exchange(filesystem, "-r -t /scratch", sent) == (0, b"\0" * 9)
    assert contents(filesystem, "/scratch") == expected
    again = make_filesystem()
    assert exchange(again, "-rt scratch", *(bytes([each]) for each in sent)) == (0, b"\0" * 9)
    assert contents(again, "/scratch") == expected
    modes = [again.entry(f"/scratch/{name}").mode for name in expected]
    assert modes == [0o700, 0o600, 0o644, 0o640]


def test_sink_names_and_times() -> None:
    """A target that is no directory names the file; times are kept when they are sent."""
    filesystem = make_filesystem()
    assert exchange(filesystem, "-p -t /scratch/new", b"T12345 0 23456 0\nC0644 2 old\nhi\0") == (
        0,
        b"\0" * 4,
    )
    assert contents(filesystem, "/scratch") == {"new": b"hi"}
    assert filesystem.entry("/scratch/new").mtime == 12345.0
    filesystem.make_directory("/scratch/d")
    assert exchange(filesystem, "-t x", b"C0644 1 y\nz\0", directory="/scratch/d")[0] == 0
    assert contents(filesystem, "/scratch/d") == {"x": b"z"}


@pytest.mark.parametrize(
    ("arguments", "sent", "answer"),
    [
        ("-t /scratch", b"D0755 0 d\n", b"\0\2scp: received directory without -r\n"),
        ("-t /scratch", b"X0644 1 a\n", b"\0\2scp: protocol error: expected control record\n"),
        ("-t /scratch", b"C0644 -1 a\n", b"\0\2scp: protocol error: expected control record\n"),
        ("-t /scratch", b"C64 1 a\n", b"\0\2scp: protocol error: expected control record\n"),
        ("-t /scratch", b"E\n", b"\0\2scp: protocol error: expected control record\n"),
        ("-t /scratch", b"\n", b"\0\2scp: protocol error: unexpected <newline>\n"),
        ("-t /scratch", b"C0644 1 ../a\n", b"\0\2scp: error: unexpected filename: ../a\n"),
        ("-t /scratch", b"C0644 1 ..\n", b"\0\2scp: error: unexpected filename: ..\n"),
        ("-t /scratch", b"C0644 1 /etc/x\n", b"\0\2scp: error: unexpected filename: /etc/x\n"),
        ("-r -t /scratch", b"D0755 0 .\n", b"\0\2scp: error: unexpected filename: .\n"),
        ("-t -d /scratch/x", b"", b"\2scp: /scratch/x: Not a directory\n"),
        ("-t /no/x", b"C0644 1 a\n", b"\0\1scp: /no/x: No such file or directory\n"),
        ("-t /scratch", b"\2stop\n", b"\0"),
        ("-t /scratch", b"\1left out\n", b"\0"),
        ("-t /scratch", b"C0644 2 a\nab\1read error\n", b"\0\0\0"),
        ("-r -t /scratch", b"D0755 0 d\n", b"\0\0"),
    ],
)
def test_sink_refuses(arguments: str, sent: bytes, answer: bytes) -> None:
    """What does not fit is refused with a text, or what went wrong there is remembered: exit code 1."""
    assert exchange(make_filesystem(), arguments, sent) == (1, answer)


def test_sink_without_room() -> None:
    """A file that does not fit is refused behind its content; a read-only file system before it."""
    filesystem = make_filesystem()
    filesystem.mounts["/scratch"].left = 2
    status, answer = exchange(filesystem, "-t /scratch", b"C0644 3 a\nabc\0C0644 0 b\n\0")
    assert (status, answer) == (1, b"\0\0\1scp: /scratch/a: No space left on device\n\0\0")
    filesystem.end_faults()
    filesystem.mounts["/scratch"].read_only = True
    status, answer = exchange(filesystem, "-r -t /scratch", b"C0644 3 c\nD0755 0 d\n")
    assert status == 1
    assert answer == b"\0\1scp: /scratch/c: Read-only file system\n\1scp: /scratch/d: Read-only file system\n"
    assert contents(filesystem, "/scratch") == {"a": b"ab", "b": b""}


def test_lost_in_a_file() -> None:
    """When the other end is gone in the middle of a file, what came of it stays."""
    filesystem = make_filesystem()
    with pytest.raises(ConnectionAbortedError):
        exchange(filesystem, "-t /scratch", b"C0644 10 a\nabc")
    assert contents(filesystem, "/scratch") == {"a": b"abc"}


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=20),
            st.sampled_from(
                [b"C0644 3 a\n", b"abc\0", b"D0755 0 d\n", b"E\n", b"T1 0 1 0\n", b"\1x\n", b"\0", b"\n"]
            ),
        ),
        max_size=8,
    )
)
def test_sink_takes_anything(pieces: list[bytes]) -> None:
    """Whatever comes: the sink ends, nothing lands outside of its target, and every answer is one."""
    filesystem = make_filesystem()
    before = {path for path, _entry in filesystem.walk("/")}
    try:
        status, answer = exchange(filesystem, "-r -t /scratch", *pieces)
    except ConnectionAbortedError:
        status, answer = 1, b""
    assert status in (0, 1)
    new = {path for path, _entry in filesystem.walk("/")} - before
    assert all(path.startswith("/scratch/") for path in new)
    rest = answer.lstrip(b"\0")
    assert not rest or rest[:1] in (b"\1", b"\2")


TREES = st.recursive(
    st.binary(max_size=200),
    lambda below: st.dictionaries(st.text("abc .*'\"é", min_size=1, max_size=4), below, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(TREES, st.integers(1, 50))
def test_any_tree(tree: Any, size: int) -> None:
    """Any tree of files comes over whole, in pieces of any size."""
    lines: list[bytes] = []
    expected: dict[str, bytes | None] = {}

    def send(name: str, node: Any, path: str) -> None:
        if isinstance(node, bytes):
            lines.extend([f"C0644 {len(node)} {name}\n".encode(), node, b"\0"])
            expected[path] = node
            return
        lines.append(f"D0755 0 {name}\n".encode())
        expected[path] = None
        for each, below in sorted(node.items()):
            if each not in (".", ".."):
                send(each, below, f"{path}/{each}")
        lines.append(b"E\n")

    send("top", tree, "top")
    sent = b"".join(lines)
    filesystem = make_filesystem()
    pieces = [sent[at : at + size] for at in range(0, len(sent), size)]
    assert exchange(filesystem, "-r -t /scratch", *pieces)[0] == 0
    assert contents(filesystem, "/scratch") == expected


def test_source_byte_by_byte() -> None:
    """A source says mode, size and name, and goes on when it is told to."""
    filesystem = make_filesystem()
    filesystem.make_directory("/scratch/d", 0o750)
    filesystem.write("/scratch/d/a", b"abc", mode=0o600)
    filesystem.set_attributes("/scratch/d", mtime=5)
    filesystem.set_attributes("/scratch/d/a", mtime=7)
    answers = b"\0" * 7
    assert exchange(filesystem, "-f /scratch/d/a", b"\0" * 3) == (0, b"C0600 3 a\nabc\0")
    assert exchange(filesystem, "-r -p -f /scratch/d", answers) == (
        0,
        b"T5 0 5 0\nD0750 0 d\nT7 0 7 0\nC0600 3 a\nabc\0E\n",
    )
    assert exchange(filesystem, "-f /scratch/d", b"\0") == (1, b"\1scp: /scratch/d: not a regular file\n")
    assert exchange(filesystem, "-f /no", b"\0") == (1, b"\1scp: /no: No such file or directory\n")
    refused = exchange(filesystem, "-f /scratch/d/a /scratch/d/a", b"\0\1no\n", b"\2enough\n")
    assert refused == (1, b"C0600 3 a\nC0600 3 a\n")
    assert exchange(filesystem, "-f /scratch/d/a", b"x")[1].startswith(b"\2scp: protocol error")


@pytest.mark.parametrize("words", ["", "-t", "-f", "-t -f /x", "-z -t /x", "-t /x /y", "/x"])
def test_arguments(words: str) -> None:
    """``scp`` is called by another ``scp`` only."""
    with pytest.raises(ValueError, match=r"usage: scp|ambiguous target"):
        read_arguments(words.split())


def make_tree(directory: Path) -> dict[str, bytes | None]:
    """Make files to copy, with names that a shell would take apart."""
    tree: dict[str, bytes | None] = {
        "with space": b"1",
        "it's": b"2",
        "empty": b"",
        "sub": None,
        "sub/large": bytes(range(256)) * 1200,
        "sub/none": None,
    }
    directory.mkdir()
    for name, content in tree.items():
        if content is None:
            (directory / name).mkdir()
        else:
            (directory / name).write_bytes(content)
    return tree


def on_disk(directory: Path) -> dict[str, bytes | None]:
    """Return what is below a directory of the host."""
    return {
        str(each.relative_to(directory)): None if each.is_dir() else each.read_bytes()
        for each in directory.rglob("*")
    }


def test_openssh(device: Device, tmp_path: Path) -> None:
    """``scp -O`` brings a tree to the device and back: contents, modes, and times when asked."""
    tree = make_tree(tmp_path / "tree")
    (tmp_path / "tree" / "it's").chmod(0o600)
    assert device.put(tmp_path / "tree", to="/scratch", options=["-r", "-p"]) == (0, b"", b"")
    assert device.call("file_mode", path="/scratch/tree/it's") == "f0600"
    assert device.get("/scratch/tree", tmp_path / "back", options=["-r", "-p"]) == (0, b"", b"")
    assert on_disk(tmp_path / "back") == tree
    there, back = ((tmp_path / each / "it's").stat() for each in ("tree", "back"))
    assert (int(there.st_mtime), there.st_mode) == (int(back.st_mtime), back.st_mode)
    (tmp_path / "found").mkdir()
    assert device.get("/scratch/tree/w*e", tmp_path / "found")[0] == 0
    assert on_disk(tmp_path / "found") == {"with space": b"1"}


def test_openssh_brings_much(device: Device, tmp_path: Path) -> None:
    """A file that nearly fills the disk comes over in the time of a file, not of its square."""
    content = bytes(range(256)) * (60 * 4096)
    (tmp_path / "much").write_bytes(content)
    assert device.put(tmp_path / "much", to="/home/root") == (0, b"", b"")
    digest = hashlib.sha256(content).hexdigest()
    assert device.ssh("sha256sum /home/root/much")[1].decode().split()[0] == digest


def test_openssh_is_told(device: Device, tmp_path: Path) -> None:
    """``scp -O`` passes on what the device says, and fails."""
    (tmp_path / "file").write_bytes(bytes(1000))
    device.call("fill_disk", mount="/scratch", left=10)
    assert device.put(tmp_path / "file", to="/scratch") == (
        1,
        b"",
        b"scp: /scratch/file: No space left on device\n",
    )
    device.call("set_read_only", on=True, mount="/scratch")
    assert device.put(tmp_path / "file", to="/scratch") == (
        1,
        b"",
        b"scp: /scratch/file: Read-only file system\n",
    )
    assert device.put(tmp_path / "file", to="/no/where") == (
        1,
        b"",
        b"scp: /no/where: No such file or directory\n",
    )
    assert device.get("/no", tmp_path / "x") == (1, b"", b"scp: /no: No such file or directory\n")
    device.host.on_loop(device.board.clear_faults)
    assert device.put(tmp_path / "file", to="/scratch")[0] == 0


def test_library(device: Device, tmp_path: Path) -> None:
    """The Python library ``scp`` over paramiko, as the public client uses it: both directions."""
    tree = make_tree(tmp_path / "tree")
    access = device.call("ssh")
    transport = paramiko.Transport((access["host"], access["port"]))
    try:
        transport.start_client(timeout=DEADLINE)
        transport.auth_none("root")
        with scp_library.SCPClient(transport, socket_timeout=DEADLINE) as client:
            client.put(str(tmp_path / "tree"), "/scratch", recursive=True)
            client.putfo(io.BytesIO(b"direct"), "/scratch/direct")
            client.get("/scratch/tree", str(tmp_path / "back"), recursive=True, preserve_times=True)
            device.call("set_read_only", on=True)
            with pytest.raises(scp_library.SCPException, match="Read-only file system"):
                client.put(str(tmp_path / "tree" / "empty"), "/scratch/x")
    finally:
        transport.close()
    assert on_disk(tmp_path / "back") == tree
    assert device.ssh("cat /scratch/direct")[1] == b"direct"


def test_power_cut_in_a_transfer(device: Device, tmp_path: Path) -> None:
    """A power cut ends the transfer; nothing of it is left in RAM, and it succeeds again."""
    make_tree(tmp_path / "tree")
    device.call("cut_power_at", point="after write", nth=4, comes_back=True)
    assert device.put(tmp_path / "tree", to="/scratch", options=["-r"])[0] != 0
    device.host.wait_dark()
    assert device.ssh("ls /scratch") == (0, b"", b"")
    assert device.put(tmp_path / "tree", to="/scratch", options=["-r"])[0] == 0
