"""Break: a call that is answered by an error makes the certificate all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.fake import doors
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from harness_pelion.fake.doors import Call, Caller
    from harness_pelion.fake.faults import Fault

TITLE = "a call that is answered by an error makes a certificate all the same"
EXPECTED = (
    "test_api.py::test_call_goes_wrong[500]",
    "test_api.py::test_call_goes_wrong[503]",
)
ABOUT = r"find_developer_certificate|is None"
SEPARATE = True  # what is made is left behind

before = existing(doors, "_strike")


@replaces(doors, "_strike")
async def _strike(fault: Fault, request: Request, call: Call, caller: Caller) -> Response:
    """Do it, and then say that it was not done."""
    if fault.kind == "status" and not caller.account.certificates:
        await call(request, caller)
    answer: Response = await before(fault, request, call, caller)
    return answer
