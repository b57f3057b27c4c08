"""Both state machines, as a table (guardian fact sheet, sections 2.1 and 2.2). Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from harness_guardian.enums import Action, ApprovalType, Status
from harness_guardian.fake import refusals

if TYPE_CHECKING:
    from collections.abc import Mapping


class Happening(StrEnum):
    """What moves a request on."""

    CHECKS_PASSED = "checks_passed"
    REFUSED_BY_SYSTEM = "refused_by_system"
    FAILED = "failed"
    TAKEN_FROM_QUEUE = "taken_from_queue"
    APPROVE = "approve"
    APPROVAL_RECORDED = "approval_recorded"
    REJECT = "reject"
    REJECTION_RECORDED = "rejection_recorded"
    PROVISION = "provision"
    SIGNED = "signed"


ORDERS = {
    Action.APPROVE: Happening.APPROVE,
    Action.REJECT: Happening.REJECT,
    Action.PROVISION: Happening.PROVISION,
}
"""What an order of a user is to the machine."""

_BOTH: Mapping[tuple[Status, Happening], Status] = {
    (Status.VERIFYING, Happening.REFUSED_BY_SYSTEM): Status.REJECTED_BY_SYSTEM,
    (Status.VERIFYING, Happening.FAILED): Status.ERROR,
    (Status.PROVISIONING, Happening.FAILED): Status.ERROR,
    (Status.PROVISIONING, Happening.SIGNED): Status.PROVISIONED,
}

TRANSITIONS: Mapping[ApprovalType, Mapping[tuple[Status, Happening], Status]] = {
    ApprovalType.AUTOMATIC: {
        **_BOTH,
        (Status.VERIFYING, Happening.CHECKS_PASSED): Status.AUTO_APPROVED,
        (Status.AUTO_APPROVED, Happening.TAKEN_FROM_QUEUE): Status.PROVISIONING,
    },
    ApprovalType.MANUAL: {
        **_BOTH,
        (Status.VERIFYING, Happening.CHECKS_PASSED): Status.NEEDS_APPROVAL,
        (Status.NEEDS_APPROVAL, Happening.APPROVE): Status.APPROVING,
        (Status.APPROVING, Happening.APPROVAL_RECORDED): Status.COMPLETE_PROVISIONING,
        (Status.NEEDS_APPROVAL, Happening.REJECT): Status.REJECTING,
        (Status.REJECTING, Happening.REJECTION_RECORDED): Status.REJECTED_BY_USER,
        (Status.COMPLETE_PROVISIONING, Happening.PROVISION): Status.PROVISIONING,
    },
}
"""Where every happening leads that is possible; what is not in here changes nothing and is refused."""

ACTIONS: Mapping[Status, tuple[Action, ...]] = {
    Status.NEEDS_APPROVAL: (Action.APPROVE, Action.REJECT),
    Status.COMPLETE_PROVISIONING: (Action.PROVISION,),
}
"""What a user may do with a request of a Manual system."""


def next_status(status: Status, happening: Happening, approval_type: ApprovalType) -> Status:
    """Return where a happening leads.

    :raises Refused: 409, it leads nowhere from this status.
    """
    try:
        return TRANSITIONS[approval_type][status, happening]
    except KeyError:
        text = f"{happening.value.replace('_', ' ')} is not possible in the status {status.value}"
        raise refusals.wrong_state(text) from None
