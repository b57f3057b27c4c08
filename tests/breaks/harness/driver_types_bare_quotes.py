"""Break: the driver types a quotation mark to a shell as it is."""

from __future__ import annotations

from harness_nordic import driver_shell
from tests.breaks.support.patching import existing, replaces

TITLE = "the driver types a quotation mark to a shell as it is"
NOTICED_BY = ("tests/nordic/test_driver_shell.py::test_typed_lines*it's*",)
ABOUT = r"typed"

before = existing(driver_shell, "typed")


@replaces(driver_shell, "typed")
def typed(command: str) -> str:
    """Escape nothing."""
    line: str = before(command)
    return line.replace("\\'", "'")
