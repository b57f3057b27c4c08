"""Break: files of the team store can be read by their owner only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.store_files import Rights
from tests.breaks.support.patching import sets

if TYPE_CHECKING:
    from pathlib import Path

TITLE = "the group of a team cannot read its store"
NOTICED_BY = ("tests/pelion/stores/test_rights.py::test_modes[*",)
ABOUT = r"mode"


def of_team(cls: type[Rights], store: Path) -> Rights:
    """Trust nobody."""
    return cls(directory=0o700, file=0o600)


sets(Rights, "of_team", classmethod(of_team))
