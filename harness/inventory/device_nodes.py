"""What stands behind the paths of a board: another plug makes other nodes, also under the same names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.inventory.board import Board

#: Device, inode and time of change of the node at each path; ``None`` where there is none.
DeviceNodes = tuple[tuple[int, int, int] | None, ...]


def nodes_of(board: Board) -> DeviceNodes:
    """Return what stands behind the paths of a board's endpoints: another device is another node.

    :param board: the board.
    """
    found: list[tuple[int, int, int] | None] = []
    for endpoint in board.endpoints.values():
        if "://" not in endpoint.url:
            try:
                status = os.stat(endpoint.url)  # noqa: PTH116 - it is done for every test
            except OSError:
                found.append(None)
            else:
                found.append((status.st_dev, status.st_ino, status.st_ctime_ns))
    return tuple(found)
