"""A bench for all users of the host, and one that is nobody's but its user's."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import UsageError
from harness.inventory.board import Board
from harness.inventory.leases import Lease, lease_file
from harness.virtual.client import BenchClient
from harness.virtual.launcher import start_bench

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.virtual.contract import VirtualKind

UP = "import sys; from harness.cli.bench import app; app(sys.argv[1:])"


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A directory that every user reaches; that of pytest is closed to others."""
    place = Path(tempfile.mkdtemp(prefix="hs"))
    place.chmod(0o755)
    yield place
    shutil.rmtree(place)


def mode(path: Path) -> int:
    """The permissions of a file, or of what a link leads to."""
    return stat.S_IMODE(path.stat().st_mode)


def test_a_shared_bench_is_open_to_all(open_place: Path, toy_kind: VirtualKind) -> None:
    """Others reach its directory and ports, may connect and lease; the log is not for them."""
    place = open_place / "new" / "bench"
    with (
        start_bench(place, [("toy", "a", {})], extra_kinds=[toy_kind], shared=True) as bench,
        BenchClient(bench.socket) as client,
    ):
        board = Board(id="a", kind="toy", driver="d", bench=str(bench.socket))
        Lease(board, "s", deadline=0).release()
        client.board("a").replug()
        tty = client.board("a").state().ports["console"]

        assert (mode(open_place / "new"), mode(place), mode(place / "dev")) == (0o755, 0o755, 0o755)
        assert (mode(bench.socket), mode(tty)) == (0o666, 0o666)
        assert (mode(place / "leases"), mode(lease_file(board))) == (0o1777, 0o666)
        assert mode(bench.log) & 0o077 == 0
    assert list(open_place.iterdir()) == []


def test_a_bench_is_private_if_nothing_else_is_said(open_place: Path, toy_kind: VirtualKind) -> None:
    """Whoever is not its user comes no further than its directory."""
    place = open_place / "new" / "bench"
    with start_bench(place, extra_kinds=[toy_kind]) as bench:
        found = [mode(path) for path in (open_place / "new", place, bench.socket, place / "leases")]

    assert found == [0o700, 0o700, 0o600, 0o700]


@pytest.mark.parametrize("closed", ["", "inner"])
def test_a_shared_bench_where_nobody_comes(open_place: Path, toy_kind: VirtualKind, closed: str) -> None:
    """It is refused, with the directory that is in the way; nothing is left."""
    (open_place / "inner").mkdir(mode=0o755)
    (open_place / closed).chmod(0o700)

    with pytest.raises(UsageError) as refused:
        start_bench(open_place / "inner" / "bench", extra_kinds=[toy_kind], shared=True)

    assert f"{(open_place / closed).resolve()} is closed to other users (mode 0700)" in str(refused.value)
    assert "expected a directory that everybody reaches" in str(refused.value)
    assert list((open_place / "inner").iterdir()) == []


def test_remains_that_lead_elsewhere_are_not_followed(open_place: Path, toy_kind: VirtualKind) -> None:
    """A link in the place of the leases goes; what it leads to stays."""
    (open_place / "precious").mkdir()
    (open_place / "precious" / "file").touch()
    (open_place / "leases").symlink_to("precious")

    with start_bench(open_place, extra_kinds=[toy_kind]):
        assert not (open_place / "leases").is_symlink()

    assert (open_place / "precious" / "file").exists()


def test_up_for_all_users(monkeypatch: pytest.MonkeyPatch, open_place: Path) -> None:
    """It takes a directory that others reach, says who may use it, and leaves nothing."""
    process = subprocess.Popen(
        [sys.executable, "-c", UP, "up", "--shared"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(open_place), "HARNESS_RUNTIME_DIR": str(open_place / "runtime")},
    )
    assert process.stdout is not None
    lines = [process.stdout.readline()]
    while lines[-1] and not lines[-1].startswith("Ctrl-C"):
        lines.append(process.stdout.readline())
    (place,) = open_place.glob("harness-bench-*")
    found = mode(place)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)

    assert "All users of this host may use and control it.\n" in lines
    assert f"virtual={place}/control.sock" in "".join(lines)
    assert found == 0o755
    assert not place.exists()
    assert process.returncode == 0
