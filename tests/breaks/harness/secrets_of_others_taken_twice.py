"""Break: two threads of a process take the same secrets of others, and lose their place among them."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from harness.redaction.sharing import SharedSecrets
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness.redaction import Redactor

TITLE = "two threads of a process take the same secrets of others, and lose their place among them"
NOTICED_BY = ("tests/redaction/test_sharing.py::test_threads_that_redact_at_once*",)
ABOUT = r"problems == \[\]"

_begin = SharedSecrets.__init__


@replaces(SharedSecrets, "__init__")
def begin(self: SharedSecrets, descriptor: int, path: str, redactor: Redactor) -> None:
    """Let any number of threads take at once."""
    _begin(self, descriptor, path, redactor)
    self._taking = nullcontext()  # type: ignore[assignment]  # whoever takes waits for nobody
