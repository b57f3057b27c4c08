"""Break: the shared check of Pelion's suites does not mind the temporary folder."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness_pelion import agreement
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness_pelion.agreement_evidence import AccountEvidence, BoardEvidence

TITLE = "the shared check does not see a temporary folder that was left"
NOTICED_BY = ("tests/pelion/test_together.py::test_folder_left_behind_disagrees",)
ABOUT = r"folder"

before = existing(agreement, "_board")


@replaces(agreement, "_board")
def _board(board: BoardEvidence, evidence: AccountEvidence) -> Iterator[str]:
    """Look away."""
    yield from before(replace(board, folder=False), evidence)
