"""Break: files of the team store can be read by everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.store_files import Rights
from tests.breaks.support.patching import sets

if TYPE_CHECKING:
    from pathlib import Path

TITLE = "files of the team store can be read by everybody"
NOTICED_BY = ("tests/pelion/stores/test_rights.py::test_modes[*",)
ABOUT = r"mode"


def of_team(cls: type[Rights], store: Path) -> Rights:
    """Hide nothing."""
    return cls(directory=0o755, file=0o644)


sets(Rights, "of_team", classmethod(of_team))
