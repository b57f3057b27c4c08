"""Both state machines: every status with everything that can happen, against the fact sheet's tables."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness_guardian.enums import Action, ApprovalType, Status
from harness_guardian.fake.machine import ACTIONS, Happening, next_status
from harness_guardian.fake.records import FINAL
from harness_guardian.fake.refusals import Refused

#: Guardian fact sheet, section 2.1, A2 to A6.
AUTOMATIC = """
verifying      checks_passed      auto_approved
verifying      refused_by_system  rejected_by_system
verifying      failed             error
auto_approved  taken_from_queue   provisioning
provisioning   signed             provisioned
provisioning   failed             error
"""
#: Guardian fact sheet, section 2.2, M2 to M10.
MANUAL = """
verifying              checks_passed       needs_approval
verifying              refused_by_system   rejected_by_system
verifying              failed              error
needs_approval         approve             approving
needs_approval         reject              rejecting
approving              approval_recorded   complete_provisioning
rejecting              rejection_recorded  rejected_by_user
complete_provisioning  provision           provisioning
provisioning           signed              provisioned
provisioning           failed              error
"""
#: What a request may pass, as the seed draws it; errors may come while it is verified or provisioned.
WAYS = {
    ApprovalType.AUTOMATIC: (
        "verifying (error|rejected_by_system|auto_approved provisioning (provisioned|error))"
    ),
    ApprovalType.MANUAL: (
        "verifying (error|rejected_by_system|needs_approval (rejecting rejected_by_user"
        "|approving complete_provisioning provisioning (provisioned|error)))"
    ),
}
TYPES = st.sampled_from(ApprovalType)


def table(text: str) -> dict[tuple[str, str], str]:
    """Read a table of the fact sheet."""
    rows = [line.split() for line in text.split("\n") if line]
    return {(status, happening): after for status, happening, after in rows}


@pytest.mark.parametrize(
    ("kind", "text"), [(ApprovalType.AUTOMATIC, AUTOMATIC), (ApprovalType.MANUAL, MANUAL)]
)
def test_every_status_with_every_happening(kind: ApprovalType, text: str) -> None:
    """What the tables have leads where they say; every other pair is refused with 409."""
    wanted = table(text)
    for status in Status:
        for happening in Happening:
            expected = wanted.pop((status, happening), None)
            if expected is not None:
                assert next_status(status, happening, kind) == expected
                continue
            with pytest.raises(Refused) as refusal:
                next_status(status, happening, kind)
            assert (refusal.value.status, refusal.value.slug) == (409, "wrong-state")
            assert status in refusal.value.detail
    assert wanted == {}


@settings(deadline=None)
@given(kind=TYPES, happenings=st.lists(st.sampled_from(Happening), max_size=40))
def test_whatever_happens_a_request_goes_a_way_of_the_seed(
    kind: ApprovalType, happenings: list[Happening]
) -> None:
    """In any order of happenings a request passes statuses as the seed draws them, and ends once."""
    status, ways = Status.VERIFYING, [Status.VERIFYING.value]
    for happening in happenings:
        try:
            status = next_status(status, happening, kind)
        except Refused:
            continue
        ways.append(status.value)
    whole = re.compile(WAYS[kind])
    assert any(whole.fullmatch(way) for way in _completions(ways, kind))
    assert sum(each in FINAL for each in ways) <= 1


def _completions(ways: list[str], kind: ApprovalType) -> list[str]:
    """Return a way to the end, or the ways of which what was passed is the beginning."""
    if ways[-1] in FINAL:
        return [" ".join(ways)]
    return [
        way
        for status, happening in table(AUTOMATIC if kind is ApprovalType.AUTOMATIC else MANUAL)
        if status == ways[-1]
        for way in _completions([*ways, next_status(Status(status), Happening(happening), kind)], kind)
    ]


@pytest.mark.parametrize("status", Status)
def test_what_is_offered_is_what_is_possible(status: Status) -> None:
    """The buttons of a status are the orders that a Manual system takes in it: no more and no fewer."""
    possible = []
    for action in Action:
        try:
            next_status(status, Happening(action.value), ApprovalType.MANUAL)
        except Refused:
            continue
        possible.append(action)
    assert list(ACTIONS.get(status, ())) == possible
