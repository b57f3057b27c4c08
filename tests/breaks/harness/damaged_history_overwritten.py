"""Break: a history that is damaged is replaced by an empty one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.history import store
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

TITLE = "a history that is damaged is replaced by an empty one"
NOTICED_BY = (
    "tests/history/test_files.py::test_damaged_file_is_left_alone[False-*",
    "tests/history/test_files.py::test_database_of_others_is_left_alone",
    "tests/history/test_files.py::test_history_of_another_version",
    "tests/pytest_plugin/test_past.py::test_damaged_default_is_in_nobodys_way",
)
ABOUT = r"DID NOT RAISE|for line in header"


before = existing(store, "open_to_write")


@replaces(store, "open_to_write")
def open_to_write(file: Path) -> sqlite3.Connection:
    """Begin anew where the old one cannot be read."""
    try:
        connection: sqlite3.Connection = before(file)
    except UsageError:
        file.unlink()
        connection = before(file)
    return connection
