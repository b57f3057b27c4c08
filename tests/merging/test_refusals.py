"""What is not merged: wrong directories, links, outputs that are there; nothing half-written stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import HarnessError, UsageError
from harness.merging import merge as module
from harness.merging.accounts import Accounts
from harness.merging.merge import merge
from harness.merging.runs import parse_source
from tests.merging.made_up_runs import MadeUpRun, merged


def test_directories_that_cannot_be_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each mistake on the command line is one message that names it."""
    first = MadeUpRun(tests={"test_0": "passed"}, run_id="aaaa").write(tmp_path / "a" / "results")
    second = MadeUpRun(tests={"test_0": "passed"}, run_id="bbbb").write(tmp_path / "b" / "results")
    MadeUpRun(tests={"test_0": "passed"}, run_id="aaaa").write(tmp_path / "copy")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    for arguments, complaint in (
        (["nowhere"], "DIR: there is no such directory (got 'nowhere')"),
        (["desk=nowhere"], "DIR: there is no such directory (got 'desk=nowhere')"),
        (["=a"], "DIR: malformed (got '=a'); expected DIR or RUNNER=DIR"),
        (["a\tb=a"], "DIR: malformed"),
        (["empty"], "empty: has no results of a session; expected a directory with junit.xml"),
        (["a/results", f"x={first}"], "DIR: named twice"),
        (["a/results", "b/results"], "b/results: has the same name as a/results; expected RUNNER=b/results"),
        (
            ["a/results", "copy"],
            "copy: run_id: has the results of the same session as a/results (got 'aaaa')",
        ),
    ):
        with pytest.raises(UsageError) as refused:
            merged(tmp_path, *arguments)
        assert complaint in str(refused.value)
        assert not (tmp_path / "merged").exists()
    assert merged(tmp_path, "a/results", f"rack={second}").accounts == Accounts(passed=2)


def test_name_of_a_directory_may_have_an_equals_sign(tmp_path: Path) -> None:
    """A directory that is there is meant as it is, whatever its name."""
    odd = MadeUpRun(tests={"test_0": "passed"}).write(tmp_path / "board=1")

    assert merged(tmp_path, odd).lines[0].name == "board=1"


def test_name_that_cannot_be_shown(tmp_path: Path) -> None:
    """A directory whose name no report can hold needs another one."""
    odd = MadeUpRun(tests={"test_0": "passed"}).write(tmp_path / "a\x01b")

    with pytest.raises(UsageError, match=r"a\\x01b.*has a name that cannot be shown; expected RUNNER=DIR"):
        merged(tmp_path, odd)
    assert merged(tmp_path, f"desk={odd}").lines[0].name == "desk"


def test_text_that_is_no_shard_is_refused(tmp_path: Path) -> None:
    """A property that no session of ours wrote is not taken for one."""
    for text in ("1/2", "3/2: 1 of 2 tests, collection 0123456789abcdef", "0/0: x"):
        directory = MadeUpRun(tests={"test_0": "passed"}, properties={"shard": text}).write(tmp_path / "desk")
        with pytest.raises(UsageError, match=r"junit\.xml: shard: not a shard"):
            merged(tmp_path, directory)


@pytest.mark.parametrize("name", ["junit.xml", "allure-results", "history.sqlite3"])
def test_links_lead_nowhere(tmp_path: Path, name: str) -> None:
    """What another machine packed may be a link to a file of this one; it is not followed."""
    directory = MadeUpRun(tests={"test_0": "passed"}).write(tmp_path / "desk")
    (tmp_path / "secret").write_text("secret")
    (directory / name).unlink(missing_ok=True)
    (directory / name).symlink_to(tmp_path / "secret")

    with pytest.raises(UsageError, match=f"{name}: is no .* of its own; expected a .*, and no link"):
        merged(tmp_path, directory)
    assert not (tmp_path / "merged").exists()


def test_output_is_never_overwritten(tmp_path: Path, shards: tuple[Path, Path]) -> None:
    """What is there stays as it is; an empty directory may be filled."""
    target = tmp_path / "merged"
    target.mkdir()
    (target / "older").write_text("older")
    with pytest.raises(UsageError, match="merged: is there already, with something in it; expected"):
        merged(tmp_path, *shards)
    (target / "older").unlink()
    assert merged(tmp_path, *shards).is_good

    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="file: is there already, and is no directory"):
        merge([parse_source(str(shards[0]))], tmp_path / "file")
    with pytest.raises(UsageError, match="is inside of"):
        merge([parse_source(str(shards[0]))], shards[0] / "allure-results" / "x")


def test_output_that_cannot_be_written(tmp_path: Path, shards: tuple[Path, Path]) -> None:
    """A place that is no place is one message."""
    (tmp_path / "file").write_text("")
    with pytest.raises(HarnessError, match=r"the results cannot be merged: .*file: File exists"):
        merge([parse_source(str(shards[0]))], tmp_path / "file" / "merged")


def test_nothing_half_written_stays(
    tmp_path: Path, shards: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When merging ends half-way, even by an interrupt, neither the output nor a part of it is there."""
    before = set(tmp_path.iterdir())

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "complaints", interrupted)
    with pytest.raises(KeyboardInterrupt):
        merged(tmp_path, *shards)

    assert set(tmp_path.iterdir()) == before


def test_damaged_history_is_refused(tmp_path: Path, shards: tuple[Path, Path]) -> None:
    """A history that is none is named, and nothing is written."""
    (shards[0] / "history.sqlite3").write_text("no database")

    with pytest.raises(UsageError, match=r"one/history\.sqlite3: the history is damaged"):
        merged(tmp_path, *shards)
    assert not (tmp_path / "merged").exists()
    assert not list(Path(tmp_path).glob(".merged*"))
