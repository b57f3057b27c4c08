"""Break: a call that changes something is sent again when the service is in trouble."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.backends.http import ServiceHttp
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    import httpx

TITLE = "a call that changes something is sent again when the service is in trouble"
NOTICED_BY = ("tests/backends/test_http.py::test_other_calls_are_not_repeated[POST-503]",)
ABOUT = r"DID NOT RAISE"

before = existing(ServiceHttp, "_patiently")


@replaces(ServiceHttp, "_patiently")
def _patiently(self: ServiceHttp, operation: str, request: httpx.Request) -> httpx.Response:
    """Repeat whatever it is."""
    response: httpx.Response = before(self, operation, request)
    if request.method != "GET" and response.status_code in {502, 503, 504}:
        response = before(self, operation, request)
    return response
