"""Break: the index of a store may list files of any name."""

from __future__ import annotations

import re

from harness_pelion import stores
from tests.breaks.support.patching import sets

TITLE = "the index of a store may list files of any name"
NOTICED_BY = (
    "tests/pelion/stores/test_stores.py::test_index_that_leads_elsewhere[paths0]",
    "tests/pelion/stores/test_stores.py::test_index_that_leads_elsewhere[paths1]",
)
ABOUT = r"match|holds no paths"

sets(stores, "_FILE", re.compile(".*"))
