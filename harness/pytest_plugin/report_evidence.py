"""What a test leaves for its report: where its consoles stood, and what plugins attach to its failure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.pytest_plugin.state import CONSOLE_MARKS_KEY

if TYPE_CHECKING:
    import pytest

    from harness.inventory.leased_board import LeasedBoard
    from harness.pytest_plugin.state import ActiveSession


def console_marks(item: pytest.Item, board: LeasedBoard) -> dict[str, int]:
    """Return where each console of a board stood when a test began, by role."""
    nowhere: dict[str, dict[str, int]] = {}
    return item.stash.get(CONSOLE_MARKS_KEY, nowhere).get(board.id, {})


def collected_evidence(session: ActiveSession, board: LeasedBoard, item: pytest.Item) -> dict[str, bytes]:
    """Return what plugins attach to a failed test; one that fails leaves its complaint instead."""
    try:
        given = session.plugins.hook.harness_collect_evidence(board=board, item=item)
        return {
            Path(name).name: memoryview(content).tobytes()
            for contents in given
            for name, content in contents.items()
        }
    except Exception as error:  # noqa: BLE001 - whatever a vendor's plugin does, the test has its report
        complaint = f"{type(error).__name__}: {error}"
        return {"evidence-failed.txt": complaint.encode("utf-8", "backslashreplace")}
