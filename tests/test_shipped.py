"""Where shipped files are found: in a source tree and in a wheel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.errors import UsageError
from harness.shipped import shipped_directory, shipped_suites

if TYPE_CHECKING:
    from pathlib import Path


def test_source_tree_has_them_beside_the_package(tmp_path: Path) -> None:
    """In a source tree the directories lie beside the package."""
    (tmp_path / "harness").mkdir()
    (tmp_path / "boards").mkdir()

    assert shipped_directory("boards", package=tmp_path / "harness") == tmp_path / "boards"


def test_wheel_has_them_inside_the_package(tmp_path: Path) -> None:
    """In a wheel they lie inside, and a stranger's directory beside the package is not taken for ours."""
    (tmp_path / "harness" / "boards").mkdir(parents=True)
    (tmp_path / "boards").mkdir()

    assert shipped_directory("boards", package=tmp_path / "harness") == tmp_path / "harness" / "boards"


def test_missing_directory_is_a_usage_error(tmp_path: Path) -> None:
    """A broken installation is told as such."""
    with pytest.raises(
        UsageError, match=r"suites: this installation lacks its directory; expected .*install"
    ):
        shipped_directory("suites", package=tmp_path)


def test_suites_are_the_directories_with_tests(tmp_path: Path) -> None:
    """A directory without a test is no suite."""
    for name in ("one", "two"):
        (tmp_path / "suites" / name).mkdir(parents=True)
    (tmp_path / "suites" / "one" / "test_it.py").touch()
    (tmp_path / "suites" / "expected.toml").touch()

    assert list(shipped_suites(package=tmp_path / "harness")) == ["one"]


def test_nrfcloud_is_shipped() -> None:
    """The suites of the first service are there."""
    assert "nrfcloud" in shipped_suites()
