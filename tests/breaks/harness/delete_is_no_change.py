"""Break: a dry run takes a deletion for a call that only reads."""

from __future__ import annotations

from harness.backends import http
from tests.breaks.support.patching import sets

TITLE = "a dry run takes a deletion for a call that only reads"
NOTICED_BY = ("tests/backends/test_pacing.py::test_change_that_is_not_allowed",)
ABOUT = r"DID NOT RAISE|announced"

sets(http, "_READING", frozenset({"GET", "HEAD", "DELETE"}))
