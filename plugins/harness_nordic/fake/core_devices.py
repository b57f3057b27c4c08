"""What the rest of nRF Cloud knows of devices: those that are onboarded, whoever has claimed them.

Nothing here knows claims, provisioning tags or provisioning rules: the two halves of nRF Cloud share nothing
but the team (nrfcloud fact sheet, sections 2.6 and 2.10).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness_nordic.fake.refusals import BadRequest, Conflict, NotFound, NotThere

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness_nordic.fake.clock import Clock

LARGEST_SHADOW_DEPTH = 20


@dataclass(slots=True, kw_only=True)
class CoreDevice:
    """An onboarded device.

    :ivar sub_type: what its team calls its kind.
    :ivar tags: the core's own, which are no provisioning tags.
    :ivar groups: device management groups.
    :ivar firmware_types: what kinds of update it takes, for example ``APP`` and ``MODEM``.
    :ivar shadow: ``reported`` and ``desired`` state.
    :ivar certificate: PEM, of a device that was onboarded by its certificate.
    :ivar number: counts onboardings; the order of lists.
    """

    id: str
    sub_type: str = ""
    tags: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    firmware_types: tuple[str, ...] = ()
    name: str = ""
    shadow: dict[str, Any] = field(default_factory=dict)
    certificate: str = field(default="", repr=False)
    created_at: str = ""
    number: int = 0

    def to_json(self, tenant_id: str, *, state: bool = True, groups: bool = True) -> dict[str, Any]:
        """Return the device object of the core API.

        :param tenant_id: the team.
        :param state: whether the shadow is part of it.
        :param groups: whether the device management groups are.
        """
        shown: dict[str, Any] = {
            "id": self.id,
            "tenantId": tenant_id,
            "name": self.name or self.id,
            "type": "Generic",
            "subType": self.sub_type,
            "tags": list(self.tags),
            "firmware": {"supports": list(self.firmware_types)},
            "$meta": {"createdAt": self.created_at, "version": "1.0"},
        }
        if groups:
            shown["groups"] = list(self.groups)
        if state:
            shown["state"] = self.shadow
        return shown

    def take_state(self, change: Mapping[str, Any]) -> None:
        """Merge a change into the shadow: objects key by key, ``null`` takes a key away.

        :raises BadRequest: it nests deeper than a shadow may.
        """
        self.shadow = _merged(self.shadow, change, LARGEST_SHADOW_DEPTH)


def _merged(old: Any, change: Any, depth: int) -> Any:
    if not isinstance(change, dict):
        return change
    if depth == 0:
        raise BadRequest(f"the state nests deeper than {LARGEST_SHADOW_DEPTH} levels")
    new = dict(old) if isinstance(old, dict) else {}
    for key, value in change.items():
        if value is None:
            new.pop(key, None)
        else:
            new[key] = _merged(new.get(key), value, depth - 1)
    return new


@dataclass(slots=True, kw_only=True)
class BulkOperation:
    """An onboarding of several devices, and what came of it.

    :ivar errors: texts by the number of the row, counted from 0.
    :ivar summary_id: where the errors are to be had: whoever knows it needs no key.
    :ivar asked: how often somebody asked for it.
    """

    owner_id: str
    requested_at: str
    errors: dict[int, str]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    summary_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    asked: int = 0

    def summary(self) -> dict[str, list[str]]:
        """Return the errors as the client reads them: ``[0]: text``."""
        return {"errors": [f"[{row}]: {text}" for row, text in sorted(self.errors.items())]}


@dataclass(slots=True, kw_only=True)
class FotaJob:
    """An update that a team ordered; no device of ours takes it.

    :ivar targets: ids of devices, or tags.
    """

    owner_id: str
    bundle_id: str
    name: str
    description: str
    device_ids: tuple[str, ...]
    tags: tuple[str, ...]
    created_at: str
    number: int
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "jobId": self.id,
            "name": self.name,
            "description": self.description,
            "bundleId": self.bundle_id,
            "deviceIds": list(self.device_ids),
            "tags": list(self.tags),
            "status": "IN_PROGRESS",
            "createdAt": self.created_at,
        }


class CoreDevices:
    """Every team's onboarded devices, bulk operations and update jobs."""

    def __init__(self, clock: Clock) -> None:
        """Begin without any.

        :param clock: the time of the service.
        """
        self._clock = clock
        self._devices: dict[tuple[str, str], CoreDevice] = {}
        self._operations: dict[str, BulkOperation] = {}
        self._jobs: dict[str, FotaJob] = {}
        self._made = 0

    # Devices -----------------------------------------------------------------------------------------

    def add(self, owner_id: str, device: CoreDevice) -> CoreDevice:
        """Onboard a device that the team does not have.

        :raises Conflict: it has one with this id.
        """
        if (owner_id, device.id) in self._devices:
            raise Conflict("the team has a device with this id already")
        self._made += 1
        device.number, device.created_at = self._made, self._clock.timestamp()
        self._devices[owner_id, device.id] = device
        return device

    def onboard(self, owner_id: str, device: CoreDevice) -> CoreDevice:
        """Onboard a device that was provisioned; one that is there already keeps its name, state and tags."""
        known = self._devices.get((owner_id, device.id))
        if known is None:
            return self.add(owner_id, device)
        known.sub_type, known.firmware_types = device.sub_type, device.firmware_types
        known.groups = tuple(dict.fromkeys((*known.groups, *device.groups)))
        known.tags = tuple(dict.fromkeys((*known.tags, *device.tags)))
        return known

    def has(self, owner_id: str, device_id: str) -> bool:
        """Tell whether a team has a device."""
        return (owner_id, device_id) in self._devices

    def device(self, owner_id: str, device_id: str) -> CoreDevice:
        """Return a team's device.

        :raises NotThere: it has none of this id.
        """
        try:
            return self._devices[owner_id, device_id]
        except KeyError:
            raise NotThere("the team has no such device") from None

    def devices(self, owner_id: str) -> list[CoreDevice]:
        """Return a team's devices in the order of their onboarding."""
        return [device for (owner, _id), device in self._devices.items() if owner == owner_id]

    def delete(self, owner_id: str, device_id: str) -> CoreDevice:
        """Remove a device from the team for good, and return what it was.

        :raises NotThere: see :meth:`device`.
        """
        device = self.device(owner_id, device_id)
        del self._devices[owner_id, device_id]
        return device

    # Bulk operations ---------------------------------------------------------------------------------

    def end_operation(self, owner_id: str, errors: Mapping[int, str]) -> BulkOperation:
        """Write down what came of an onboarding."""
        operation = BulkOperation(
            owner_id=owner_id, requested_at=self._clock.timestamp(), errors=dict(errors)
        )
        self._operations[operation.id] = operation
        return operation

    def operation(self, owner_id: str, operation_id: str) -> BulkOperation:
        """Return a team's bulk operation.

        :raises NotFound: it has none of this id.
        """
        operation = self._operations.get(operation_id)
        if operation is None or operation.owner_id != owner_id:
            raise NotFound("the team has no such bulk operation")
        return operation

    def error_summary(self, summary_id: str) -> BulkOperation:
        """Return the operation of an error summary.

        :raises NotFound: there is none.
        """
        for operation in self._operations.values():
            if operation.summary_id == summary_id:
                return operation
        raise NotFound("there is no such error summary")

    # Update jobs -------------------------------------------------------------------------------------

    def order_update(
        self,
        owner_id: str,
        *,
        bundle_id: str,
        name: str,
        description: str,
        device_ids: Sequence[str],
        tags: Sequence[str],
    ) -> FotaJob:
        """Order an update for devices, or for all that have one of some tags."""
        self._made += 1
        job = FotaJob(
            owner_id=owner_id,
            bundle_id=bundle_id,
            name=name,
            description=description,
            device_ids=tuple(device_ids),
            tags=tuple(tags),
            created_at=self._clock.timestamp(),
            number=self._made,
        )
        self._jobs[job.id] = job
        return job

    def jobs(self, owner_id: str) -> list[FotaJob]:
        """Return a team's jobs in the order in which they were ordered."""
        return [job for job in self._jobs.values() if job.owner_id == owner_id]

    def job(self, owner_id: str, job_id: str) -> FotaJob:
        """Return a team's job.

        :raises NotFound: it has none of this id.
        """
        job = self._jobs.get(job_id)
        if job is None or job.owner_id != owner_id:
            raise NotFound("the team has no such job")
        return job

    def cancel_update(self, owner_id: str, job_id: str) -> None:
        """Take an order back.

        :raises NotFound: see :meth:`job`.
        """
        del self._jobs[self.job(owner_id, job_id).id]
