"""Break: files of the user store can be read by everybody."""

from __future__ import annotations

from harness_pelion.store_files import Rights
from tests.breaks.support.patching import sets

TITLE = "files of the user store, the API key among them, have mode 0644"
NOTICED_BY = ("tests/pelion/stores/test_rights.py::test_modes[*",)
ABOUT = r"mode"


def private(cls: type[Rights]) -> Rights:
    """Hide nothing."""
    return cls(directory=0o755, file=0o644)


sets(Rights, "private", classmethod(private))
