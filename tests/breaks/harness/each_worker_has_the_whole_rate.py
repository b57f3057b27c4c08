"""Break: each worker asks a service as fast as all of them may together."""

from __future__ import annotations

import os

from harness_nordic import client_access
from tests.breaks.support.patching import existing, replaces

TITLE = "each worker asks a service as fast as all of them may together"
NOTICED_BY = ("tests/nordic/client/test_access.py::test_rate_is_shared_by_the_workers",)
ABOUT = r"waits"

before = existing(client_access, "_requests_per_second")


@replaces(client_access, "_requests_per_second")
def _requests_per_second(url: str) -> float:
    """Know of no other worker."""
    workers = os.environ.pop("PYTEST_XDIST_WORKER_COUNT", None)
    try:
        rate: float = before(url)
    finally:
        if workers is not None:
            os.environ["PYTEST_XDIST_WORKER_COUNT"] = workers
    return rate
