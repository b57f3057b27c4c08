"""Breaks of one kind: where the fake means one error code it says the next one of the list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.enums import ErrorCode
from harness_guardian.fake.checks import Finding
from harness_guardian.fake.flow import Flow
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_guardian.fake.organisation import Organisation
    from harness_guardian.fake.records import ProvisioningRequest


def confuse(code: ErrorCode) -> None:
    """Let every request that would fail with a code fail with the next one of the seed's list."""
    codes = list(ErrorCode)
    wrong = codes[(codes.index(code) + 1) % len(codes)]
    before = existing(Flow, "_fail")

    @replaces(Flow, "_fail")
    def _fail(self: Flow, organisation: Organisation, request: ProvisioningRequest, finding: Finding) -> None:
        said = Finding(wrong, finding.detail) if finding.code is code else finding
        before(self, organisation, request, said)
