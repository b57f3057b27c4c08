"""Break: a hardware id fits its pattern when a part of it does."""

from __future__ import annotations

import re

from harness_guardian.fake import checks
from tests.breaks.support.patching import sets

TITLE = "a hardware id fits its pattern when a part of it does"
EXPECTED = ("test_systems.py::test_pattern_of_hardware_ids[xSN-0042-False]",)
ABOUT = r"REJECTED_BY_SYSTEM"


class _Loose:
    """Looks for a pattern anywhere."""

    fullmatch = staticmethod(re.search)


sets(checks, "re", _Loose)
