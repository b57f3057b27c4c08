"""A process in a virtual USB lab that watches all boards there, and tells what it sees in lines of JSON.

Run with the lab's environment as ``python -m tests.inventory.watcher [--late]``; it ends with its input.
Each line has the time at which it was told (``time.monotonic``, which all processes of a host share).
"""

from __future__ import annotations

import json
import sys
import time

from harness.config import Settings
from harness.inventory.board_news import Lost, News
from harness.inventory.board_watch import BoardWatch
from harness.inventory.builtin import survey
from harness.inventory.identity import ask_boards, confirm
from harness.inventory.serial_ports import connect_to_udev
from harness.plugins import load_plugins


def say(**facts: object) -> None:
    """Print one line."""
    sys.stdout.write(json.dumps({"at": time.monotonic(), **facts}) + "\n")
    sys.stdout.flush()


def tell(news: News) -> None:
    """Print what is told of a board."""
    what = type(news).__name__
    if isinstance(news, Lost):
        say(what=what, id=news.board_id, reason=news.reason)
        return
    board = news.board
    ports = {role: endpoint.url for role, endpoint in board.endpoints.items()}
    say(what=what, id=board.id, identity=board.identity, ports=ports, reason=getattr(news, "reason", None))


def main() -> None:
    """Watch until the input ends."""
    plugins = load_plugins()
    boards = confirm(ask_boards(survey(plugins, None).boards, plugins), None).boards
    with BoardWatch(boards, plugins, Settings(), late="--late" in sys.argv, tell=tell):
        udev = connect_to_udev() is not None
        say(what="ready", ids={board.identity: board.id for board in boards}, udev=udev)
        sys.stdin.read()


if __name__ == "__main__":
    main()
