"""``harness profile check``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.shipped import shipped_directory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_good_profiles_are_listed(run: Callable[..., Any]) -> None:
    """Each profile of a directory is a line."""
    outcome = run("profile", "check", str(shipped_directory("boards")))

    assert outcome.code == 0
    assert len(outcome.out.splitlines()) == 12
    assert "thingy91x: Thingy:91 X, driver nrf91, endpoints console\n" in outcome.out


def test_twin_may_be_checked_alone(run: Callable[..., Any]) -> None:
    """One file is checked by itself, although it names another profile."""
    assert run("profile", "check", str(shipped_directory("boards") / "thingy91-virtual.toml")).code == 0


def test_mistake_is_shown(run: Callable[..., Any], tmp_path: Path) -> None:
    """A mistake is one line with file, key and the nearest key."""
    file = tmp_path / "mine.toml"
    file.write_text('title = "Mine"\nvendor = "Me"\ndrivr = "x"\n[endpoints.console]\ninterface = 0\n')

    outcome = run("profile", "check", str(file))

    assert outcome.code == 4
    assert outcome.err == f"harness: {file}: drivr: unknown key; expected driver (the nearest key)\n"


def test_directory_without_profiles_is_refused(run: Callable[..., Any], tmp_path: Path) -> None:
    """Nothing checked is not the same as nothing wrong."""
    outcome = run("profile", "check", str(tmp_path))

    assert outcome.code == 4
    assert "no profile here" in outcome.err
