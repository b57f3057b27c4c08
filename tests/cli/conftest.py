"""A command line run in this process, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from harness.cli.main import execute

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Outcome:
    """What a command line did."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run a command line as ``harness ...`` would."""

    def run_command(*arguments: str) -> Outcome:
        capfd.readouterr()
        code = execute(arguments)
        captured = capfd.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run_command
