"""Break: the shell ends the lines of a credential with LF alone."""

from __future__ import annotations

from harness_nordic.virtual import shell_firmware
from tests.breaks.support.patching import existing, replaces

TITLE = "the shell ends the lines of a credential with LF alone"
EXPECTED = (
    "test_shell_discipline.py::test_line_ends_of_a_certificate[*at-shell*",
    "test_shell_discipline.py::test_long_credential[*at-shell*",
)
ABOUT = r"held|pem_digest"

before = existing(shell_firmware, "_as_written")


@replaces(shell_firmware, "_as_written")
def _as_written(command: str) -> str:
    """Leave the carriage returns out."""
    written: str = before(command)
    return written.replace("\r\n", "\n")
