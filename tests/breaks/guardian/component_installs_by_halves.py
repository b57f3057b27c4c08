"""Break: a component installs a certified profile record by record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.virtual.storage import SecureStorage
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Mapping

TITLE = "a certified profile is installed record by record"
EXPECTED = ("test_power_cuts.py::test_installation[*", "test_power_cuts.py::test_further_installation[*")
ABOUT = r"cut_at_each"

before = existing(SecureStorage, "commit")


@replaces(SecureStorage, "commit")
def commit(self: SecureStorage, changes: Mapping[str, bytes | None], *, installing: bool = False) -> None:
    """Write one record after the other."""
    for name, content in changes.items():
        before(self, {name: content}, installing=installing)
