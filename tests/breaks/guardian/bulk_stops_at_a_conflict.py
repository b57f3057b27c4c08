"""Break: a bulk action ends at the first request that is in another state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake import bulk
from harness_guardian.fake.refusals import Refused, wrong_state
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_guardian.enums import Action, ProvisionSource
    from harness_guardian.fake.bulk import BulkResult
    from harness_guardian.fake.flow import Flow
    from harness_guardian.fake.organisation import Organisation
    from harness_guardian.fake.records import ProvisioningRequest, User

TITLE = "a bulk action ends at the first request that is in another state"
NOTICED_BY = ("tests/guardian/fake/test_lists_api.py::test_bulk_by_ids",)
ABOUT = r"results|ok"

_act = existing(bulk, "act")


@replaces(bulk, "act")
def act(
    flow: Flow,
    organisation: Organisation,
    user: User,
    door: ProvisionSource,
    action: Action,
    requests: Sequence[ProvisioningRequest | str],
) -> list[BulkResult]:
    """Do nothing with those behind it."""
    for number, request in enumerate(requests):
        try:
            if not isinstance(request, str):
                bulk.check(user, door, request, action)
        except Refused:
            done: list[BulkResult] = _act(flow, organisation, user, door, action, requests[:number])
            left = [each if isinstance(each, str) else each.id for each in requests[number:]]
            problem = wrong_state("one before it is in another state")
            return done + [bulk.BulkResult(id=each, status=None, problem=problem) for each in left]
    everything: list[BulkResult] = _act(flow, organisation, user, door, action, requests)
    return everything
