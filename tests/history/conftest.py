"""A history of the test's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.history.store import History

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the history is going to be."""
    return tmp_path / "history.sqlite3"


@pytest.fixture
def history(file: Path) -> Iterator[History]:
    """An empty history."""
    with History(file) as history:
        yield history
