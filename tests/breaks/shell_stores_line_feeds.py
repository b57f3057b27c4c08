"""Break: the shell makes bare line feeds of the line breaks that are typed to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.virtual.credentials import CredentialStore
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.enums import CredentialType

TITLE = "the shell makes bare line feeds of the line breaks that are typed to it"
EXPECTED = (
    "test_shell_discipline.py::test_line_ends_of_a_certificate[at-shell]",
    "test_shell_discipline.py::test_long_credential[at-shell]",
    "test_shell_provisioning.py::test_every_type_of_command[host-at-shell]",
)
ABOUT = r"pem_digest|as_written|held"

before = existing(CredentialStore, "write")


@replaces(CredentialStore, "write")
def write(self: CredentialStore, tag: int, kind: CredentialType, content: str, password: str = "") -> None:
    """Write LF for CR LF."""
    before(self, tag, kind, content.replace("\r\n", "\n"), password)
