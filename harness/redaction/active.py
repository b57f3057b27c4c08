"""The redactor of a session in this process: errors of the harness have their texts redacted by it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.redaction.redactor import Redactor


@contextmanager
def protect_messages(redactor: Redactor) -> Iterator[None]:
    """Redact the text of every error of the harness that is made until the ``with`` ends, in any thread."""
    before = HarnessError.clean
    HarnessError.clean = staticmethod(redactor.redact)
    try:
        yield
    finally:
        HarnessError.clean = before
