"""Revokes certificates that nobody shall use any more (guardian fact sheet, section 9).

The old ones of a reprovisioned device stay valid until the new certified profile was fetched and the grace is
over, by the organisation's clock. Timers do that: nothing asks the clock again and again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness_guardian.fake.vault_contract import VaultRefused, VaultTimeout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_guardian.fake.choices import Choices
    from harness_guardian.fake.organisation import Organisation
    from harness_guardian.fake.records import (
        ComponentInstance,
        IssuedCertificate,
        ProvisioningRequest,
        System,
    )
    from harness_guardian.fake.vault_contract import VaultCalls

LONGEST_TIMER = 24 * 3600.0
"""Seconds after which a timer looks again at the latest: loops do not like longer ones."""


@dataclass(slots=True, kw_only=True)
class Superseded:
    """Old certificates of a device.

    :ivar number: of the request that brought the new ones.
    :ivar due: when they are revoked, by the organisation's clock; ``None`` until the new profile is fetched.
    """

    system: System
    device: ComponentInstance
    number: int
    certificates: Sequence[IssuedCertificate]
    due: float | None = None


class Revocations:
    """Who is to be revoked, and when."""

    def __init__(self, vault: VaultCalls, choices: Choices) -> None:
        """Begin with nothing to revoke."""
        self._vault = vault
        self._choices = choices
        self._waiting: dict[str, list[Superseded]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Revoke nothing any more."""
        for timer in self._timers.values():
            timer.cancel()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def superseded(
        self,
        organisation: Organisation,
        request: ProvisioningRequest,
        certificates: Sequence[IssuedCertificate],
    ) -> None:
        """Note the old certificates of a device that has new ones now by a request."""
        if not certificates or request.system is None or request.component_instance is None:
            return
        due = None if request.fetched_at is None else request.fetched_at + self._choices.grace
        self._waiting.setdefault(organisation.name, []).append(
            Superseded(
                system=request.system,
                device=request.component_instance,
                number=request.number,
                certificates=certificates,
                due=due,
            )
        )
        self.clock_changed(organisation)

    def fetched(self, organisation: Organisation, request: ProvisioningRequest) -> None:
        """Note that a certified profile was fetched: the grace of what it supersedes begins."""
        if request.fetched_at is not None:
            return
        request.fetched_at = organisation.clock.seconds()
        organisation.note("profile-fetched", request_id=request.id)
        for old in self._waiting.get(organisation.name, []):
            if old.device is request.component_instance and old.number <= request.number and old.due is None:
                old.due = request.fetched_at + self._choices.grace
        self.clock_changed(organisation)

    def clock_changed(self, organisation: Organisation) -> None:
        """Revoke what is due by the organisation's clock, and look again when the next one is."""
        timer = self._timers.pop(organisation.name, None)
        if timer is not None:
            timer.cancel()
        now = organisation.clock.seconds()
        kept = []
        for old in self._waiting.get(organisation.name, []):
            if old.due is not None and old.due <= now:
                self.revoke(organisation, old.system, old.certificates)
            else:
                kept.append(old)
        self._waiting[organisation.name] = kept
        due = min((old.due for old in kept if old.due is not None), default=None)
        if due is not None:
            seconds = min(due - now, LONGEST_TIMER)
            loop = asyncio.get_running_loop()
            self._timers[organisation.name] = loop.call_later(seconds, self.clock_changed, organisation)

    def forget_system(self, organisation: Organisation, system: System) -> None:
        """Revoke nothing of a system any more: it is gone, and its authority with it."""
        waiting = self._waiting.get(organisation.name, [])
        self._waiting[organisation.name] = [old for old in waiting if old.system is not system]

    def revoke(
        self, organisation: Organisation, system: System, certificates: Sequence[IssuedCertificate]
    ) -> None:
        """Revoke certificates now, without waiting for it; what came of it is in the events."""
        if not certificates:
            return
        task = asyncio.get_running_loop().create_task(self._revoke(organisation, system, certificates))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _revoke(
        self, organisation: Organisation, system: System, certificates: Sequence[IssuedCertificate]
    ) -> None:
        for certificate in certificates:
            try:
                await self._vault.revoke(system, certificate.serial)
            except (VaultTimeout, VaultRefused) as error:
                organisation.note("revocation-failed", serial=certificate.serial, detail=str(error))
            else:
                organisation.note("revoked", serial=certificate.serial)
