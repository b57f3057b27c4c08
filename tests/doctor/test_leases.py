"""The doctor and the directory of leases."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from harness.doctor import leases
from harness.doctor.findings import Level
from harness.doctor.leases import LeaseFacts, judge, look, mend

FINE = LeaseFacts(
    directory=Path("/run/lock/harness-leases"),
    there=True,
    named=False,
    unfit=None,
    can_be_made=True,
    owner=0,
    owner_name="root",
    uid=1000,
)
INSTALL = "sudo install -d -o root -m 1777 /run/lock/harness-leases"


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of leases of this test."""
    monkeypatch.setenv("HARNESS_LEASE_DIR", str(tmp_path / "leases"))
    return tmp_path / "leases"


def test_a_shared_directory_is_fine() -> None:
    """Root's or our own, both will do."""
    for facts in (FINE, replace(FINE, owner=1000, owner_name="alice")):
        (found,) = judge(facts)
        assert (found.level, found.what) == (
            Level.OK,
            "/run/lock/harness-leases is shared by all users of this host",
        )


def test_it_is_made_when_it_is_needed() -> None:
    """Where anybody may make it, its absence is no harm."""
    (found,) = judge(replace(FINE, there=False, owner=None))

    assert (found.level, found.fixable) == (Level.OK, True)
    assert "the first session on hardware makes it" in found.what


@pytest.mark.parametrize(
    ("facts", "what"),
    [
        ({"there": False, "can_be_made": False}, "is not there, and you may not make it"),
        ({"unfit": "has mode 0755 instead of 1777"}, "has mode 0755 instead of 1777"),
    ],
)
def test_users_who_do_not_see_each_other(facts: dict[str, object], what: str) -> None:
    """It is a problem, it says what may happen, and what root has to do."""
    (found,) = judge(replace(FINE, **facts))  # type: ignore[arg-type]  # the fields of the dataclass

    assert found.level is Level.PROBLEM
    assert what in found.what
    assert "both may use one board" in found.why
    assert found.commands[0] == INSTALL


def test_it_outlives_a_start_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where systemd makes /run anew each time, it is told to make the directory too."""
    monkeypatch.setattr(Path, "is_dir", lambda _path: True)

    (found,) = judge(replace(FINE, there=False, can_be_made=False))

    assert found.commands == (
        INSTALL,
        "echo 'd /run/lock/harness-leases 1777 root root -' | sudo tee /etc/tmpfiles.d/harness-leases.conf",
    )


def test_a_directory_of_some_user() -> None:
    """Its owner may remove what others hold: a warning, and how to give it to root."""
    (found,) = judge(replace(FINE, owner=1001, owner_name="bob"))

    assert found.level is Level.WARNING
    assert "bob may remove leases of others" in found.why
    assert found.commands == ("sudo chown root /run/lock/harness-leases",)


def test_files_that_not_everybody_may_use(directory: Path) -> None:
    """A lease that is closed to others and things that are no files are named with the way to mend them."""
    directory.mkdir()
    directory.chmod(0o1777)
    for name, mode in (("good.lease", 0o666), ("closed one.lease", 0o600)):
        (directory / name).touch()
        (directory / name).chmod(mode)
    (directory / "link.lease").symlink_to("/dev/null")

    _, closed, strange = judge(look())

    assert closed.level is strange.level is Level.PROBLEM
    assert closed.commands == (f"sudo chmod 0666 '{directory}/closed one.lease'",)
    assert strange.commands == (f"sudo rm -r {directory}/link.lease",)


def test_it_is_made_for_all(directory: Path) -> None:
    """``--fix`` makes it as a session would; after that there is nothing to do."""
    assert mend(look()) == [f"made {directory} for all users"]
    assert stat.S_IMODE(directory.stat().st_mode) == 0o1777

    assert mend(look()) == []
    (found,) = judge(look())
    assert found.level is Level.OK
    assert "(named by HARNESS_LEASE_DIR or the rig file)" in found.what


def test_a_wrong_mode_of_ours_is_mended(directory: Path) -> None:
    """The directory is there and belongs to us, so its mode can be set."""
    directory.mkdir(mode=0o755)
    (found,) = judge(look())
    assert (found.level, found.fixable, found.commands) == (Level.PROBLEM, True, ())

    assert mend(look()) == [f"gave {directory} mode 1777"]
    assert stat.S_IMODE(directory.stat().st_mode) == 0o1777


def test_what_is_no_directory_is_left_to_its_owner(directory: Path, tmp_path: Path) -> None:
    """A link or a file in its place is not touched; the command removes it first."""
    (tmp_path / "elsewhere").mkdir(mode=0o755)
    directory.symlink_to(tmp_path / "elsewhere")

    (found,) = judge(look())
    assert "is a symbolic link" in found.what
    assert found.commands[0].startswith(f"sudo rm {directory} && sudo install -d ")
    assert mend(look()) == []
    assert stat.S_IMODE((tmp_path / "elsewhere").stat().st_mode) == 0o755


def test_without_a_variable_it_is_the_hosts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The doctor looks where sessions look; owners without a name are shown by number."""
    monkeypatch.delenv("HARNESS_LEASE_DIR", raising=False)
    monkeypatch.setattr(leases, "COMMON_DIRECTORY", tmp_path)

    def unknown(number: int) -> None:
        raise KeyError(number)

    monkeypatch.setattr("pwd.getpwuid", unknown)

    facts = look()

    assert (facts.directory, facts.named, facts.owner_name) == (tmp_path, False, f"uid {os.getuid()}")
