"""Rows for measurements of lists: many, fast, and honestly without what makes a request one."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from harness_guardian.enums import ApprovalType, ErrorCode, ProvisionSource, Status
from harness_guardian.fake.envelopes import Envelope
from harness_guardian.fake.records import ProvisioningRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness_guardian.fake.organisation import Organisation
    from harness_guardian.fake.records import System

_SHAPES = (
    (Status.PROVISIONED,) * 5
    + (Status.NEEDS_APPROVAL,) * 2
    + (Status.COMPLETE_PROVISIONING, Status.REJECTED_BY_USER, Status.ERROR)
)
"""Of ten rows that are made for measurements."""


def rows_for_measurements(
    organisation: Organisation, system: System, first: int, count: int
) -> Iterator[ProvisioningRequest]:
    """Make rows as they would be of a Manual system, but without any request, signature or device.

    :param first: number of the first one.
    """
    components = list(system.components.values())
    instances = list(system.instances.values())
    empty = Envelope(payload={}, fault="made for measurements: there is no signature")
    for number in range(first, first + count):
        at = organisation.clock.seconds()
        component, instance = components[number % len(components)], instances[number % len(instances)]
        row = ProvisioningRequest(
            number=number,
            id=str(uuid.uuid4()),
            organisation=organisation.name,
            door=ProvisionSource.CLOUD,
            content=b"",
            media_type="",
            uploaded_by="anna",
            created_at=at,
            envelope=empty,
            payload=None,
            nonce=None,
            replayed=False,
            system_name=system.name,
            system_instance_name=instance.name,
            system_instance_id=instance.id,
            component_name=component.name,
            hw_id=f"MEASURED-{number:08d}",
            approval_type=ApprovalType.MANUAL,
            system=system,
            system_instance=instance,
            component=component,
        )
        _pass_statuses(row, _SHAPES[number % len(_SHAPES)], at)
        yield row


def _pass_statuses(row: ProvisioningRequest, end: Status, at: float) -> None:
    """Let a row pass every status on the way to one of a Manual system."""
    ways: tuple[Status, ...]
    if end is Status.ERROR:
        ways = (Status.VERIFYING, end)
    elif end is Status.REJECTED_BY_USER:
        ways = (Status.VERIFYING, Status.NEEDS_APPROVAL, Status.REJECTING, end)
        row.rejected_at, row.rejected_by = at, "anna"
    else:
        ways = _APPROVED[: _APPROVED.index(end) + 1]
    if Status.COMPLETE_PROVISIONING in ways:
        row.approved_at, row.approved_by = at, "anna"
    if end is Status.PROVISIONED:
        row.provisioned_at, row.provisioned_by = at, "anna"
        row.response_id, row.response_created_at = str(uuid.uuid4()), at
    for status in ways:
        code = ErrorCode.MISSING_PR_SIGNER_KEY if status is Status.ERROR else None
        row.enter(status, at=at, by="anna", error_code=code)


_APPROVED = (
    Status.VERIFYING,
    Status.NEEDS_APPROVAL,
    Status.APPROVING,
    Status.COMPLETE_PROVISIONING,
    Status.PROVISIONING,
    Status.PROVISIONED,
)
