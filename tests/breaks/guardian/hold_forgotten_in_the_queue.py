"""Break: a request that is queued when a hold comes is provisioned all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.enums import Status
from harness_guardian.fake.organisation import Organisation
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.fake.records import Hold

TITLE = "a request that is queued when a hold comes is provisioned all the same"
NOTICED_BY = (
    "tests/guardian/fake/test_waiting.py::test_what_is_queued_is_held_too",
    "tests/guardian/fake/test_waiting.py::test_a_held_request_stays_where_it_is[Automatic-provisioning]",
)
ABOUT = r"status|wait_until_final"


_hold_on = Organisation.hold_on


@replaces(Organisation, "hold_on")
def hold_on(self: Organisation, system: str, status: Status) -> Hold | None:
    """Hold nothing in the status of provisioning."""
    return None if status is Status.PROVISIONING else _hold_on(self, system, status)
