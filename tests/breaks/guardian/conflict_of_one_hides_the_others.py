"""Break: of several requests none is approved when one cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake import bulk
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_guardian.enums import Action, ProvisionSource
    from harness_guardian.fake.flow import Flow
    from harness_guardian.fake.organisation import Organisation
    from harness_guardian.fake.records import ProvisioningRequest, User

TITLE = "of several requests none is approved when one cannot be"
EXPECTED = (
    "test_bulk.py::test_conflict_of_one_stops_no_other",
    "test_bulk.py::test_provisioning_before_approval",
    "test_bulk.py::test_rejection_after_approval",
    "test_bulk.py::test_500_ids",
)
ABOUT = r"results"


_act = bulk.act


@replaces(bulk, "act")
def act(
    flow: Flow,
    organisation: Organisation,
    user: User,
    door: ProvisionSource,
    action: Action,
    requests: Sequence[ProvisioningRequest | str],
) -> list[bulk.BulkResult]:
    """End at the first one that cannot be."""
    results: list[bulk.BulkResult] = []
    for request in requests:
        results += _act(flow, organisation, user, door, action, [request])
        if not results[-1].ok:
            break
    return results
