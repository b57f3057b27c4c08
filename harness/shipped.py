"""Where the profiles and suites are that travel with the harness.

In a wheel they lie inside the package (``harness/boards``, ``harness/suites``); in a source tree, which an
editable install points at, beside it. This module is the one place that knows.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from harness.errors import UsageError

PACKAGE = Path(__file__).resolve().parent


def shipped_directory(name: Literal["boards", "suites"], *, package: Path = PACKAGE) -> Path:
    """Return a directory that is shipped with the harness.

    :param name: which one.
    :param package: directory of the package ``harness``.
    :raises UsageError: the installation lacks it.
    """
    for base in (package, package.parent):
        if (base / name).is_dir():
            return base / name
    raise UsageError(
        "this installation lacks its directory",
        file=package,
        key=name,
        expected=f"{package / name} or {package.parent / name}; install provisioning-harness anew",
    )


def shipped_suites(*, package: Path = PACKAGE) -> dict[str, Path]:
    """Return the directories of the shipped suites by name.

    :raises UsageError: the installation lacks them.
    """
    root = shipped_directory("suites", package=package)
    return {path.name: path for path in sorted(root.iterdir()) if any(path.glob("test_*.py"))}
