"""Carries provisioning requests on: through dwells, holds and the work of both phases.

Whatever changes a request's status runs on one loop without a break between looking and changing, so two
users cannot both approve it. A task lives as long as the service is at work on its requests: those that wait
for a user or a device cost nothing.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

from harness_guardian.enums import (
    SYSTEM_ACTOR,
    Action,
    ApprovalType,
    DuplicatePolicy,
    ErrorCode,
    Status,
)
from harness_guardian.fake import checks, machine, verifying
from harness_guardian.fake.checks import Finding
from harness_guardian.fake.machine import Happening
from harness_guardian.fake.records import SEATED, TRANSIENT, ComponentInstance, InstanceState
from harness_guardian.fake.vault_contract import Issued

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from harness_guardian.fake.choices import Choices
    from harness_guardian.fake.organisation import Organisation
    from harness_guardian.fake.records import ProvisioningRequest, User
    from harness_guardian.fake.revocations import Revocations
    from harness_guardian.fake.vault_contract import Issuer, VaultCalls


class Flow:
    """Carries requests on."""

    def __init__(self, vault: VaultCalls, issue: Issuer, choices: Choices, revocations: Revocations) -> None:
        """Begin with nothing to do."""
        self._vault = vault
        self._issue = issue
        self._choices = choices
        self._revocations = revocations
        self._tasks: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """End all that is under way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def is_at_work_on(self, request: ProvisioningRequest) -> bool:
        """Tell whether the service itself has something to do with a request, not a user or a device."""
        if request.status is Status.PROVISIONING:
            return request.certified_profile is None
        return request.status in TRANSIENT

    # What begins something ---------------------------------------------------------------------------

    def begin(self, organisation: Organisation, request: ProvisioningRequest) -> None:
        """Take a request in that was received just now (A1, M1)."""
        request.enter(Status.VERIFYING, at=request.created_at, by=request.uploaded_by)
        self._spawn(self._verify(organisation, request))

    def order(
        self,
        organisation: Organisation,
        requests: Sequence[ProvisioningRequest],
        action: Action,
        user: User,
    ) -> None:
        """Do what an Admin orders (M3, M5, M7), in one moment for all of these requests.

        :param requests: such as :func:`~harness_guardian.fake.bulk.check` has let through.
        """
        at = organisation.clock.seconds()
        of_systems: dict[str, list[ProvisioningRequest]] = {}
        for request in requests:
            _move(request, machine.ORDERS[action], at=at, by=user.name)
            of_systems.setdefault(request.system_name, []).append(request)
        for group in of_systems.values():
            if action is Action.APPROVE:
                self._spawn(self._record_approval(organisation, group, user.name))
            elif action is Action.REJECT:
                self._spawn(self._record_rejection(organisation, group, user.name))
            else:
                for request in group:
                    request.provision_ordered_by = user.name
                    self._spawn(self._provision(organisation, request))

    def complete(self, organisation: Organisation, request: ProvisioningRequest) -> None:
        """Let a request be provisioned whose certified profile is signed (A4, M8)."""
        at, device = organisation.clock.seconds(), request.component_instance
        if device is None:
            raise ValueError("a request without a device cannot be provisioned")
        by = request.provision_ordered_by or SYSTEM_ACTOR
        request.provisioned_at, request.provisioned_by = at, by
        superseded, device.certificates = device.certificates, request.certificates
        device.state = InstanceState.PROVISIONED
        device.open_requests.discard(request.key)
        self._revocations.superseded(organisation, request, superseded)
        self._retire_replaced(organisation, request, device)
        _move(request, Happening.SIGNED, at=at, by=by)

    # Phases ------------------------------------------------------------------------------------------

    async def _verify(self, organisation: Organisation, request: ProvisioningRequest) -> None:
        await self._stay(organisation, request.system_name, Status.VERIFYING)
        finding = await verifying.verify(organisation, request, self._vault, self._choices)
        at = organisation.clock.seconds()
        if finding is not None:
            self._fail(organisation, request, finding)
        elif request.approval_type is ApprovalType.AUTOMATIC:
            _approve(organisation, request, at=at, by=SYSTEM_ACTOR)
            _move(request, Happening.CHECKS_PASSED, at=at, by=SYSTEM_ACTOR)
            await self._stay(organisation, request.system_name, Status.AUTO_APPROVED)
            _move(request, Happening.TAKEN_FROM_QUEUE, at=organisation.clock.seconds(), by=SYSTEM_ACTOR)
            await self._provision(organisation, request)
        else:
            _move(request, Happening.CHECKS_PASSED, at=at, by=SYSTEM_ACTOR)

    async def _record_approval(
        self, organisation: Organisation, requests: Sequence[ProvisioningRequest], user: str
    ) -> None:
        await self._stay(organisation, requests[0].system_name, Status.APPROVING)
        at = organisation.clock.seconds()
        for request in requests:
            _approve(organisation, request, at=at, by=user)
            _move(request, Happening.APPROVAL_RECORDED, at=at, by=user)

    async def _record_rejection(
        self, organisation: Organisation, requests: Sequence[ProvisioningRequest], user: str
    ) -> None:
        await self._stay(organisation, requests[0].system_name, Status.REJECTING)
        at = organisation.clock.seconds()
        for request in requests:
            request.rejected_at, request.rejected_by = at, user
            if request.component_instance is not None:
                request.component_instance.open_requests.discard(request.key)
            _move(request, Happening.REJECTION_RECORDED, at=at, by=user)

    async def _provision(self, organisation: Organisation, request: ProvisioningRequest) -> None:
        system = request.system_name
        while True:
            await self._while_held(organisation, system, Status.PROVISIONING)
            async with organisation.queue:
                if organisation.hold_on(system, Status.PROVISIONING) is not None:
                    continue  # the hold came while the request was queued
                await self._issue_checked(organisation, request)
                return

    async def _issue_checked(self, organisation: Organisation, request: ProvisioningRequest) -> None:
        finding = self._recheck(organisation, request)
        if finding is not None:
            self._fail(organisation, request, finding)
            return
        outcome = await self._issue(self._vault, organisation.clock, request)
        if isinstance(outcome, Issued):
            self._note_issued(organisation, request, outcome)
        else:
            self._fail(organisation, request, Finding(outcome.code, outcome.detail))

    def _recheck(self, organisation: Organisation, request: ProvisioningRequest) -> Finding | None:
        """Check once more what may have changed since the request was verified, and take its place."""
        finding = checks.check_form(request)
        device = request.component_instance
        if finding is not None or device is None:
            return finding
        if request.reprovision:
            return checks.check_signer(device)
        finding = checks.check_initial(organisation, request, verifying.claims_of(request), SEATED)
        if finding is None:
            device.state = InstanceState.PROVISIONING
        return finding

    def _note_issued(self, organisation: Organisation, request: ProvisioningRequest, issued: Issued) -> None:
        request.response_id, request.response_created_at = issued.response_id, issued.created_at
        request.certificates = issued.certificates
        request.certified_profile = issued.certified_profile
        if request.component_instance is not None:
            organisation.add_certificates(request.component_instance, request)
        if request.system is not None and request.system.complete_on_install:
            request.touch()
        else:
            self.complete(organisation, request)

    def _fail(self, organisation: Organisation, request: ProvisioningRequest, finding: Finding) -> None:
        """Let a request end in an error, or a rejection by the system (A5, A6, M9, M10)."""
        at, device = organisation.clock.seconds(), request.component_instance
        if device is not None:
            device.open_requests.discard(request.key)
            if not request.reprovision:
                device.state = InstanceState.FAILED
        happening = Happening.REFUSED_BY_SYSTEM if finding.code is None else Happening.FAILED
        if finding.code is None:
            request.rejected_at, request.rejected_by = at, SYSTEM_ACTOR
        organisation.note(
            "failed",
            request_id=request.id,
            code=None if finding.code is None else finding.code.value,
            detail=finding.detail,
        )
        _move(request, happening, at=at, by=SYSTEM_ACTOR, finding=finding)

    def _retire_replaced(
        self, organisation: Organisation, request: ProvisioningRequest, device: ComponentInstance
    ) -> None:
        """Retire the lost devices whose place a new one takes, if the policy is that it does."""
        component = request.component
        if component is None or component.duplicate_hw_id is not DuplicatePolicy.ALLOW_SAME_INSTANCE:
            return
        for other in organisation.devices_with_hw_id(device.system, component.name, device.hw_id):
            if (
                other is not device
                and other.instance.id == device.instance.id
                and other.state is InstanceState.PROVISIONED
            ):
                other.state = InstanceState.RETIRED
                organisation.note("retired", component_instance_id=other.id)
                self._revocations.revoke(organisation, other.system, other.certificates)

    # Waiting -----------------------------------------------------------------------------------------

    async def _stay(self, organisation: Organisation, system: str, status: Status) -> None:
        """Stay in a transient status as long as is ordered."""
        loop = asyncio.get_running_loop()
        over = loop.create_future()
        timer = loop.call_later(organisation.dwell, over.set_result, None)
        try:
            await over
        finally:
            timer.cancel()
        await self._while_held(organisation, system, status)

    async def _while_held(self, organisation: Organisation, system: str, status: Status) -> None:
        while (hold := organisation.hold_on(system, status)) is not None:
            await hold.released.wait()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Nobody waits for a task: a defect of the fake must not pass unseen.
            context = {"message": "the fake could not carry a request on", "exception": error, "task": task}
            task.get_loop().call_exception_handler(context)


def _move(
    request: ProvisioningRequest,
    happening: Happening,
    *,
    at: float,
    by: str,
    finding: Finding | None = None,
) -> None:
    kind = request.approval_type or ApprovalType.AUTOMATIC  # of an unknown system nothing else is asked
    status = machine.next_status(request.status, happening, kind)
    code: ErrorCode | None = None if finding is None else finding.code
    request.enter(status, at=at, by=by, error_code=code, detail=None if finding is None else finding.detail)


def _approve(organisation: Organisation, request: ProvisioningRequest, *, at: float, by: str) -> None:
    """Record an approval (A2, M4); an initial request gets its component instance now."""
    request.approved_at, request.approved_by = at, by
    if request.component_instance is not None:
        return
    if request.system is None or request.system_instance is None or request.component is None:
        raise ValueError("a request of nothing that is known cannot be approved")
    device = ComponentInstance(
        id=str(uuid.uuid4()),
        system=request.system,
        instance=request.system_instance,
        component_name=request.component.name,
        hw_id=request.hw_id,
        created_at=at,
    )
    device.open_requests.add(request.key)
    organisation.add_device(device)
    request.component_instance = device
