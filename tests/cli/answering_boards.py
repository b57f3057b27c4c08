"""A plugin for tests: boards of kind ``toy`` say who they are as a file has it, and nothing is opened.

The file ``answers.json`` holds what is said, by port; a port that is not in it keeps silent.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ConsoleTimeout

if TYPE_CHECKING:
    from harness.console import Console
    from harness.inventory.board import Board

DIRECTORY = "TOYS"
KIND = """
title = "{name}"
vendor = "Us"
driver = "{name}"
[[usb]]
vid = {vid}
[endpoints.console]
interface = 0
"""
KINDS = {"toy": 1, "mute": 2}


def harness_board_profiles() -> list[Path]:
    """Give the kinds."""
    directory = Path(os.environ[DIRECTORY])
    files = {directory / f"{name}.toml": KIND.format(name=name, vid=vid) for name, vid in KINDS.items()}
    for file, text in files.items():
        file.write_text(text)
    return list(files)


def harness_identify_board(board: Board, console: Console) -> str | None:
    """Say what the file says."""
    if board.driver != "toy":
        return None
    answers = json.loads((Path(os.environ[DIRECTORY]) / "answers.json").read_text())
    url = console._endpoint.url  # type: ignore[attr-defined]  # nothing else tells which port is asked
    if url not in answers:
        raise ConsoleTimeout(f"{url} keeps silent")
    return str(answers[url])
