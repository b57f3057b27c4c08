"""The histories of several runners made one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.history.merging import merge_from
from harness.history.store import History

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def merge_histories(target: Path, files: Sequence[Path]) -> int:
    """Make a history of all that is in several.

    :param target: the file to make.
    :param files: the histories, which stay as they are. What several of them have is in the new one once.
    :return: how many attempts are in it.
    :raises UsageError: one of them is no history, or is damaged.
    """
    with History(target) as history:
        return sum(merge_from(history, file).attempts for file in files)
