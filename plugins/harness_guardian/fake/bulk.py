"""Orders of users about provisioning requests, one or several (guardian fact sheet, sections 2.2 and 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness_guardian.enums import ApprovalType
from harness_guardian.fake import machine, refusals
from harness_guardian.fake.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_guardian.enums import Action, ProvisionSource, Status
    from harness_guardian.fake.flow import Flow
    from harness_guardian.fake.organisation import Organisation
    from harness_guardian.fake.records import ProvisioningRequest, User


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkResult:
    """What became of one request of several.

    :ivar status: that it has now; ``None`` when there is no such request.
    :ivar problem: why nothing was done with it; ``None`` when it was.
    """

    id: str
    status: Status | None
    problem: Refused | None

    @property
    def ok(self) -> bool:
        """Whether the order counts."""
        return self.problem is None


def check(user: User, door: ProvisionSource, request: ProvisioningRequest, action: Action) -> None:
    """Check that an Admin may give an order now.

    :raises Refused: 404, another organisation's request; 422, nobody decides in an Automatic system; 409, it
        came in at the other door, or its status does not allow it.
    """
    if request.organisation != user.organisation:
        raise refusals.not_found(f"there is no provisioning request {request.id!r}")
    if request.approval_type is ApprovalType.AUTOMATIC:
        raise refusals.automatic_approval(f"the system {request.system_name!r} approves automatically")
    if request.door is not door:
        raise refusals.wrong_door(f"the request came in at the {request.door.value}, which acts on it")
    machine.next_status(request.status, machine.ORDERS[action], ApprovalType.MANUAL)


def act(
    flow: Flow,
    organisation: Organisation,
    user: User,
    door: ProvisionSource,
    action: Action,
    requests: Sequence[ProvisioningRequest | str],
) -> list[BulkResult]:
    """Give an order for several requests: for those that it is possible for, all in one moment.

    :param requests: in the order of the results; a text is an id that there is no request of.
    """
    problems: list[Refused | None] = []
    possible: dict[tuple[ProvisionSource, str], ProvisioningRequest] = {}
    for request in requests:
        try:
            if isinstance(request, str):
                raise refusals.not_found(f"there is no provisioning request {request!r}")
            check(user, door, request, action)
            if request.key in possible:
                raise refusals.wrong_state("it is named more than once")
        except Refused as refused:
            problems.append(refused)
        else:
            problems.append(None)
            possible[request.key] = request
    flow.order(organisation, list(possible.values()), action, user)
    return [
        BulkResult(id=request, status=None, problem=problem)
        if isinstance(request, str)
        else BulkResult(id=request.id, status=request.status, problem=problem)
        for request, problem in zip(requests, problems, strict=True)
    ]
