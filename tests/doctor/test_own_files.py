"""The doctor and what sessions of this user leave and need: leftovers, directories, tools."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.backends.ledger import Ledger
from harness.doctor import directories, leftovers, tools
from harness.doctor.directories import DirectoryFacts
from harness.doctor.findings import Level
from harness.doctor.leftovers import Leftovers
from harness.doctor.tools import ToolFacts
from harness.session_directory import SessionDirectory
from harness.virtual.launcher import start_bench

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Directories of this test's own; short ones."""
    place = Path(tempfile.mkdtemp(prefix="hd"))
    monkeypatch.setenv("HARNESS_RUNTIME_DIR", str(place))
    monkeypatch.setenv("HARNESS_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield place
    shutil.rmtree(place)


def test_nothing_is_left() -> None:
    """A tidy host is well, and looking at it makes no ledger."""
    (found,) = leftovers.judge(leftovers.look())

    assert found.level is Level.OK
    assert leftovers.mend(leftovers.look()) == []
    assert list(Path(os.environ["HARNESS_STATE_DIR"]).iterdir()) == []


def test_a_dead_session_is_told_from_a_living_one(runtime: Path) -> None:
    """The directory of whoever lives stays; that of the dead is named, and goes when that is asked for."""
    living = SessionDirectory("living00")
    dead = runtime / "s" / "dead0000"
    (dead / "captures").mkdir(parents=True)
    (dead / "lock").touch()

    left = leftovers.look()
    assert left.sessions == (dead,)
    (found,) = leftovers.judge(left)
    assert (found.level, found.fixable) == (Level.WARNING, True)
    assert f"files of 1 dead session: {dead}" in found.what

    assert leftovers.mend(left) == ["removed the files of dead session dead0000"]
    assert sorted(path.name for path in (runtime / "s").iterdir()) == ["living00"]
    living.close()


def test_a_dead_bench_is_told_from_a_living_one(runtime: Path) -> None:
    """A bench that was killed leaves a directory; somebody's own of such a name is no bench."""
    with start_bench(runtime / "bench-1") as living, start_bench(runtime / "bench-2") as bench:
        os.kill(bench.pid, 9)
        assert bench.wait(10)
        (runtime / "bench-notes").mkdir()
        (runtime / "bench-file").touch()

        left = leftovers.look()
        assert left.benches == (runtime / "bench-2",)
        (found,) = leftovers.judge(left)
        assert f"files of 1 dead bench: {runtime}/bench-2" in found.what

        assert leftovers.mend(left) == [f"removed {runtime}/bench-2"]
        assert not living.wait(0)
        assert living.socket.exists()
        assert (runtime / "bench-notes").exists()


def test_a_bench_that_came_back_is_left_alone(runtime: Path) -> None:
    """Between looking and mending a bench may have been started in the directory of a dead one."""
    with start_bench(runtime / "bench-1") as bench:
        assert leftovers.mend(Leftovers(benches=(runtime / "bench-1",))) == []
        assert bench.socket.exists()


def test_what_is_left_in_services_is_counted_only() -> None:
    """The doctor tells and points at the command that undoes it; it changes nothing."""
    with Ledger() as ledger:
        for subject in ("a", "b"):
            ledger.note(
                session="dead0000",
                worker="main",
                backend="toycloud",
                mode="url",
                url="http://127.0.0.1:1",
                kind="claim",
                subject=subject,
            )

    left = leftovers.look()
    (found,) = leftovers.judge(left)
    assert left.in_services == (("dead0000", 2),)
    assert found.what.startswith("2 things that dead sessions made in services or changed on boards")
    assert (found.commands, found.fixable) == (("harness sweep",), False)
    assert leftovers.mend(left) == []
    assert leftovers.look() == left


def test_several_of_each_are_counted() -> None:
    """Words fit numbers."""
    places = (Path("/a"), Path("/b"))
    sessions, benches, things = leftovers.judge(
        Leftovers(sessions=places, benches=places, in_services=(("x", 1),))
    )

    assert sessions.what == "files of 2 dead sessions: /a, /b"
    assert benches.what == "files of 2 dead benches: /a, /b"
    assert things.what.startswith("1 thing that")


def test_private_directories_are_fine(runtime: Path) -> None:
    """Both are named."""
    runtime_found, state_found = directories.judge(directories.look())

    assert runtime_found.level is state_found.level is Level.OK
    assert runtime_found.what == f"the runtime directory {runtime} is yours alone"


def test_an_open_directory_is_closed(runtime: Path) -> None:
    """Others could reach the sockets: a warning, and ``--fix`` closes it."""
    runtime.chmod(0o755)

    found, _ = directories.judge(directories.look())
    assert (found.level, found.fixable) == (Level.WARNING, True)
    assert found.commands == (f"chmod 700 {runtime}",)
    assert directories.mend(directories.look()) == [f"gave {runtime} mode 0700"]
    assert runtime.stat().st_mode & 0o777 == 0o700


def test_a_directory_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It says why, and which variable names another one; mending leaves it alone."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("HARNESS_STATE_DIR", str(tmp_path / "file" / "state"))

    _, found = directories.judge(directories.look())

    assert found.level is Level.PROBLEM
    assert "the state directory cannot be used: " in found.what
    assert found.advice == "Name another one in HARNESS_STATE_DIR."
    assert directories.mend(directories.look()) == []


def test_a_path_too_long_for_sockets() -> None:
    """It is found before a bench fails to start there; the state directory has no sockets."""
    facts = DirectoryFacts(title="runtime directory", variable="V", path=Path("/" + "x" * 90))

    (fine,) = directories.judge([facts])
    (found,) = directories.judge(
        [DirectoryFacts(title="runtime directory", variable="V", path=facts.path, holds_sockets=True)]
    )

    assert fine.level is Level.OK
    assert found.level is Level.PROBLEM
    assert "is 14 bytes too long" in found.what


def test_tools_that_are_there() -> None:
    """Then nothing is to be done."""
    (found,) = tools.judge(ToolFacts(node=22, allure=Path("/x/allure")))

    assert (found.level, found.what) == (Level.OK, "Node 22 and Allure (/x/allure) are there")


@pytest.mark.parametrize(("node", "what"), [(None, "there is none that answers"), (18, "it is version 18")])
def test_tools_that_are_missing(node: int | None, what: str) -> None:
    """They are hints: nobody needs them to run suites."""
    found = tools.judge(ToolFacts(node=node))

    assert [one.level for one in found] == [Level.WARNING, Level.WARNING]
    assert found[0].what == f"Node 20 or newer is missing: {what}"
    assert found[1].commands == ("npm install --prefix build/allure allure@3",)


def make_node(directory: Path, text: str) -> None:
    """Put a command named node where the PATH leads."""
    file = directory / "node"
    file.write_text(text)
    file.chmod(0o755)


@pytest.mark.parametrize(
    ("text", "version"),
    [("#!/bin/sh\necho v21.3.0\n", 21), ("#!/bin/sh\necho hello\n", None), ("#!/nowhere\n", None)],
)
def test_node_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, version: int | None
) -> None:
    """Its answer counts, not that something of its name is there."""
    make_node(tmp_path, text)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert tools.look([]).node == version


def test_node_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The doctor does not wait for it for ever."""
    make_node(tmp_path, "#!/bin/sh\n/bin/sleep 20\necho v22.0.0\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(tools, "_SECONDS", 0.2)

    assert tools.look([]).node is None


def test_allure_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the places where ``harness report`` looks, or only where the environment says."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("HARNESS_ALLURE", raising=False)
    (tmp_path / "allure").touch()
    assert tools.look([tmp_path / "missing", tmp_path / "allure"]) == ToolFacts(allure=tmp_path / "allure")

    monkeypatch.setenv("HARNESS_ALLURE", str(tmp_path / "other"))
    assert tools.look([tmp_path / "allure"]).allure is None
