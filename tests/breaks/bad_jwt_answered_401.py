"""Break: a device whose JWT does not verify is told that it is not claimed."""

from __future__ import annotations

from harness_nordic.fake import jwt
from harness_nordic.fake.refusals import NotAuthenticated
from tests.breaks.support.patching import sets

TITLE = "a device whose JWT does not verify is told that it is not claimed"
EXPECTED = (
    "test_execution.py::test_forged_jwt",
    "test_execution.py::test_expired_jwt",
)
ABOUT = r"403"

sets(jwt, "BadCredentials", NotAuthenticated)
