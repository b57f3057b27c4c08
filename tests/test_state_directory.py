"""Where the ledger is: one private directory of the user's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.state_directory import state_directory


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"HARNESS_STATE_DIR": "{}/named", "XDG_STATE_HOME": "{}/xdg"}, "named"),
        ({"XDG_STATE_HOME": "{}/xdg"}, "xdg/harness"),
        ({"XDG_STATE_HOME": "relative"}, "home/.local/state/harness"),
        ({}, "home/.local/state/harness"),
    ],
    ids=["named", "xdg", "relative-xdg", "home"],
)
def test_place(
    variables: dict[str, str], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The harness's variable counts most, then the specification's; a relative one of that is ignored."""
    for name in ("HARNESS_STATE_DIR", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(tmp_path))

    directory = state_directory()

    assert directory == tmp_path / expected
    assert directory.stat().st_mode & 0o777 == 0o700


def test_relative_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative name is meant from where the process is now, and stays so."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_STATE_DIR", "here")

    assert state_directory() == tmp_path / "here"


def test_others_are_shut_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory that is there already is closed to others too."""
    (tmp_path / "open").mkdir(mode=0o755)
    monkeypatch.setenv("HARNESS_STATE_DIR", str(tmp_path / "open"))

    assert state_directory().stat().st_mode & 0o777 == 0o700


def test_not_to_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be made is named in one message, with the variable."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("HARNESS_STATE_DIR", str(tmp_path / "file" / "below"))

    with pytest.raises(UsageError, match=r"HARNESS_STATE_DIR: .*cannot be made.*file/below"):
        state_directory()


def test_of_another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's directory is not trusted."""
    monkeypatch.setenv("HARNESS_STATE_DIR", str(tmp_path))
    monkeypatch.setattr(os, "getuid", lambda: Path(tmp_path).stat().st_uid + 1)

    with pytest.raises(UsageError, match="belongs to another user"):
        state_directory()
