"""What stands behind the paths of a board: another plug makes other nodes, also under the same names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.inventory.board import Board

#: Device, inode and time of change of the node that a path leads to.
Node = tuple[int, int, int]
#: The nodes of several paths; ``None`` for a path where there is none.
DeviceNodes = tuple[Node | None, ...]


def node_at(path: str) -> Node | None:
    """Return the node that a path leads to; ``None`` when there is none.

    It is the target of a link that is looked at: umockdev's preload library ends a process that looks at the
    link of a tty itself while that goes away.

    :param path: the path.
    """
    try:
        status = os.stat(path)  # noqa: PTH116 - it is done for every test
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_ctime_ns


def nodes_of(board: Board) -> DeviceNodes:
    """Return what stands behind the paths of a board's endpoints: another device is another node.

    :param board: the board.
    """
    urls = (endpoint.url for endpoint in board.endpoints.values())
    return tuple(node_at(url) for url in urls if "://" not in url)
