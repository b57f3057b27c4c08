"""The third party's door: a vendor's own package, of which we know nothing, is installed, found and used."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.measuring import unmeasured

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
DEADLINE = 120
SUITE = ("pytest", "suite", "-p", "no:cacheprovider", "--bench", "virtual", "--backend", "acme=fake")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory into which pip has installed the vendor's package."""
    source = tmp_path_factory.mktemp("acme") / "package"
    shutil.copytree(HERE / "package", source)
    target = source.parent / "site"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
    subprocess.run(
        [*pip, "--no-index", "--no-build-isolation", "--target", str(target), str(source)],
        check=True,
        timeout=DEADLINE,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    return target


@pytest.fixture
def command(site: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a program of the environment in which the vendor's package is installed."""
    shutil.copytree(HERE / "suite", tmp_path / "suite")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-P", "-m", *arguments],
            cwd=tmp_path,
            env={**unmeasured(os.environ), "PYTHONPATH": str(site)},
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )

    return run


def test_package_is_installed_out_of_tree(site: Path) -> None:
    """The vendor's package is a distribution like any other, with its profile inside."""
    assert (site / "harness_acme" / "boards" / "acme-lamp-virtual.toml").is_file()
    assert list(site.glob("harness_acme-1.0.dist-info/entry_points.txt"))


def test_suite_runs_on_the_vendors_board_and_service(
    command: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    """A suite runs with the vendor's kind of board, driver and service, on two boards with a worker each."""
    done = command(*SUITE, "--boards", "acme-lamp-virtual=2", "-n", "auto", "--strict-boards")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
    assert "acme-lamp-virtual" in done.stdout


def test_wrong_badge_is_noticed(
    command: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    """The suite really looks at the board: a driver that stores nothing fails it."""
    (tmp_path / "suite" / "conftest.py").write_text(
        "from harness_acme.driver import LampDriver\nLampDriver.wear = lambda self, badge: None\n"
    )
    done = command(*SUITE, "--boards", "acme-lamp-virtual=1")

    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 2 passed" in done.stdout


def test_command_line_knows_the_vendor(command: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """The vendor's service and commands are part of ``harness``."""
    harness = ("harness.cli",)

    assert "acme: Acme Cloud, with a fake" in command(*harness, "backend", "list").stdout
    assert command(*harness, "acme", "colours").stdout == "amber\nblue\n"
