"""Files that commands write: whole or not at all, private from the first byte, never over somebody else's."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from harness import files
from harness.errors import UsageError
from harness.files import check_target, write_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def umask(mask: int) -> Iterator[None]:
    """Have another umask for a moment."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def mode_of(file: Path) -> int:
    """Return who may do what with a file."""
    return stat.S_IMODE(file.stat().st_mode)


@pytest.fixture
def modes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The modes that files had when they were opened and when they were synced."""
    modes: list[int] = []
    opened, synced = os.open, os.fsync

    def open_(path: Any, *arguments: Any, **options: Any) -> int:
        descriptor = opened(path, *arguments, **options)
        modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return descriptor

    def sync(descriptor: int) -> None:
        modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        synced(descriptor)

    monkeypatch.setattr(os, "open", open_)
    monkeypatch.setattr(os, "fsync", sync)
    return modes


@pytest.mark.parametrize("force", [False, True])
def test_private_file_is_private_from_its_first_byte(
    tmp_path: Path, modes: list[int], *, force: bool
) -> None:
    """Whatever the umask is and whoever could read the one before, nobody else could ever read it."""
    file = tmp_path / "secret"
    if force:
        file.write_text("everybody's")
        file.chmod(0o666)

    with umask(0):
        write_file(file, b"secret", force=force, private=True)

    assert set(modes) == {0o600}
    assert mode_of(file) == 0o600
    assert file.read_bytes() == b"secret"


@pytest.mark.parametrize(("mask", "mode"), [(0, 0o666), (0o022, 0o644), (0o077, 0o600)])
def test_other_files_are_as_the_umask_says(tmp_path: Path, mask: int, mode: int) -> None:
    """A file that is no secret is as any other of its owner."""
    with umask(mask):
        write_file(tmp_path / "report", b"content", force=False)

    assert mode_of(tmp_path / "report") == mode


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("failing", ["write", "fsync"])
def test_interrupted_write_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str, *, force: bool
) -> None:
    """What the system says is told; nothing is left, and what was there before is as it was."""
    file = tmp_path / "t"
    if force:
        file.write_text("before")
    before = {each: each.read_bytes() for each in tmp_path.iterdir()}

    def no_room(*_arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    if failing == "fsync":
        monkeypatch.setattr(os, "fsync", no_room)
    else:
        opened = os.fdopen

        def full(*arguments: Any, **options: Any) -> Any:
            file = opened(*arguments, **options)
            file.close()
            return opened(os.open("/dev/full", os.O_WRONLY), "wb")

        monkeypatch.setattr(os, "fdopen", full)

    with pytest.raises(UsageError, match=r"t: --out: cannot be written: No space left on device"):
        write_file(file, b"x" * 100_000, force=force, key="--out")

    assert {each: each.read_bytes() for each in tmp_path.iterdir()} == before


def test_interrupt_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who presses Ctrl-C in the middle has no half of a file."""

    def interrupt(_descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_file(tmp_path / "t", b"half", force=False)

    assert list(tmp_path.iterdir()) == []


def test_file_that_comes_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that somebody made after it was looked for is not replaced."""
    file = tmp_path / "t"
    monkeypatch.setattr(files, "check_target", lambda path, **_options: path.write_text("theirs"))

    with pytest.raises(UsageError, match="t: --output: exists"):
        write_file(file, b"ours", force=False)

    assert file.read_text() == "theirs"
    assert list(tmp_path.iterdir()) == [file]


def test_what_a_dead_writer_left_is_in_nobodys_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unfinished file of a process that was killed keeps nobody from writing, and is not touched."""
    left: list[Path] = []

    def killed(_descriptor: int) -> None:
        left.extend(tmp_path.iterdir())
        os.link(left[0], tmp_path / "kept")

    monkeypatch.setattr(os, "fsync", killed)
    write_file(tmp_path / "t", b"first", force=False)
    (tmp_path / "kept").rename(left[0])
    monkeypatch.undo()

    write_file(tmp_path / "t", b"second", force=True)

    assert (tmp_path / "t").read_bytes() == b"second"
    assert left[0].read_bytes() == b"first"


def test_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    """Whoever puts a link there does not choose what is overwritten."""
    (tmp_path / "target").write_text("theirs")
    (tmp_path / "link").symlink_to("target")

    for force in (False, True):
        with pytest.raises(UsageError, match="link: --output: is no ordinary file"):
            write_file(tmp_path / "link", b"ours", force=force)

    assert (tmp_path / "target").read_text() == "theirs"


@pytest.mark.parametrize(
    ("name", "force", "message"),
    [
        ("there", False, r"there: -o: exists; expected a new file, or --force"),
        (".", True, r": -o: is no ordinary file; expected a new file"),
        ("none/t", False, r"none: -o: there is no such directory"),
        ("there/t", False, r"there: -o: there is no such directory"),
        ("t" * 300, False, r"-o: cannot be seen: File name too long"),
        ("d" * 300 + "/t", False, r"-o: cannot be seen: File name too long"),
    ],
)
def test_target_that_is_none(tmp_path: Path, name: str, message: str, *, force: bool) -> None:
    """It is told before anything is asked of anybody: file, option, and what would do."""
    (tmp_path / "there").write_text("theirs")

    with pytest.raises(UsageError, match=message):
        check_target(tmp_path / name, force=force, key="-o")
    with pytest.raises(UsageError, match=message):
        write_file(tmp_path / name, b"ours", force=force, key="-o")

    assert (tmp_path / "there").read_text() == "theirs"


def test_target_that_is_one(tmp_path: Path) -> None:
    """A new file is one, and with force one that exists."""
    check_target(tmp_path / "new", force=False)
    (tmp_path / "old").touch()
    check_target(tmp_path / "old", force=True)

    assert [each.name for each in tmp_path.iterdir()] == ["old"]
