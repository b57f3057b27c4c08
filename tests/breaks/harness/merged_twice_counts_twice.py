"""Break: a history that is merged once more is taken for sessions of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.history import merging
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    import sqlite3

TITLE = "a history that is merged once more is taken for sessions of its own"
NOTICED_BY = (
    "tests/history/test_merging.py::test_merging",
    "tests/history/test_merging.py::test_order_does_not_matter",
    "tests/history/test_merging.py::test_history_that_has_grown",
)
ABOUT = r"merge_from\(history, other\) == Merged|wholes\[0\] == wholes\[1\]"


@replaces(merging, "_number_of_session")
def number_of_session(database: sqlite3.Connection, name: str, began: float) -> int:
    """Begin another one whenever it is there already."""
    (known,) = database.execute("SELECT count(*) FROM sessions WHERE id = ?", (name,)).fetchone()
    row = database.execute(
        "INSERT INTO sessions (id, began) VALUES (?, ?) RETURNING number", (name, began + known)
    ).fetchone()
    return int(row[0])
