"""Break: the places of a system instance are counted before its hardware ids are compared."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness_guardian.enums import DuplicatePolicy
from harness_guardian.fake import checks
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from collections.abc import Collection

    from harness_guardian.fake.checks import Claims, Finding
    from harness_guardian.fake.organisation import Organisation
    from harness_guardian.fake.records import InstanceState, ProvisioningRequest

TITLE = "the places of a system instance are counted before its hardware ids are compared"
NOTICED_BY = (
    "tests/guardian/fake/test_checks_order.py::test_initial_neighbours[hardware id taken, ward full]",
    "tests/guardian/fake/test_instances.py::test_what_only_waits_for_approval_does_not_count",
)
ABOUT = r"outcome"


_check_initial = checks.check_initial


@replaces(checks, "check_initial")
def check_initial(
    organisation: Organisation,
    request: ProvisioningRequest,
    claims: Claims,
    states: Collection[InstanceState],
) -> Finding | None:
    """Look at the places as if any hardware id were welcome, and then as it should be."""
    welcome = replace(claims.component, duplicate_hw_id=DuplicatePolicy.ALLOW)
    early = _check_initial(organisation, request, replace(claims, component=welcome), states)
    return early or _check_initial(organisation, request, claims, states)
